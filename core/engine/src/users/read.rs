//! Reading users.

use std::sync::Arc;

use roster_domain::query::Parameters;
use roster_domain::{
    Action, Code, Collection, Error, Filter, Grant, Item, Principal, Projection, Query, Result,
    UserId, Value,
};
use roster_storage::users;

use super::List;
use crate::context::Context;
use crate::{Inner, access};

const USERS: Collection = Collection::Users;

/// A page of users.
pub(crate) async fn list(inner: &Inner, cx: &Context, parameters: &Parameters) -> Result<List> {
    let grant = access::grant(cx, Action::Read, USERS)?;
    let query = Query::parse(&inner.schema, &grant, parameters, inner.settings.pages)?;
    let items = users::list(&inner.store, &grant, &query).await?;
    let mut list = List {
        items,
        total_count: None,
        filter_count: None,
    };
    if query.meta.total_count {
        let everything = &Filter::Everything;
        list.total_count = Some(users::count(&inner.store, &grant, &query, everything).await?);
    }
    if query.meta.filter_count {
        let filtered = users::count(&inner.store, &grant, &query, &query.filter).await?;
        list.filter_count = Some(filtered);
    }
    Ok(list)
}

/// One user. A malformed id is a missing one.
pub(crate) async fn one(
    inner: &Inner,
    cx: &Context,
    id: &str,
    parameters: &Parameters,
) -> Result<Item> {
    let grant = access::grant(cx, Action::Read, USERS)?;
    let query = Query::parse(&inner.schema, &grant, parameters, inner.settings.pages)?;
    let id = UserId::parse(id).ok_or_else(Error::forbidden)?;
    get(inner, &grant, id, &query)
        .await?
        .ok_or_else(Error::forbidden)
}

/// The caller; the id alone without read permission.
pub(crate) async fn me(inner: &Inner, cx: &Context, parameters: &Parameters) -> Result<Item> {
    let Principal::User { id, .. } = cx.principal else {
        return Err(Code::InvalidCredentials.into());
    };
    let Ok(grant) = access::grant(cx, Action::Read, USERS) else {
        return id_alone(inner, id);
    };
    let query = Query::parse(&inner.schema, &grant, parameters, inner.settings.pages)?;
    get(inner, &grant, id, &query)
        .await?
        .ok_or_else(Error::forbidden)
}

async fn get(inner: &Inner, grant: &Grant, id: UserId, query: &Query) -> Result<Option<Item>> {
    users::get(&inner.store, grant, id, &query.projection, &query.filter).await
}

fn id_alone(inner: &Inner, id: UserId) -> Result<Item> {
    let position = inner.schema.position("id").ok_or_else(Error::forbidden)?;
    let projection = Projection::of(&inner.schema, vec![position]);
    Ok(Item::new(Arc::new(projection), vec![Value::Uuid(id.0)]))
}

/// How the caller wants a written record back. Understood before the write, so that a malformed
/// query changes nothing.
pub(crate) struct Readback(Option<(Grant, Query)>);

impl Readback {
    /// Understands the query; nothing comes back to a caller who may not read.
    pub(crate) fn prepare(inner: &Inner, cx: &Context, parameters: &Parameters) -> Result<Self> {
        let Ok(grant) = access::grant(cx, Action::Read, USERS) else {
            return Ok(Self(None));
        };
        let query = Query::parse(&inner.schema, &grant, parameters, inner.settings.pages)?;
        Ok(Self(Some((grant, query))))
    }

    /// Reads the record again, as it is after the write.
    pub(crate) async fn read(&self, inner: &Inner, id: UserId) -> Result<Option<Item>> {
        match &self.0 {
            Some((grant, query)) => get(inner, grant, id, query).await,
            None => Ok(None),
        }
    }
}

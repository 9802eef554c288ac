//! Reading users.

use std::collections::HashMap;
use std::sync::Arc;

use roster_domain::query::{PageLimits, Parameters};
use roster_domain::{
    Action, Code, Collection, Error, Filter, Grant, Item, Principal, Projection, Query, Record,
    Result, UserId, Value,
};
use roster_storage::users;

use super::List;
use super::batch::{self, Selection};
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
        // What was written is shown whole, unless the caller asks for less of it.
        let pages = PageLimits {
            default: None,
            max: None,
        };
        let query = Query::parse(&inner.schema, &grant, parameters, pages)?;
        Ok(Self(Some((grant, query))))
    }

    /// Reads records again, in the order of the query, ids last.
    pub(crate) async fn read_many(&self, inner: &Inner, ids: &[UserId]) -> Result<Option<List>> {
        let Some((grant, query)) = &self.0 else {
            return Ok(None);
        };
        let items = match ids {
            [] => Vec::new(),
            ids => {
                let among = Filter::one_of("id", ids.iter().map(|id| id.0));
                let query = Query {
                    filter: query.filter.clone().and(among),
                    ..query.clone()
                };
                users::list(&inner.store, grant, &query).await?
            }
        };
        Ok(Some(List {
            items,
            total_count: None,
            filter_count: None,
        }))
    }

    /// Reads the record again, as it is after the write.
    pub(crate) async fn read(&self, inner: &Inner, id: UserId) -> Result<Option<Item>> {
        match &self.0 {
            Some((grant, query)) => get(inner, grant, id, query).await,
            None => Ok(None),
        }
    }
}

/// The ids of the records that a query finds among those the caller may read.
pub(crate) async fn find(
    inner: &Inner,
    cx: &Context,
    parameters: &Parameters,
) -> Result<Vec<UserId>> {
    let grant = access::grant(cx, Action::Read, USERS)?;
    let pages = PageLimits {
        default: None,
        max: None,
    };
    let query = Query::parse(&inner.schema, &grant, parameters, pages)?;
    let id = inner.schema.position("id").ok_or_else(Error::forbidden)?;
    let projection = Arc::new(Projection::of(&inner.schema, vec![id]));
    let query = Query {
        projection,
        ..query
    };
    let found = users::list(&inner.store, &grant, &query).await?;
    let ids = found
        .iter()
        .filter_map(|item| item.get("id").and_then(Value::as_uuid));
    Ok(ids.map(UserId).collect())
}

/// The users of a selection.
pub(crate) async fn select(
    inner: &Inner,
    cx: &Context,
    selection: &Selection,
) -> Result<Vec<UserId>> {
    match selection {
        Selection::Keys(keys) => Ok(keys.clone()),
        Selection::Query(parameters) => {
            let found = find(inner, cx, parameters).await?;
            batch::check_size(found.len())?;
            Ok(found)
        }
    }
}

/// The whole records of these ids as they are about to be written, in the order of the ids. One
/// that is missing or out of reach refuses all.
pub(crate) async fn load(
    inner: &Inner,
    grant: &Grant,
    action: Action,
    ids: &[UserId],
) -> Result<Vec<Record>> {
    if let [id] = ids {
        let one = users::load(&inner.store, grant, action, *id, &inner.everything).await?;
        return one.map(|record| vec![record]).ok_or_else(Error::forbidden);
    }
    let loaded = users::load_many(&inner.store, grant, action, ids, &inner.everything).await?;
    let by_id: HashMap<UserId, Record> = loaded
        .into_iter()
        .filter_map(|record| Some((record.user_id()?, record)))
        .collect();
    let found = ids
        .iter()
        .map(|id| by_id.get(id).cloned().ok_or_else(Error::forbidden));
    found.collect()
}

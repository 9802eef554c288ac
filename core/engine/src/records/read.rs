//! Reading records.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use roster_domain::query::{Ask, PageLimits, Parameters};
use roster_domain::{
    Action, Code, Collection, Error, Filter, Grant, Item, Key, Principal, Projection, Query,
    Record, Result, Schema, Value,
};
use roster_storage::records;
use serde_json::Value as Json;

use super::batch::{self, Selection};
use super::{Items, List, Outline};
use crate::context::Context;
use crate::{Inner, access};

/// The schema of a collection; one without a table looks like one that does not exist.
pub(crate) fn schema(cx: &Context, collection: Collection) -> Result<&Arc<Schema>> {
    let schema = cx.model.schema(collection);
    schema.ok_or_else(|| Error::forbidden_collection(collection.as_str()))
}

async fn parse(
    inner: &Inner,
    cx: &Context,
    grant: &Grant,
    parameters: &Parameters,
    pages: PageLimits,
) -> Result<Query> {
    let variables = access::variables(inner, cx, parameters).await?;
    let ask = Ask {
        model: &cx.model,
        grant,
        variables: &variables,
        pages,
    };
    Query::parse(&ask, parameters)
}

/// A page of records.
pub(crate) async fn list(
    inner: &Inner,
    cx: &Context,
    collection: Collection,
    parameters: &Parameters,
) -> Result<List> {
    let grant = access::grant(cx, Action::Read, collection)?;
    if collection == Collection::Permissions {
        return permissions(inner, cx, &grant, parameters).await;
    }
    let query = parse(inner, cx, &grant, parameters, inner.settings.pages).await?;
    page(inner, cx, &query).await
}

/// Permissions come all at once unless a page of them is asked for; who has the app sees the rules
/// as well that come with it (contract/access-control.md §10).
async fn permissions(
    inner: &Inner,
    cx: &Context,
    grant: &Grant,
    parameters: &Parameters,
) -> Result<List> {
    let is_page = ["limit", "offset", "page"]
        .iter()
        .any(|name| parameters.contains_key(*name));
    let pages = if is_page {
        inner.settings.pages
    } else {
        PageLimits::NONE
    };
    let query = parse(inner, cx, grant, parameters, pages).await?;
    let mut list = page(inner, cx, &query).await?;
    if let Items::Records(items) = &mut list.items
        && !is_page
        && cx.rights.app_access
        && !query.selection.is_bare
    {
        items.extend(access::minimal::items(&query));
    }
    Ok(list)
}

/// What a list would have, without reading it.
pub(crate) async fn outline(
    inner: &Inner,
    cx: &Context,
    collection: Collection,
    parameters: &Parameters,
) -> Result<Outline> {
    let grant = access::grant(cx, Action::Read, collection)?;
    let query = parse(inner, cx, &grant, parameters, inner.settings.pages).await?;
    let columns = match query.grouping {
        Some(_) => Vec::new(),
        None => query.selection.columns(),
    };
    Ok(Outline {
        columns,
        limit: query.limit,
        offset: query.offset,
    })
}

async fn page(inner: &Inner, cx: &Context, query: &Query) -> Result<List> {
    let items = match &query.grouping {
        None => Items::Records(records::list(&inner.store, &cx.model, query).await?),
        Some(grouping) => {
            Items::Groups(records::groups(&inner.store, &cx.model, query, grouping).await?)
        }
    };
    let mut list = List {
        items,
        total_count: None,
        filter_count: None,
    };
    let count = |filter| records::count(&inner.store, &cx.model, query.grant(), filter);
    if query.meta.total_count {
        list.total_count = Some(count(&Filter::Everything).await?);
    }
    if query.meta.filter_count {
        list.filter_count = Some(count(&query.filter).await?);
    }
    Ok(list)
}

/// A page of records, the query being in the body.
pub(crate) async fn search(
    inner: &Inner,
    cx: &Context,
    collection: Collection,
    body: &Json,
) -> Result<List> {
    let grant = access::grant(cx, Action::Read, collection)?;
    let (parameters, keys) = batch::search(schema(cx, collection)?, body)?;
    let mut query = parse(inner, cx, &grant, &parameters, inner.settings.pages).await?;
    if let Some(keys) = keys {
        let among = Filter::one_of("id", keys.iter().map(|key| key.value()));
        query.filter = query.filter.and(among);
    }
    page(inner, cx, &query).await
}

/// One record. A malformed id is a missing one.
pub(crate) async fn one(
    inner: &Inner,
    cx: &Context,
    collection: Collection,
    id: &str,
    parameters: &Parameters,
) -> Result<Item> {
    let grant = access::grant(cx, Action::Read, collection)?;
    let query = parse(inner, cx, &grant, parameters, inner.settings.pages).await?;
    let key = schema(cx, collection)?.key_of(id);
    let key = key.ok_or_else(Error::forbidden)?;
    let found = records::get(&inner.store, &cx.model, &query, key).await?;
    found.ok_or_else(Error::forbidden)
}

/// The caller; the id alone without read permission.
pub(crate) async fn me(inner: &Inner, cx: &Context, parameters: &Parameters) -> Result<Item> {
    let Principal::User { id, .. } = cx.principal else {
        return Err(Code::InvalidCredentials.into());
    };
    let Some(grant) = access::grant_if_any(cx, Action::Read, Collection::Users)? else {
        return id_alone(cx, id.into());
    };
    let query = parse(inner, cx, &grant, parameters, inner.settings.pages).await?;
    let found = records::get(&inner.store, &cx.model, &query, id.into()).await?;
    found.ok_or_else(Error::forbidden)
}

fn id_alone(cx: &Context, key: Key) -> Result<Item> {
    let users = cx.model.users();
    let position = users.position("id").ok_or_else(Error::forbidden)?;
    let projection = Projection::of(users, vec![position]);
    Ok(Item::new(Arc::new(projection), vec![key.value()]))
}

/// The role of the caller and its ancestors, the root first; their ids alone without the right to
/// read roles.
pub(crate) async fn my_roles(inner: &Inner, cx: &Context, parameters: &Parameters) -> Result<List> {
    if cx.principal == Principal::Public {
        return Err(Error::forbidden());
    }
    let roles = &cx.rights.roles;
    let schema = schema(cx, Collection::Roles)?;
    let Some(grant) = access::grant_if_any(cx, Action::Read, Collection::Roles)? else {
        let id = schema.position("id").ok_or_else(Error::forbidden)?;
        let projection = Arc::new(Projection::of(schema, vec![id]));
        let item = |role| Item::new(Arc::clone(&projection), vec![Value::Uuid(role)]);
        return Ok(List::of(roles.iter().map(|role| item(*role)).collect()));
    };
    let query = parse(inner, cx, &grant, parameters, PageLimits::NONE).await?;
    let mut items = Vec::with_capacity(roles.len());
    for role in roles {
        let found = records::get(&inner.store, &cx.model, &query, Key::Uuid(*role)).await?;
        items.extend(found);
    }
    Ok(List::of(items))
}

/// How the caller wants a written record back. Understood before the write, so that a malformed
/// query changes nothing.
pub(crate) struct Readback<'a> {
    collection: Collection,
    parameters: &'a Parameters,
    query: Option<Query>,
}

impl<'a> Readback<'a> {
    /// Understands the query; nothing comes back to a caller who may not read.
    pub(crate) async fn prepare(
        inner: &Inner,
        cx: &Context,
        collection: Collection,
        parameters: &'a Parameters,
    ) -> Result<Self> {
        let query = match access::grant_if_any(cx, Action::Read, collection)? {
            // What was written is shown whole, unless the caller asks for less of it.
            Some(grant) => Some(parse(inner, cx, &grant, parameters, PageLimits::NONE).await?),
            None => None,
        };
        Ok(Self {
            collection,
            parameters,
            query,
        })
    }

    /// The query after the write: what the rules look at may have changed with it.
    async fn query(&self, inner: &Inner, cx: &Context) -> Result<Option<Cow<'_, Query>>> {
        let Some(query) = &self.query else {
            return Ok(None);
        };
        let Some(cx) = access::after_write(inner, cx).await? else {
            return Ok(Some(Cow::Borrowed(query)));
        };
        let Some(grant) = access::grant_if_any(&cx, Action::Read, self.collection)? else {
            return Ok(None);
        };
        // It is written: what may not be asked any more is no refusal.
        match parse(inner, &cx, &grant, self.parameters, PageLimits::NONE).await {
            Ok(query) => Ok(Some(Cow::Owned(query))),
            Err(error) if error.status() >= 500 => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// Reads records again, in the order of the query, ids last.
    pub(crate) async fn read_many(
        &self,
        inner: &Inner,
        cx: &Context,
        keys: &[Key],
    ) -> Result<Option<List>> {
        let Some(query) = self.query(inner, cx).await? else {
            return Ok(None);
        };
        if keys.is_empty() {
            return Ok(Some(List::of(Vec::new())));
        }
        let items = records::among(&inner.store, &cx.model, &query, keys).await?;
        Ok(Some(List::of(items)))
    }

    /// Reads the record again, as it is after the write.
    pub(crate) async fn read(&self, inner: &Inner, cx: &Context, key: Key) -> Result<Option<Item>> {
        match self.query(inner, cx).await? {
            Some(query) => records::get(&inner.store, &cx.model, &query, key).await,
            None => Ok(None),
        }
    }
}

/// The records of a selection, as far as the caller may read them.
pub(crate) async fn select(
    inner: &Inner,
    cx: &Context,
    collection: Collection,
    selection: &Selection,
) -> Result<Vec<Key>> {
    let parameters = match selection {
        Selection::Keys(keys) => return Ok(keys.clone()),
        Selection::Query(parameters) => parameters,
    };
    let grant = access::grant(cx, Action::Read, collection)?;
    let query = parse(inner, cx, &grant, parameters, PageLimits::NONE).await?;
    let mut keys = Query::keys(schema(cx, collection)?, &grant, query.filter.clone());
    (keys.sort, keys.limit, keys.offset) = (query.sort, query.limit, query.offset);
    let found = records::find(&inner.store, &cx.model, &keys).await?;
    batch::check_size(found.len())?;
    Ok(found)
}

/// The whole records of these keys as they are about to be written, in the order of the keys. One
/// that is missing or out of reach refuses all.
pub(crate) async fn load(
    inner: &Inner,
    cx: &Context,
    grant: &Grant,
    keys: &[Key],
) -> Result<Vec<Record>> {
    let schema = schema(cx, grant.collection())?;
    let projection = inner.stored_fields(schema);
    let (store, model, action) = (&inner.store, &cx.model, grant.action());
    if let [key] = keys {
        let one = records::load(store, model, grant, action, *key, &projection).await?;
        return one.map(|record| vec![record]).ok_or_else(Error::forbidden);
    }
    let loaded = records::load_many(store, model, grant, action, keys, &projection).await?;
    let by_key: HashMap<Key, Record> = loaded
        .into_iter()
        .filter_map(|record| Some((record.key()?, record)))
        .collect();
    let found = keys
        .iter()
        .map(|key| by_key.get(key).cloned().ok_or_else(Error::forbidden));
    found.collect()
}

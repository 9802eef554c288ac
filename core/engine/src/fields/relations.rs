//! How records lead to one another, and relations of users that are added.

use std::sync::Arc;

use roster_domain::field::Link;
use roster_domain::schema::{OnDelete, Relation};
use roster_domain::{Action, Collection, Error, FieldType, Grant, Model, Result};
use roster_sdk::Event;
use roster_storage::fields;
use serde_json::{Map, Value as Json, json};

use super::custom::{begin, repeat};
use super::said::item;
use super::{LISTED, Said, administer, known};
use crate::context::Context;
use crate::write::commit;
use crate::{Inner, access, hooks};

const RELATIONS: Collection = Collection::Relations;

/// Where relations may lead.
const TARGETS: [Collection; 4] = [
    Collection::Users,
    Collection::Roles,
    Collection::Policies,
    Collection::Files,
];

/// The relations that the caller may know of, of one collection or of all.
pub(crate) fn list(cx: &Context, collection: Option<&str>) -> Result<Vec<Json>> {
    super::readable(cx, Collection::Relations)?;
    let only = match collection {
        Some(name) => Some(known(cx, name)?),
        None => None,
    };
    if let Some(only) = only {
        access::grant(cx, Action::Read, only)?;
    }
    let all = LISTED
        .into_iter()
        .filter(|known| only.is_none_or(|only| only == *known));
    Ok(all.flat_map(|known| of(cx, known)).collect())
}

/// One relation.
pub(crate) fn one(cx: &Context, collection: &str, field: &str) -> Result<Json> {
    let found = list(cx, Some(collection))?;
    let found = found.into_iter().find(|json| json["field"] == field);
    found.ok_or_else(Error::forbidden)
}

fn of(cx: &Context, collection: Collection) -> Vec<Json> {
    let (Ok(grant), Some(schema)) = (
        access::grant(cx, Action::Read, collection),
        cx.model.schema(collection),
    ) else {
        return Vec::new();
    };
    let fields = schema
        .fields()
        .iter()
        .filter(|field| grant.allows(&field.name));
    let links = fields.filter_map(|field| Some((field, field.leads_to()?)));
    let shown = links.map(|(field, to)| {
        let custom = cx
            .model
            .relations()
            .iter()
            .find(|relation| collection == Collection::Users && relation.field == field.name);
        match custom {
            Some(relation) => said(relation),
            None => built_in(&cx.model, collection, &field.name, to),
        }
    });
    shown.collect()
}

fn built_in(model: &Model, collection: Collection, field: &str, to: Collection) -> Json {
    let back = model.schema(to).and_then(|schema| {
        schema.fields().iter().find(|known| {
            matches!(&known.link, Some(Link::Many { from, field: back, .. }) if *from == collection && back == field)
        })
    });
    json!({
        "collection": collection.as_str(),
        "field": field,
        "related_collection": to.as_str(),
        "schema": null,
        "meta": {
            "many_collection": collection.as_str(),
            "many_field": field,
            "one_collection": to.as_str(),
            "one_field": back.map(|field| field.name.clone()),
            "one_collection_field": null,
            "one_allowed_collections": null,
            "junction_field": null,
            "sort_field": null,
            "one_deselect_action": "nullify",
            "system": true,
        },
    })
}

fn said(relation: &Relation) -> Json {
    let users = Collection::Users.as_str();
    json!({
        "collection": users,
        "field": relation.field,
        "related_collection": relation.to.as_str(),
        "schema": {
            "table": users,
            "column": relation.field,
            "foreign_key_table": relation.to.as_str(),
            "foreign_key_column": "id",
            "on_update": "NO ACTION",
            "on_delete": relation.on_delete.as_str(),
            "constraint_name": format!("users_{}_foreign", relation.field),
        },
        "meta": {
            "id": relation.id,
            "many_collection": users,
            "many_field": relation.field,
            "one_collection": relation.to.as_str(),
            "one_field": relation.one_field,
            "one_collection_field": null,
            "one_allowed_collections": null,
            "junction_field": null,
            "sort_field": relation.sort_field,
            "one_deselect_action": if relation.deletes { "delete" } else { "nullify" },
        },
    })
}

/// Adds a relation to a field of users.
pub(crate) async fn create(inner: &Inner, cx: &Context, body: &Json) -> Result<Json> {
    let grant = administer(cx, Action::Create, RELATIONS)?;
    let (collection, field) = (text(body, "collection")?, text(body, "field")?);
    if known(cx, collection)? != Collection::Users {
        let reason = format!("relations can be added to \"{}\" only", Collection::Users);
        return Err(Error::invalid_payload(reason));
    }
    let none = Map::new();
    let draft = Said::created(RELATIONS, field, body.as_object().unwrap_or(&none));
    // A malformed body is refused before any hook is asked.
    wanted(field, &draft)?;
    let made = repeat(inner, cx, |model| {
        let (grant, mut draft) = (grant.clone(), draft.clone());
        async move {
            hooks::before_create(inner, cx, RELATIONS, Some(item(field)), &mut draft).await?;
            let relation = wanted(field, &draft)?;
            check(&model, &relation, true)?;
            let Some(mut tx) = begin(inner, &model).await? else {
                return Ok(None);
            };
            fields::relate(&mut tx, &grant, &relation).await?;
            let said = Said::relation(&relation);
            let told = said.note(inner, &mut tx, cx, Event::AfterCreate, Vec::new());
            let told = told.await?;
            commit(inner, tx, told).await?;
            Ok(Some(()))
        }
    });
    made.await?;
    shown(inner, field).await
}

fn text<'b>(body: &'b Json, name: &str) -> Result<&'b str> {
    let text = body.get(name).and_then(Json::as_str);
    text.ok_or_else(|| Error::invalid_payload(format!("\"{name}\" is required")))
}

/// The relation that a body asks for.
fn wanted(field: &str, said: &Said) -> Result<Relation> {
    let related = said.values().get("related_collection");
    let related = related.and_then(Json::as_str);
    let related =
        related.ok_or_else(|| Error::invalid_payload("\"related_collection\" is required"))?;
    let to = Collection::parse(related).filter(|to| TARGETS.contains(to));
    let to = to
        .ok_or_else(|| Error::invalid_payload(format!("Collection \"{related}\" doesn't exist")))?;
    let blank = Relation {
        id: 0,
        field: field.to_owned(),
        to,
        on_delete: OnDelete::SetNull,
        one_field: None,
        sort_field: None,
        deletes: false,
    };
    apply(blank, said)
}

/// Changes a relation that was added.
pub(crate) async fn update(
    inner: &Inner,
    cx: &Context,
    collection: &str,
    field: &str,
    body: &Json,
) -> Result<Json> {
    let grant = administer(cx, Action::Update, RELATIONS)?;
    known(cx, collection)?;
    let none = Map::new();
    let draft = Said::changed(RELATIONS, body.as_object().unwrap_or(&none));
    let changed = repeat(inner, cx, |model| {
        update_once(inner, cx, &grant, model, field, draft.clone())
    });
    changed.await?;
    shown(inner, field).await
}

async fn update_once(
    inner: &Inner,
    cx: &Context,
    grant: &Grant,
    model: Arc<Model>,
    field: &str,
    mut draft: Said,
) -> Result<Option<()>> {
    let before = find(&model, field)?;
    // A malformed body is refused before any hook is asked.
    apply(before.clone(), &draft)?;
    let stored = Said::relation(&before);
    hooks::before_update(inner, cx, RELATIONS, item(field), &stored, &mut draft).await?;
    let carried = draft.carried();
    if carried.is_empty() {
        return Ok(Some(()));
    }
    let relation = apply(before, &draft)?;
    check(&model, &relation, false)?;
    let Some(mut tx) = begin(inner, &model).await? else {
        return Ok(None);
    };
    fields::change_relation(&mut tx, grant, &relation).await?;
    let said = Said::relation(&relation);
    let told = said.note(inner, &mut tx, cx, Event::AfterUpdate, carried);
    let told = told.await?;
    commit(inner, tx, told).await?;
    Ok(Some(()))
}

/// Takes a relation away; the field and its values stay.
pub(crate) async fn delete(
    inner: &Inner,
    cx: &Context,
    collection: &str,
    field: &str,
) -> Result<()> {
    let grant = administer(cx, Action::Delete, RELATIONS)?;
    known(cx, collection)?;
    repeat(inner, cx, |model| {
        let grant = grant.clone();
        async move {
            let relation = find(&model, field)?;
            let said = Said::relation(&relation);
            hooks::before_delete(inner, cx, RELATIONS, &item(field), &said).await?;
            let Some(mut tx) = begin(inner, &model).await? else {
                return Ok(None);
            };
            fields::unrelate(&mut tx, &grant, &relation).await?;
            let told = said.note(inner, &mut tx, cx, Event::AfterDelete, Vec::new());
            let told = told.await?;
            commit(inner, tx, told).await?;
            Ok(Some(()))
        }
    })
    .await
}

fn find(model: &Model, field: &str) -> Result<Relation> {
    let found = model.relations().iter().find(|known| known.field == field);
    found.cloned().ok_or_else(Error::forbidden)
}

async fn shown(inner: &Inner, field: &str) -> Result<Json> {
    let model = inner.model().await?;
    find(&model, field).map(|relation| said(&relation))
}

fn apply(mut relation: Relation, said: &Said) -> Result<Relation> {
    let body = said.values();
    if let Some(words) = body
        .get("schema")
        .and_then(|schema| schema.get("on_delete"))
    {
        let known = words.as_str().and_then(OnDelete::parse);
        relation.on_delete = known.ok_or_else(|| {
            Error::invalid_payload(
                "\"schema.on_delete\" must be one of [SET NULL, CASCADE, NO ACTION, RESTRICT]",
            )
        })?;
    }
    let meta = body.get("meta").and_then(Json::as_object);
    for (name, json) in meta.into_iter().flatten() {
        let text = || match json {
            Json::Null => Ok(None),
            Json::String(text) => Ok(Some(text.clone())),
            _ => Err(Error::invalid_payload(format!(
                "\"meta.{name}\" must be a string"
            ))),
        };
        match name.as_str() {
            "one_field" => relation.one_field = text()?,
            "sort_field" => relation.sort_field = text()?,
            "one_deselect_action" => {
                relation.deletes = match json.as_str() {
                    Some("delete") => true,
                    Some("nullify") | None => false,
                    Some(_) => {
                        return Err(Error::invalid_payload(
                            "\"meta.one_deselect_action\" must be one of [nullify, delete]",
                        ));
                    }
                }
            }
            _ => {}
        }
    }
    Ok(relation)
}

fn check(model: &Model, relation: &Relation, is_new: bool) -> Result<()> {
    let users = Collection::Users.as_str();
    let field = &relation.field;
    let known = model.users().field(field);
    let known = known.ok_or_else(|| {
        Error::invalid_payload(format!(
            "Field \"{field}\" in collection \"{users}\" doesn't exist"
        ))
    })?;
    if is_new && known.link.is_some() {
        return Err(Error::invalid_payload(format!(
            "Field \"{field}\" in collection \"{users}\" already has an associated relationship"
        )));
    }
    if known.kind != FieldType::Uuid || !known.is_custom {
        return Err(Error::invalid_payload(format!(
            "Field \"{field}\" in collection \"{users}\" has to be a custom field of type uuid"
        )));
    }
    if let Some(name) = &relation.sort_field
        && model
            .users()
            .field(name)
            .is_none_or(|field| !field.is_stored() || field.is_concealed)
    {
        return Err(Error::invalid_payload(format!(
            "\"meta.sort_field\": there is no field \"{name}\""
        )));
    }
    let Some(name) = &relation.one_field else {
        return Ok(());
    };
    let is_word = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.len() <= 48;
    let target = model.schema(relation.to);
    let own = |link: &Option<Link>| matches!(link, Some(Link::Many { from: Collection::Users, field, .. }) if *field == relation.field);
    let is_free = target.is_some_and(|schema| {
        schema
            .field(name)
            .is_none_or(|known| known.is_custom && own(&known.link))
    });
    let is_alias = relation.to != Collection::Users
        || model
            .definitions()
            .iter()
            .all(|known| known.field != *name || known.kind == FieldType::Alias);
    let takes_lists = matches!(relation.to, Collection::Users | Collection::Roles);
    if is_word && is_free && is_alias && takes_lists {
        return Ok(());
    }
    let to = relation.to.as_str();
    Err(Error::invalid_payload(format!(
        "\"meta.one_field\": \"{name}\" cannot be a list of collection \"{to}\""
    )))
}

//! What the app needs, whatever its policies say (contract/access-control.md §9): reading, never
//! writing.

use std::sync::Arc;

use roster_domain::access::{Names, Rule};
use roster_domain::filter::Uses;
use roster_domain::record::Part;
use roster_domain::variables::Variables;
use roster_domain::{Action, Collection, Filter, Item, Model, Projection, Query, Value};
use serde_json::{Map, Value as Json, json};

use super::read_rule;

/// What the app reads of the user's own record.
const PROFILE: [&str; 20] = [
    "id",
    "first_name",
    "last_name",
    "last_page",
    "email",
    "password",
    "location",
    "title",
    "description",
    "tags",
    "preferences_divider",
    "avatar",
    "language",
    "appearance",
    "theme_light",
    "theme_dark",
    "tfa_secret",
    "status",
    "role",
    "provider",
];

/// One rule, as a permission would have it.
pub(super) struct Least {
    pub(super) collection: Collection,
    /// Which records; all where nothing is said.
    pub(super) permissions: Option<Json>,
    pub(super) fields: &'static [&'static str],
}

/// All of them.
pub(super) fn least() -> Vec<Least> {
    let least = |collection, permissions, fields| Least {
        collection,
        permissions,
        fields,
    };
    let all = &["*"][..];
    vec![
        least(Collection::Collections, None, all),
        least(Collection::Fields, None, all),
        least(Collection::Relations, None, all),
        least(Collection::Settings, None, all),
        least(
            Collection::Activity,
            Some(json!({"user": {"_eq": "$CURRENT_USER"}})),
            all,
        ),
        least(
            Collection::Roles,
            Some(json!({"id": {"_in": "$CURRENT_ROLES"}})),
            all,
        ),
        least(
            Collection::Users,
            Some(json!({"id": {"_eq": "$CURRENT_USER"}})),
            &PROFILE,
        ),
    ]
}

/// The same, understood.
pub(super) fn rules(
    model: &Model,
    values: &Variables,
) -> impl Iterator<Item = ((Collection, Action), Rule)> {
    least().into_iter().map(|least| {
        let filter = least.permissions.map_or(Ok(Filter::Everything), |json| {
            read_rule(model, values, least.collection, &json, Uses::Selection)
        });
        let rule = Rule {
            id: None,
            policy: None,
            filter: filter.unwrap_or(Filter::Nothing),
            fields: Names::of(least.fields.iter().copied()),
            validation: Filter::Everything,
            presets: Map::new(),
        };
        ((least.collection, Action::Read), rule)
    })
}

/// The same as permissions, for a list of them: those that pass its filter. They have neither an id
/// nor a policy, and say that they are the system's (contract/access-control.md §9).
pub(crate) fn items(query: &Query) -> Vec<Item> {
    let projection = &query.selection.projection;
    let schema = projection.schema();
    let positions = projection.positions().iter().copied();
    let said = positions.filter(|index| {
        let name = schema.fields()[*index].name.as_str();
        name != "id" && name != "policy"
    });
    let said = Arc::new(Projection::of(schema, said.collect()));
    let item = |least: Least| {
        let value = |name: &str| {
            let json = match name {
                "collection" => json!(least.collection.as_str()),
                "action" => json!(Action::Read.as_str()),
                "permissions" => json!(least.permissions),
                "fields" => json!(least.fields),
                _ => Json::Null,
            };
            let field = schema.field(name);
            field
                .and_then(|field| field.parse(&json).ok())
                .unwrap_or(Value::Null)
        };
        if !query.filter.matches(&value) {
            return None;
        }
        let values = said.fields().map(|field| value(&field.name)).collect();
        let mut item = Item::new(Arc::clone(&said), values);
        item.push("system".into(), Part::Value(Value::Boolean(true)));
        Some(item)
    };
    least().into_iter().filter_map(item).collect()
}

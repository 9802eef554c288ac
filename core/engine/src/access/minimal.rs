//! What the app needs, whatever its policies say (contract/access-control.md §9): reading, never
//! writing.

use roster_domain::access::{Names, Rule};
use roster_domain::filter::Uses;
use roster_domain::variables::Variables;
use roster_domain::{Action, Collection, Filter, Model};
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

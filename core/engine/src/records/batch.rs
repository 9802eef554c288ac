//! The bodies of writes of many records (contract/users.md §4.3, query.md §11).

use roster_domain::query::Parameters;
use roster_domain::{Error, Key, Result, Schema};
use serde_json::{Map, Value as Json};

/// The most records that one request writes.
const MOST: usize = 10_000;

/// Which records a write of many is about.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Selection {
    /// These.
    Keys(Vec<Key>),
    /// Those that a query finds.
    Query(Parameters),
}

/// What is to be changed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Changes {
    /// Each record in its own way.
    Each(Vec<(Key, Json)>),
    /// All in one way.
    Same(Selection, Json),
}

/// Refuses more records than one request may write.
pub(crate) fn check_size(items: usize) -> Result<()> {
    if items <= MOST {
        return Ok(());
    }
    Err(Error::invalid_payload(format!(
        "Exceeded max batch mutation limit of {MOST}"
    )))
}

/// Says which item of a batch an error is about, by its position.
pub(crate) fn of_item(error: Error, index: usize, items: usize) -> Error {
    if items > 1 {
        error.at_item(index)
    } else {
        error
    }
}

/// Reads the three forms of an update.
///
/// # Errors
/// `INVALID_PAYLOAD` in the contract's words.
pub(crate) fn changes(schema: &Schema, body: &Json) -> Result<Changes> {
    match body {
        Json::Array(items) => {
            check_size(items.len())?;
            items
                .iter()
                .map(|item| change(schema, item))
                .collect::<Result<_>>()
                .map(Changes::Each)
        }
        Json::Object(map) => {
            let selection = selection(schema, map, &["keys", "query", "data"])?;
            let data = map.get("data").filter(|data| data.is_object());
            let data = data.ok_or_else(|| Error::invalid_payload("\"data\" is required"))?;
            Ok(Changes::Same(selection, data.clone()))
        }
        _ => Err(Error::invalid_payload("\"value\" must be of type object")),
    }
}

fn change(schema: &Schema, item: &Json) -> Result<(Key, Json)> {
    let missing = || Error::invalid_payload("Item in update misses primary key");
    let id = item.get("id").ok_or_else(missing)?;
    Ok((key(schema, id)?, item.clone()))
}

/// Reads the three forms of a removal.
///
/// # Errors
/// `INVALID_PAYLOAD` in the contract's words.
pub(crate) fn removals(schema: &Schema, body: &Json) -> Result<Selection> {
    match body {
        Json::Array(items) => keys(schema, items),
        Json::Object(map) => selection(schema, map, &["keys", "query"]),
        _ => Err(Error::invalid_payload("\"value\" must be of type object")),
    }
}

/// Reads the body of a search: what it says replaces the parameters of the address.
///
/// # Errors
/// `INVALID_PAYLOAD` in the contract's words.
pub(crate) fn search(schema: &Schema, body: &Json) -> Result<(Parameters, Option<Vec<Key>>)> {
    let Json::Object(map) = body else {
        return Err(Error::invalid_payload("\"value\" must be of type object"));
    };
    known(map, &["query", "keys"])?;
    let keys = match map.get("keys") {
        None | Some(Json::Null) => None,
        Some(Json::Array(items)) => match keys(schema, items)? {
            Selection::Keys(keys) => Some(keys),
            Selection::Query(_) => None,
        },
        Some(_) => return Err(Error::invalid_payload("\"keys\" must be an array")),
    };
    match map.get("query") {
        None | Some(Json::Null) => Ok((Parameters::new(), keys)),
        Some(Json::Object(query)) => Ok((query.clone(), keys)),
        Some(_) => Err(Error::invalid_payload("\"query\" must be of type object")),
    }
}

fn selection(schema: &Schema, map: &Map<String, Json>, allowed: &[&str]) -> Result<Selection> {
    known(map, allowed)?;
    match (map.get("keys"), map.get("query")) {
        (None, None) => Err(Error::invalid_payload(
            "\"value\" must contain at least one of [query, keys]",
        )),
        (Some(_), Some(_)) => Err(Error::invalid_payload(
            "\"value\" contains a conflict between exclusive peers [query, keys]",
        )),
        (Some(Json::Array(items)), None) => keys(schema, items),
        (Some(_), None) => Err(Error::invalid_payload("\"keys\" must be an array")),
        (None, Some(Json::Object(query))) => Ok(Selection::Query(query.clone())),
        (None, Some(_)) => Err(Error::invalid_payload("\"query\" must be of type object")),
    }
}

fn known(map: &Map<String, Json>, allowed: &[&str]) -> Result<()> {
    let stranger = map.keys().find(|key| !allowed.contains(&key.as_str()));
    stranger.map_or(Ok(()), |key| {
        Err(Error::invalid_payload(format!("\"{key}\" is not allowed")))
    })
}

fn keys(schema: &Schema, items: &[Json]) -> Result<Selection> {
    check_size(items.len())?;
    items
        .iter()
        .map(|item| key(schema, item))
        .collect::<Result<_>>()
        .map(Selection::Keys)
}

/// A malformed id is a missing one.
fn key(schema: &Schema, json: &Json) -> Result<Key> {
    schema.key(json).ok_or_else(Error::forbidden)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    const ID: &str = "01a1ff98-e00b-74dd-bea9-686deeac3cc5";

    #[test]
    fn the_forms_of_an_update_are_told_apart() {
        let id = Key::Uuid(Uuid::parse_str(ID).expect("an id"));
        let users = Schema::users();

        let each = changes(&users, &json!([{"id": ID, "title": "x"}])).expect("read");
        let same = changes(&users, &json!({"keys": [ID], "data": {"title": "x"}})).expect("read");
        let found = changes(&users, &json!({"query": {"limit": 1}, "data": {}})).expect("read");

        assert_eq!(
            each,
            Changes::Each(vec![(id, json!({"id": ID, "title": "x"}))])
        );
        assert_eq!(
            same,
            Changes::Same(Selection::Keys(vec![id]), json!({"title": "x"}))
        );
        assert!(matches!(found, Changes::Same(Selection::Query(_), _)));
    }

    #[test]
    fn a_malformed_update_is_refused_in_the_words_of_the_contract() {
        for (body, reason) in [
            (
                json!({"data": {}}),
                "\"value\" must contain at least one of [query, keys]",
            ),
            (
                json!({"keys": [], "query": {}, "data": {}}),
                "conflict between exclusive peers",
            ),
            (json!({"keys": [ID]}), "\"data\" is required"),
            (
                json!({"keys": "x", "data": {}}),
                "\"keys\" must be an array",
            ),
            (
                json!({"keys": [], "data": {}, "x": 1}),
                "\"x\" is not allowed",
            ),
            (json!([{"title": "x"}]), "Item in update misses primary key"),
            (json!("x"), "must be of type object"),
        ] {
            let error = changes(&Schema::users(), &body)
                .expect_err("refused")
                .to_string();
            assert!(error.contains(reason), "{body}: {error}");
        }
    }

    #[test]
    fn a_batch_has_a_largest_size() {
        let ids = vec![json!(ID); MOST + 1];

        assert!(removals(&Schema::users(), &Json::Array(ids[1..].to_vec())).is_ok());
        assert!(removals(&Schema::users(), &Json::Array(ids)).is_err());
    }
}

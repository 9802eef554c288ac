//! A question that somebody asks of a collection.

use serde_json::{Map, Value as Json, json};

/// What is asked for; what is not said has its default.
#[derive(Debug, Clone, Default)]
pub(super) struct Query {
    pub(super) fields: Option<Vec<String>>,
    pub(super) filter: Option<Json>,
    pub(super) search: Option<String>,
    pub(super) sort: Vec<String>,
    pub(super) limit: Option<usize>,
    pub(super) offset: usize,
    pub(super) has_meta: bool,
    /// An operation and its field.
    pub(super) aggregate: Vec<(&'static str, String)>,
    pub(super) group: Vec<String>,
    /// These alone, as after a write.
    pub(super) only: Option<Vec<String>>,
}

/// What comes back.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Outcome {
    pub(super) status: u16,
    /// The code of a refusal.
    pub(super) code: String,
    pub(super) data: Json,
    pub(super) meta: Json,
}

impl Outcome {
    pub(super) fn data(data: Json) -> Self {
        Self {
            status: 200,
            code: String::new(),
            data,
            meta: Json::Null,
        }
    }

    pub(super) fn done() -> Self {
        Self {
            status: 204,
            ..Self::data(Json::Null)
        }
    }

    pub(super) fn refused(status: u16, code: &str) -> Self {
        Self {
            status,
            code: code.to_owned(),
            ..Self::data(Json::Null)
        }
    }

    pub(super) fn forbidden() -> Self {
        Self::refused(403, "FORBIDDEN")
    }
}

impl Query {
    /// As the body of `SEARCH` has it.
    pub(super) fn json(&self) -> Json {
        let mut map = Map::new();
        let mut put = |name: &str, json: Json| map.insert(name.to_owned(), json);
        if let Some(fields) = &self.fields {
            put("fields", json!(fields));
        }
        if let Some(filter) = &self.filter {
            put("filter", filter.clone());
        }
        if let Some(search) = &self.search {
            put("search", json!(search));
        }
        if !self.sort.is_empty() {
            put("sort", json!(self.sort));
        }
        if let Some(limit) = self.limit {
            put("limit", json!(limit));
        }
        if self.offset > 0 {
            put("offset", json!(self.offset));
        }
        if self.has_meta {
            put("meta", json!(["total_count", "filter_count"]));
        }
        if !self.group.is_empty() {
            put("groupBy", json!(self.group));
        }
        if !self.aggregate.is_empty() {
            let mut operations: Map<String, Json> = Map::new();
            for (operation, field) in &self.aggregate {
                let fields = operations.entry(*operation).or_insert_with(|| json!([]));
                fields.as_array_mut().expect("a list").push(json!(field));
            }
            put("aggregate", Json::Object(operations));
        }
        Json::Object(map)
    }

    /// As an address has it.
    pub(super) fn parameters(&self) -> Vec<(String, String)> {
        let Json::Object(map) = self.json() else {
            return Vec::new();
        };
        map.into_iter()
            .map(|(name, json)| match json {
                Json::String(text) => (name, text),
                Json::Array(items) => {
                    let texts: Vec<&str> = items.iter().filter_map(Json::as_str).collect();
                    (name, texts.join(","))
                }
                other => (name, other.to_string()),
            })
            .collect()
    }
}

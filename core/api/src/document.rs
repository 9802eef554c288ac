//! The OpenAPI document: what the resources say about themselves, completed from the live schema.

use std::collections::HashMap;

use poem::endpoint::BoxEndpoint;
use poem::http::Method;
use poem_openapi::registry::{MetaApi, Registry};
use poem_openapi::{OpenApi, OpenApiService, Tags};
use roster_domain::{Code, Model};
use serde_json::{Value as Json, json};

use crate::collections::SEARCHED;
use crate::{Resources, parameters, record};

/// How operations are grouped.
#[derive(Tags)]
pub(crate) enum Tag {
    /// The records of the users collection.
    Users,
    /// Roles, policies, what attaches them, and permissions.
    Access,
    /// The fields of records, and how they lead to one another.
    Fields,
    /// What happened, and what records have become.
    Activity,
    /// Pictures of users.
    Files,
    /// Small helpers.
    Utilities,
    /// Logins, tokens and sessions.
    Authentication,
    /// Sessions, second factors and tokens of users.
    Accounts,
    /// What administrators say about the project.
    Settings,
    /// How the server is and what it can do.
    Server,
}

/// The document of an API that serves these fields at this address.
pub fn document(model: &Model, url: &str) -> Json {
    let service = OpenApiService::new(Outline, "Roster", env!("CARGO_PKG_VERSION"))
        .description(
            "A users platform: users, logins and what users may do. Answers are \
             `{\"data\": …}`, refusals `{\"errors\": […]}`.",
        )
        .server(url);
    // The framework writes what it has just made, so this is always JSON.
    let mut document: Json = serde_json::from_str(&service.spec()).unwrap_or_default();

    // The framework writes 3.0.0; the last revision of 3.0 only words the same format better.
    document["openapi"] = "3.0.3".into();
    for operation in operations(&mut document) {
        if let Some(Json::Array(parameters)) = operation.get_mut("parameters") {
            parameters::expand(parameters);
        }
    }
    let components = &mut document["components"];
    components["parameters"] = parameters::components();
    for (collection, name, says) in record::NAMED {
        if let Some(schema) = model.schema(*collection) {
            components["schemas"][*name] = record::schema_of(schema, says);
        }
    }
    describe_search(&mut document);
    describe_codes(&mut document["components"]["schemas"]["ErrorExtensions"]);
    document
}

/// OpenAPI 3.0 knows no method `SEARCH`: it is described beside the others, as an extension.
fn describe_search(document: &mut Json) {
    for (path, collection) in SEARCHED {
        let list = &document["paths"][path]["get"];
        let (responses, security) = (list["responses"].clone(), list["security"].clone());
        let tags = list["tags"].clone();
        let name = collection.table();
        let (first, rest) = name.split_at(1);
        document["paths"][path]["x-search"] = json!({
            "summary": format!("Search {name}"),
            "description": "Like the list, with the parameters in the body: `{\"query\": {…}}`.",
            "tags": tags,
            "operationId": format!("search{}{rest}", first.to_uppercase()),
            "requestBody": {"content": {"application/json": {"schema": {
                "type": "object",
                "properties": {
                    "query": {"type": "object", "additionalProperties": true},
                    "keys": {"type": "array", "items": {}},
                },
            }}}},
            "responses": responses,
            "security": security,
        });
    }
}

fn operations(document: &mut Json) -> impl Iterator<Item = &mut Json> {
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    paths
        .filter_map(|(_, path)| path.as_object_mut())
        .flatten()
        .map(|(_, operation)| operation)
}

fn describe_codes(extensions: &mut Json) {
    let codes: Vec<_> = Code::ALL
        .iter()
        .map(|code| format!("`{}`", code.as_str()))
        .collect();
    let description = format!(
        "What kind of problem it is: {}, or a code of a plugin.",
        codes.join(", ")
    );
    extensions["properties"]["code"] = json!({"type": "string", "description": description});
}

/// The resources as the document sees them, without an engine behind.
struct Outline;

impl OpenApi for Outline {
    fn meta() -> Vec<MetaApi> {
        Resources::meta()
    }

    fn register(registry: &mut Registry) {
        Resources::register(registry);
    }

    fn add_routes(self, _: &mut HashMap<String, HashMap<Method, BoxEndpoint<'static>>>) {}
}

#[cfg(test)]
mod tests;

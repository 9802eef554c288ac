//! The OpenAPI document: what the resources say about themselves, completed from the live schema.

use std::collections::HashMap;

use poem::endpoint::BoxEndpoint;
use poem::http::Method;
use poem_openapi::registry::{MetaApi, Registry};
use poem_openapi::{OpenApi, OpenApiService, Tags};
use roster_domain::{Code, Schema};
use serde_json::{Value as Json, json};

use crate::{Resources, parameters, record};

/// How operations are grouped.
#[derive(Tags)]
pub(crate) enum Tag {
    /// The records of the users collection.
    Users,
    /// Logins, tokens and sessions.
    Authentication,
    /// What administrators say about the project.
    Settings,
    /// How the server is and what it can do.
    Server,
}

/// The document of an API that serves this schema at this address.
pub fn document(schema: &Schema, url: &str) -> Json {
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
    components["schemas"][record::USERS] = record::schema_of(
        schema,
        "A user. Which fields are there depends on what was asked for and on the caller's rights.",
    );
    components["schemas"][record::SETTINGS] =
        record::schema_of(&Schema::settings(), "The settings of the project.");
    describe_search(&mut document);
    describe_codes(&mut document["components"]["schemas"]["ErrorExtensions"]);
    document
}

/// OpenAPI 3.0 knows no method `SEARCH`: it is described beside the others, as an extension.
fn describe_search(document: &mut Json) {
    let list = &document["paths"]["/users"]["get"];
    let (responses, security) = (list["responses"].clone(), list["security"].clone());
    document["paths"]["/users"]["x-search"] = json!({
        "summary": "Search users",
        "description": "Like the list, with the parameters in the body: `{\"query\": {…}}`.",
        "tags": ["Users"],
        "operationId": "searchUsers",
        "requestBody": {"content": {"application/json": {"schema": {
            "type": "object",
            "properties": {"query": {"type": "object", "additionalProperties": true}},
        }}}},
        "responses": responses,
        "security": security,
    });
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

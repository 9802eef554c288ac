use std::collections::{HashMap, HashSet};

use super::*;

const URL: &str = "https://users.example.com";

fn made() -> Json {
    document(&Model::built_in(), URL)
}

/// `GET /users` and its like, with the operation.
fn all(document: &Json) -> HashMap<String, &Json> {
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap();
        methods
            .iter()
            .map(move |(method, op)| (format!("{} {path}", method.to_uppercase()), op))
    });
    operations.collect()
}

fn references<'a>(json: &'a Json, found: &mut Vec<&'a str>) {
    match json {
        Json::Object(map) => {
            found.extend(map.get("$ref").and_then(Json::as_str));
            map.values().for_each(|json| references(json, found));
        }
        Json::Array(list) => list.iter().for_each(|json| references(json, found)),
        _ => {}
    }
}

/// Every operation of the document. A longer list is a larger API: review it as one.
const OPERATIONS: [&str; 129] = [
    "DELETE /access",
    "DELETE /access/{id}",
    "DELETE /fields/{collection}/{field}",
    "DELETE /files",
    "DELETE /files/{id}",
    "DELETE /permissions",
    "DELETE /permissions/{id}",
    "DELETE /policies",
    "DELETE /policies/{id}",
    "DELETE /relations/{collection}/{field}",
    "DELETE /roles",
    "DELETE /roles/{id}",
    "DELETE /users",
    "DELETE /users/me/sessions",
    "DELETE /users/me/sessions/{id}",
    "DELETE /users/me/tokens/{id}",
    "DELETE /users/{id}",
    "DELETE /users/{id}/invite",
    "DELETE /users/{id}/sessions",
    "DELETE /users/{id}/sessions/{session}",
    "DELETE /users/{id}/tokens/{token}",
    "GET /access",
    "GET /access/{id}",
    "GET /activity",
    "GET /activity/{id}",
    "GET /assets/{id}",
    "GET /auth",
    "GET /auth/login/{provider}",
    "GET /auth/login/{provider}/callback",
    "GET /collections",
    "GET /collections/{collection}",
    "GET /fields",
    "GET /fields/{collection}",
    "GET /fields/{collection}/{field}",
    "GET /files",
    "GET /files/{id}",
    "GET /metrics",
    "GET /permissions",
    "GET /permissions/me",
    "GET /permissions/me/{collection}",
    "GET /permissions/me/{collection}/{id}",
    "GET /permissions/{id}",
    "GET /policies",
    "GET /policies/me/globals",
    "GET /policies/{id}",
    "GET /relations",
    "GET /relations/{collection}",
    "GET /relations/{collection}/{field}",
    "GET /revisions",
    "GET /revisions/{id}",
    "GET /roles",
    "GET /roles/me",
    "GET /roles/{id}",
    "GET /server/health",
    "GET /server/info",
    "GET /server/outbox",
    "GET /server/ping",
    "GET /server/plugins",
    "GET /server/specs/oas",
    "GET /settings",
    "GET /users",
    "GET /users/me",
    "GET /users/me/sessions",
    "GET /users/me/tokens",
    "GET /users/register/verify-email",
    "GET /users/{id}",
    "GET /users/{id}/sessions",
    "GET /users/{id}/tokens",
    "GET /utils/random/string",
    "PATCH /access",
    "PATCH /access/{id}",
    "PATCH /fields/{collection}",
    "PATCH /fields/{collection}/{field}",
    "PATCH /files",
    "PATCH /files/{id}",
    "PATCH /permissions",
    "PATCH /permissions/{id}",
    "PATCH /policies",
    "PATCH /policies/{id}",
    "PATCH /relations/{collection}/{field}",
    "PATCH /roles",
    "PATCH /roles/{id}",
    "PATCH /settings",
    "PATCH /users",
    "PATCH /users/me",
    "PATCH /users/me/track/page",
    "PATCH /users/{id}",
    "POST /access",
    "POST /auth/login",
    "POST /auth/login/{provider}",
    "POST /auth/login/{provider}/callback",
    "POST /auth/logout",
    "POST /auth/password/request",
    "POST /auth/password/reset",
    "POST /auth/refresh",
    "POST /fields/{collection}",
    "POST /files",
    "POST /permissions",
    "POST /permissions/explain",
    "POST /permissions/simulate",
    "POST /policies",
    "POST /policies/{id}/preset",
    "POST /relations",
    "POST /roles",
    "POST /server/outbox/replay",
    "POST /server/outbox/retry",
    "POST /server/plugins/reload",
    "POST /users",
    "POST /users/invite",
    "POST /users/invite/accept",
    "POST /users/me/tfa/disable",
    "POST /users/me/tfa/enable",
    "POST /users/me/tfa/generate",
    "POST /users/me/tfa/recovery-codes",
    "POST /users/me/tokens",
    "POST /users/register",
    "POST /users/{id}/impersonate",
    "POST /users/{id}/tfa/disable",
    "POST /utils/hash/generate",
    "POST /utils/hash/verify",
    "POST /utils/import/{collection}",
    "X-SEARCH /access",
    "X-SEARCH /activity",
    "X-SEARCH /files",
    "X-SEARCH /permissions",
    "X-SEARCH /policies",
    "X-SEARCH /revisions",
    "X-SEARCH /roles",
    "X-SEARCH /users",
];

#[test]
fn it_names_itself_its_server_and_its_routes() {
    let document = made();

    assert_eq!(document["openapi"], "3.0.3");
    assert_eq!(document["info"]["title"], "Roster");
    assert_eq!(document["servers"], json!([{"url": URL}]));
    let mut operations: Vec<_> = all(&document).into_keys().collect();
    operations.sort_unstable();
    assert_eq!(operations, OPERATIONS);
}

#[test]
fn operations_have_ids_of_their_own() {
    let document = made();
    let mut seen = HashSet::new();

    for (name, operation) in all(&document) {
        let id = operation["operationId"]
            .as_str()
            .unwrap_or_else(|| panic!("{name} has no id"));
        assert!(seen.insert(id), "{id} is there twice");
        assert!(operation["summary"].is_string(), "{name} has no summary");
        assert_eq!(
            operation["tags"].as_array().map(Vec::len),
            Some(1),
            "{name}"
        );
    }
}

#[test]
fn operations_say_what_they_answer() {
    let document = made();

    for (name, operation) in all(&document) {
        let responses = operation["responses"].as_object().unwrap();
        let success = ["200", "204", "302"]
            .into_iter()
            .find(|status| responses.contains_key(*status));
        assert!(success.is_some(), "{name} has no success");
        for range in ["4XX", "5XX"] {
            let schema = &responses[range]["content"]["application/json"]["schema"]["$ref"];
            assert_eq!(schema, "#/components/schemas/Errors", "{name} {range}");
        }
        for (status, response) in responses {
            let has_body = response["content"]
                .as_object()
                .is_some_and(|content| !content.is_empty());
            let is_empty = ["204", "302", "303", "304"].contains(&status.as_str());
            assert_eq!(has_body, !is_empty, "{name} {status}");
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = made();
    let mut found = Vec::new();
    references(&document, &mut found);

    assert!(found.contains(&"#/components/schemas/Users"));
    for reference in found {
        let target = document.pointer(reference.trim_start_matches('#'));
        assert!(
            target.is_some_and(|target| !target.is_null()),
            "{reference}"
        );
    }
}

#[test]
fn nothing_is_there_without_a_value() {
    fn has_null(json: &Json) -> bool {
        match json {
            Json::Null => true,
            Json::Object(map) => map.values().any(has_null),
            Json::Array(list) => list.iter().any(has_null),
            _ => false,
        }
    }

    assert!(!has_null(&made()));
}

#[test]
fn lists_and_records_take_their_parameters() {
    let document = made();
    let operations = all(&document);
    let names = |operation: &str| -> Vec<String> {
        let parameters = operations[operation]["parameters"].as_array().unwrap();
        let name = |parameter: &Json| {
            let name = parameter["$ref"]
                .as_str()
                .or(parameter["name"].as_str())
                .unwrap();
            name.trim_start_matches("#/components/parameters/")
                .to_owned()
        };
        parameters.iter().map(name).collect()
    };

    assert_eq!(
        names("GET /users"),
        [
            "Fields",
            "Filter",
            "Search",
            "Sort",
            "Limit",
            "Offset",
            "Page",
            "Meta",
            "Aggregate",
            "GroupBy",
            "Alias",
            "Deep",
            "Export"
        ]
    );
    let single = ["Fields", "Filter", "Alias", "Deep"];
    assert_eq!(names("POST /users"), single);
    assert_eq!(
        names("PATCH /users/{id}"),
        ["Fields", "Filter", "Alias", "Deep", "id"]
    );
    assert_eq!(names("DELETE /users/{id}"), ["id"]);
}

#[test]
fn operations_say_whether_they_need_a_token() {
    let document = made();

    let open = [
        "GET /policies/me/globals",
        "GET /assets/{id}",
        "POST /users/invite/accept",
        "POST /users/register",
        "GET /users/register/verify-email",
    ];
    for (name, operation) in all(&document) {
        let expected = match operation["tags"][0].as_str().unwrap() {
            _ if name.ends_with("/ping") || name.ends_with("/metrics") => json!(null),
            _ if name.contains("/server/outbox") || name.contains("/server/plugins") => {
                json!([{"bearer": []}])
            }
            _ if open.contains(&name.as_str()) => json!([{"bearer": []}, {}]),
            "Authentication" | "Server" => json!([{"bearer": []}, {}]),
            _ => json!([{"bearer": []}]),
        };
        assert_eq!(operation["security"], expected, "{name}");
    }
    assert_eq!(
        document["components"]["securitySchemes"]["bearer"]["scheme"],
        "bearer"
    );
}

use roster_tests::{ADMIN, Client, PASSWORD, TestServer};
use serde_json::{Value as Json, json};

fn text(value: &Json) -> String {
    value.as_str().expect("text").to_owned()
}

/// A policy with these permissions on users, attached to a user; gives its id and its attachment.
async fn attach(admin: &Client, user: &str, policy: Json, rules: &[Json]) -> (String, String) {
    let policy = text(&admin.post("/policies", policy).await.data()["id"]);
    for rule in rules {
        let mut rule = rule.clone();
        rule["policy"] = policy.clone().into();
        rule["collection"] = "directus_users".into();
        admin.post("/permissions", rule).await.data();
    }
    let access = json!({ "policy": policy, "user": user });
    let access = text(&admin.post("/access", access).await.data()["id"]);
    (policy, access)
}

async fn narrowed(server: &TestServer, owner: &Client, policies: &[&str]) -> Client {
    let body = json!({ "name": "narrowed", "policies": policies });
    let made = owner.post("/users/me/tokens", body).await.data();
    assert_eq!(made["policies"], json!(policies));
    server.bearer(text(&made["token"]))
}

fn reads() -> Json {
    json!({ "action": "read", "fields": ["id", "email"] })
}

fn writes() -> Json {
    json!({ "action": "update", "fields": ["title"] })
}

struct Cast {
    server: TestServer,
    admin: Client,
    ada: Client,
    /// A policy to read users, and its attachment to Ada.
    read: (String, String),
}

/// Ada holds a policy to read users and one to write titles.
async fn started() -> Cast {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.member("ada").await);
    let read = attach(&admin, &ada.id, json!({ "name": "read" }), &[reads()]).await;
    attach(&admin, &ada.id, json!({ "name": "write" }), &[writes()]).await;
    Cast {
        server,
        admin,
        ada,
        read,
    }
}

#[tokio::test]
async fn a_token_has_the_policies_it_is_narrowed_to_and_no_others() {
    let Cast {
        server, ada, read, ..
    } = started().await;

    let token = narrowed(&server, &ada, &[&read.0]).await;

    let listed = token.get("/users?sort=email").await.data();
    assert_eq!(listed.as_array().map(Vec::len), Some(2));
    let title = json!({ "title": "Countess" });
    let path = format!("/users/{}", ada.id);
    assert_eq!(
        token.patch(&path, title.clone()).await.outcome(),
        "403 FORBIDDEN"
    );
    assert_eq!(ada.patch(&path, title).await.outcome(), "200");
    let rights = token.get("/permissions/me").await.data();
    assert_eq!(rights["directus_users"]["read"]["access"], "full");
    assert_eq!(rights["directus_users"]["update"]["access"], "none");
    let shown = ada.get("/users/me/tokens").await.data();
    assert_eq!(shown[0]["policies"], json!([read.0]));
    let whole = ada
        .post("/users/me/tokens", json!({ "name": "whole" }))
        .await
        .data();
    assert_eq!(whole["policies"], Json::Null);
}

#[tokio::test]
async fn policies_of_others_and_those_that_are_not_there_are_refused_alike() {
    let Cast {
        server, admin, ada, ..
    } = started().await;
    let bob = server.member("bob").await;
    let (foreign, _) = attach(&admin, &bob.id, json!({ "name": "foreign" }), &[reads()]).await;

    let mut answers = Vec::new();
    for policies in [
        json!([foreign]),
        json!(["0190b5f0-0000-7000-8000-000000000000"]),
        json!(["nonsense"]),
        json!([7]),
        json!([]),
        json!("all"),
    ] {
        let body = json!({ "name": "x", "policies": policies });
        let answer = ada.post("/users/me/tokens", body).await;
        assert_eq!(answer.outcome(), "400 INVALID_PAYLOAD", "{policies}");
        answers.push(answer.to_string());
    }

    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}

#[tokio::test]
async fn it_has_what_its_owner_holds_now() {
    let Cast {
        server,
        admin,
        ada,
        read: (policy, access),
    } = started().await;
    let token = narrowed(&server, &ada, &[&policy]).await;
    let may = async || token.get("/users").await.outcome();
    assert_eq!(may().await, "200");

    admin.delete(&format!("/access/{access}")).await.done();

    assert_eq!(may().await, "403 FORBIDDEN");
    // What the owner holds beside it does not come in its place.
    assert_eq!(token.get("/users/me").await.data(), json!({ "id": ada.id }));
    let again = json!({ "policy": policy, "user": ada.id });
    admin.post("/access", again).await.data();
    assert_eq!(may().await, "200");
    admin.delete(&format!("/policies/{policy}")).await.done();
    assert_eq!(may().await, "403 FORBIDDEN");
}

#[tokio::test]
async fn an_administrators_token_is_no_administrator() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let rules = [
        reads(),
        json!({ "action": "create", "fields": ["*"] }),
        json!({ "action": "update", "fields": ["*"] }),
    ];
    let (policy, _) = attach(&admin, &admin.id, json!({ "name": "some" }), &rules).await;
    let role = admin.get("/users/me").await.data()["role"].clone();

    let token = narrowed(&server, &admin, &[&policy]).await;

    for path in ["/policies", "/roles", "/server/plugins"] {
        assert_eq!(token.get(path).await.outcome(), "403 FORBIDDEN", "{path}");
    }
    let plain = json!({ "email": "eve@example.com", "password": PASSWORD });
    assert_eq!(token.post("/users", plain).await.status, 200);
    // Neither by a user with the owner's role, nor as the owner.
    let helper = json!({ "email": "ida@example.com", "password": PASSWORD, "role": role });
    assert_eq!(
        token.post("/users", helper).await.outcome(),
        "403 FORBIDDEN"
    );
    for means in [
        json!({ "token": "a-static-token-for-tests" }),
        json!({ "email": "other@example.com" }),
        json!({ "password": "another-password-9", "current_password": PASSWORD }),
        json!({ "status": "suspended" }),
    ] {
        for path in ["/users/me", &format!("/users/{}", admin.id)] {
            let answer = token.patch(path, means.clone()).await;
            assert_eq!(answer.outcome(), "403 FORBIDDEN", "{path} {means}");
        }
    }
    assert_eq!(server.login(ADMIN, PASSWORD).await.outcome(), "200");
}

#[tokio::test]
async fn what_belongs_to_users_whatever_their_policies_is_none_of_its() {
    let Cast {
        server, ada, read, ..
    } = started().await;
    let token = narrowed(&server, &ada, &[&read.0]).await;
    let password = json!({ "password": PASSWORD });

    for refused in [
        token.get("/users/me/sessions").await,
        token.delete("/users/me/sessions").await,
        token.get("/users/me/tokens").await,
        token
            .post("/users/me/tokens", json!({ "name": "more" }))
            .await,
        token.post("/users/me/tfa/generate", password).await,
        token
            .post("/users/me/tfa/disable", json!({ "otp": "123456" }))
            .await,
    ] {
        assert_eq!(refused.outcome(), "403 FORBIDDEN");
    }
    assert_eq!(ada.get("/users/me/sessions").await.status, 200);
}

#[tokio::test]
async fn leaving_a_policy_out_does_not_leave_out_what_it_asks_for() {
    let Cast {
        server,
        admin,
        ada,
        read,
    } = started().await;
    let token = narrowed(&server, &ada, &[&read.0]).await;
    assert_eq!(token.get("/users").await.outcome(), "200");

    let asks = json!({ "name": "careful", "enforce_tfa": true });
    attach(&admin, &ada.id, asks, &[]).await;

    assert_eq!(token.get("/users").await.outcome(), "403 FORBIDDEN");
}

#[tokio::test]
async fn a_file_that_it_takes_in_is_judged_by_what_it_is_narrowed_to() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let create = json!({ "action": "create", "fields": ["email"] });
    let (policy, _) = attach(&admin, &admin.id, json!({ "name": "some" }), &[create]).await;
    let token = narrowed(&server, &admin, &[&policy]).await;

    for file in [
        "email,title\nann@example.com,Countess\n",
        "email\nbob@example.com\n",
    ] {
        let (path, kind) = (
            "/utils/import/directus_users",
            [("content-type", "text/csv")],
        );
        let method = reqwest::Method::POST;
        token
            .send(method, path, &kind, file.as_bytes().to_vec())
            .await;
    }

    let made = admin
        .get("/users?fields=email,title&filter[email][_neq]=admin@example.com")
        .await;
    assert_eq!(
        made.data(),
        json!([{ "email": "bob@example.com", "title": null }])
    );
}

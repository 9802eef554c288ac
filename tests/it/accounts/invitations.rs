use roster_tests::{Answer, Client, PASSWORD, Postbox, Setup, TestServer};
use serde_json::{Value as Json, json};

async fn started() -> (TestServer, Postbox, Client, Json) {
    let postbox = Postbox::open().await;
    let server = Setup::new()
        .mails(&postbox)
        .set("auth.invite_urls", "https://app.example.com/accept")
        .start()
        .await;
    let admin = server.admin().await;
    let role = admin.get("/users/me").await.data()["role"].clone();
    (server, postbox, admin, role)
}

async fn accept(server: &TestServer, token: &str) -> Answer {
    let body = json!({ "token": token, "password": PASSWORD });
    server.stranger().post("/users/invite/accept", body).await
}

async fn user(admin: &Client, email: &str) -> Json {
    let found = admin
        .filter(json!({ "email": { "_eq": email } }))
        .await
        .data();
    found[0].clone()
}

#[tokio::test]
async fn those_who_accept_an_invitation_choose_their_password() {
    let (server, postbox, admin, role) = started().await;
    let body = json!({ "email": "eve@example.com", "role": role });
    admin.post("/users/invite", body).await.done();
    let invited = user(&admin, "eve@example.com").await;
    assert_eq!(
        (&invited["status"], &invited["role"]),
        (&json!("invited"), &role)
    );
    assert_eq!(invited["password"], Json::Null);
    let mail = postbox.nth("eve@example.com", 1).await;
    assert_eq!(mail.subject(), "You've been invited");
    assert_eq!(mail.link(), "http://127.0.0.1:8055/admin/accept-invite");
    let outcome = server.login("eve@example.com", PASSWORD).await.outcome();
    assert_eq!(outcome, "401 INVALID_CREDENTIALS");

    accept(&server, &mail.token()).await.done();

    assert_eq!(
        server.login("eve@example.com", PASSWORD).await.outcome(),
        "200"
    );
    assert_eq!(
        accept(&server, &mail.token()).await.outcome(),
        "400 INVALID_INVITE"
    );
}

#[tokio::test]
async fn those_who_are_invited_again_may_use_either_mail() {
    let (server, postbox, admin, role) = started().await;
    let body = json!({ "email": ["eve@example.com", "bob@example.com"], "role": role });
    admin.post("/users/invite", body).await.done();
    let again = json!({ "email": "EVE@example.com", "role": role });
    admin.post("/users/invite", again).await.done();
    let first = postbox.nth("eve@example.com", 1).await.token();
    let second = postbox.nth("eve@example.com", 2).await.token();

    accept(&server, &first).await.done();

    assert_eq!(
        accept(&server, &second).await.outcome(),
        "400 INVALID_INVITE"
    );
    accept(&server, &postbox.nth("bob@example.com", 1).await.token())
        .await
        .done();
}

#[tokio::test]
async fn an_invitation_is_revoked_by_administrators_or_by_another_status() {
    let (server, postbox, admin, role) = started().await;
    let body = json!({ "email": ["eve@example.com", "bob@example.com"], "role": role });
    admin.post("/users/invite", body).await.done();
    let (eve, bob) = (
        user(&admin, "eve@example.com").await,
        user(&admin, "bob@example.com").await,
    );
    let path = |user: &Json| format!("/users/{}", user["id"].as_str().expect("an id"));

    admin.delete(&format!("{}/invite", path(&eve))).await.done();
    admin
        .patch(&path(&bob), json!({ "status": "archived" }))
        .await
        .data();

    for email in ["eve@example.com", "bob@example.com"] {
        let token = postbox.nth(email, 1).await.token();
        assert_eq!(
            accept(&server, &token).await.outcome(),
            "400 INVALID_INVITE"
        );
    }
}

#[tokio::test]
async fn an_old_invitation_does_not_work_for_a_user_made_anew() {
    let (server, postbox, admin, role) = started().await;
    let body = json!({ "email": "eve@example.com", "role": role });
    admin.post("/users/invite", body.clone()).await.done();
    let old = postbox.nth("eve@example.com", 1).await.token();
    let eve = user(&admin, "eve@example.com").await;
    let path = format!("/users/{}", eve["id"].as_str().expect("an id"));
    admin.delete(&path).await.done();
    admin.post("/users/invite", body).await.done();

    assert_eq!(accept(&server, &old).await.outcome(), "400 INVALID_INVITE");
    accept(&server, &postbox.nth("eve@example.com", 2).await.token())
        .await
        .done();
}

#[tokio::test]
async fn those_who_may_not_make_users_learn_nothing_from_inviting() {
    let (server, postbox, _, role) = started().await;
    let ada = server.member("ada").await;

    for client in [&ada, &server.stranger()] {
        for (email, url) in [
            ("admin@example.com", None),
            ("nobody@example.com", None),
            ("nonsense", None),
            ("admin@example.com", Some("https://evil.example/")),
        ] {
            let body = json!({ "email": email, "role": role, "invite_url": url });
            let answer = client.post("/users/invite", body).await;
            assert_eq!(answer.outcome(), "403 FORBIDDEN", "{email}");
        }
    }

    assert!(postbox.all().is_empty());
}

#[tokio::test]
async fn a_page_that_is_not_listed_is_refused_whoever_is_invited() {
    let (_server, postbox, admin, role) = started().await;
    let invite = async |url: &str| {
        let body = json!({ "email": "eve@example.com", "role": role, "invite_url": url });
        admin.post("/users/invite", body).await
    };
    invite("https://app.example.com/accept").await.done();
    let mail = postbox.nth("eve@example.com", 1).await;
    assert_eq!(mail.link(), "https://app.example.com/accept");

    // Also for somebody who is invited already, with the same role.
    assert_eq!(
        invite("https://evil.example/accept").await.outcome(),
        "400 INVALID_PAYLOAD"
    );

    assert_eq!(postbox.all().len(), 1);
}

#[tokio::test]
async fn what_is_wrong_with_an_invitation_is_said_at_once() {
    let (_server, _postbox, admin, role) = started().await;
    let unknown = uuid::Uuid::from_u128(7);

    for (body, outcome) in [
        (json!({ "email": "eve@example.com" }), "400 INVALID_PAYLOAD"),
        (json!({ "role": role }), "400 INVALID_PAYLOAD"),
        (
            json!({ "email": "nonsense", "role": role }),
            "400 INVALID_PAYLOAD",
        ),
        (
            json!({ "email": ["a@example.com", 1], "role": role }),
            "400 INVALID_PAYLOAD",
        ),
        (
            json!({ "email": "eve@example.com", "role": "x" }),
            "400 INVALID_PAYLOAD",
        ),
        (
            json!({ "email": "eve@example.com", "role": role, "status": "active" }),
            "400 INVALID_PAYLOAD",
        ),
        (
            json!({ "email": "eve@example.com", "role": unknown }),
            "400 INVALID_FOREIGN_KEY",
        ),
    ] {
        let answer = admin.post("/users/invite", body.clone()).await;
        assert_eq!(answer.outcome(), outcome, "{body}");
    }
}

#[tokio::test]
async fn those_who_are_there_already_are_let_be() {
    let (server, postbox, admin, role) = started().await;
    let ada = server.member("ada").await;

    let body = json!({ "email": ada.email, "role": role });
    admin.post("/users/invite", body).await.done();

    let found = user(&admin, &ada.email).await;
    assert_eq!(
        (&found["status"], &found["role"]),
        (&json!("active"), &Json::Null)
    );
    server.settled().await;
    assert!(postbox.all().is_empty());
}

#[tokio::test]
async fn an_invitation_carries_the_fields_that_the_operator_allows() {
    let postbox = Postbox::open().await;
    let server = Setup::new()
        .mails(&postbox)
        .set("users.register_fields", "team")
        .start()
        .await;
    let admin = server.admin().await;
    let role = admin.get("/users/me").await.data()["role"].clone();
    for field in ["team", "rank"] {
        let field = json!({ "field": field, "type": "string" });
        admin.post("/fields/users", field).await.data();
    }
    let mut body = json!({ "email": ["eve@example.com", "ada@example.com"], "role": role, "first_name": "New", "team": "red" });

    admin.post("/users/invite", body.clone()).await.done();
    for field in ["rank", "status", "token"] {
        body[field] = json!("x");
        let refused = admin.post("/users/invite", body.clone()).await;
        assert_eq!(refused.outcome(), "400 INVALID_PAYLOAD");
        assert!(refused.text.contains(field), "{}", refused.text);
    }

    for email in ["eve@example.com", "ada@example.com"] {
        let invited = user(&admin, email).await;
        assert_eq!(
            (&invited["team"], &invited["first_name"]),
            (&json!("red"), &json!("New"))
        );
    }
}

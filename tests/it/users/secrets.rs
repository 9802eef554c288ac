use insta::assert_snapshot;
use roster_tests::{PASSWORD, TestServer};
use serde_json::{Value as Json, json};

const TOKEN: &str = "a-static-token-for-tests";

#[tokio::test]
async fn secrets_are_masked_for_everybody() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    let path = "/users/me?fields=password,token,tfa_secret";
    let before = admin.get(path).await;
    let after = admin.patch(path, json!({ "token": TOKEN })).await;

    assert_snapshot!(before, @r#"
    200
    {"data":{"password":"**********","tfa_secret":null,"token":null}}
    "#);
    assert_snapshot!(after, @r#"
    200
    {"data":{"password":"**********","tfa_secret":null,"token":"**********"}}
    "#);
}

#[tokio::test]
async fn a_mask_that_comes_back_changes_nothing() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    admin
        .patch("/users/me", json!({ "token": TOKEN }))
        .await
        .data();
    let mut masked = admin.get("/users/me?fields=password,token").await.data();

    masked["title"] = "CTO".into();
    let answer = admin
        .patch("/users/me?fields=title,password,token", masked)
        .await;

    assert_snapshot!(answer, @r#"
    200
    {"data":{"password":"**********","title":"CTO","token":"**********"}}
    "#);
    assert_eq!(server.login(&admin.email, PASSWORD).await.outcome(), "200");
    assert_eq!(server.bearer(TOKEN).get("/users/me").await.outcome(), "200");
}

#[tokio::test]
async fn no_parameter_gets_at_a_secret() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let refused = async |filter: Json| admin.filter(filter).await;

    for field in ["password", "token", "tfa_secret"] {
        assert_eq!(
            admin.get(&format!("/users?sort={field}")).await.outcome(),
            "400 INVALID_QUERY"
        );
        for operator in [
            "_eq",
            "_neq",
            "_contains",
            "_starts_with",
            "_in",
            "_gt",
            "_between",
        ] {
            let answer = refused(json!({ field: { operator: "$argon2id$" } })).await;
            assert_eq!(answer.outcome(), "400 INVALID_QUERY", "{field} {operator}");
        }
    }
    assert_snapshot!(refused(json!({ "password": { "_starts_with": "$" } })).await, @r#"
    400
    {"errors":[{"message":"Invalid query. Field with \"conceal\" special does not allow the \"_starts_with\" filter operator.","extensions":{"reason":"Field with \"conceal\" special does not allow the \"_starts_with\" filter operator","code":"INVALID_QUERY"}}]}
    "#);
}

#[tokio::test]
async fn only_whether_there_is_a_secret_can_be_asked() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    admin
        .post("/users", json!({ "first_name": "without" }))
        .await
        .data();
    let count = async |filter: Json| admin.filter(filter).await.data().as_array().map(Vec::len);

    assert_eq!(
        count(json!({ "password": { "_null": true } })).await,
        Some(1)
    );
    assert_eq!(
        count(json!({ "password": { "_nnull": true } })).await,
        Some(1)
    );
    assert_eq!(
        count(json!({ "password": { "_empty": true } })).await,
        Some(1)
    );
    assert_eq!(
        count(json!({ "token": { "_nempty": true } })).await,
        Some(0)
    );
}

#[tokio::test]
async fn passwords_that_are_not_fit_are_refused_without_being_repeated() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let make = async |password: &str| {
        admin
            .post(
                "/users",
                json!({ "email": "ada@example.com", "password": password }),
            )
            .await
    };

    assert_snapshot!(make("secret7").await, @r#"
    400
    {"errors":[{"message":"Validation failed for field \"password\". Value has to have at least 8 characters.","extensions":{"field":"password","path":[],"type":"regex","code":"FAILED_VALIDATION"}}]}
    "#);
    assert_snapshot!(make("Ada@example.com").await, @r#"
    400
    {"errors":[{"message":"Validation failed for field \"password\". Value can't be the e-mail address.","extensions":{"field":"password","path":[],"type":"regex","code":"FAILED_VALIDATION"}}]}
    "#);
    assert_snapshot!(make(&"x".repeat(1_025)).await, @r#"
    400
    {"errors":[{"message":"Validation failed for field \"password\". Value can't have more than 1024 characters.","extensions":{"field":"password","path":[],"type":"regex","code":"FAILED_VALIDATION"}}]}
    "#);
    assert_eq!(make("").await.outcome(), "400 FAILED_VALIDATION");
    assert_eq!(make("ünïcödé").await.outcome(), "400 FAILED_VALIDATION");
    assert_eq!(make("ünïcödés").await.outcome(), "200");
}

#[tokio::test]
async fn a_password_is_what_was_sent_and_nothing_else() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let password = format!(" {}Ä ", "x".repeat(80));
    let body = json!({ "email": "ada@example.com", "password": password });
    admin.post("/users", body).await.data();

    assert_eq!(
        server.login("ada@example.com", &password).await.outcome(),
        "200"
    );
    for other in [
        password.trim().to_owned(),
        password.to_lowercase(),
        password.chars().take(73).collect(),
        format!("{password}\0"),
        password.replace('Ä', "A\u{308}"),
    ] {
        let answer = server.login("ada@example.com", &other).await;
        assert_eq!(answer.outcome(), "401 INVALID_CREDENTIALS", "{other:?}");
    }
}

#[tokio::test]
async fn static_tokens_are_long_plain_and_unique() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let set = async |token: &str| admin.post("/users", json!({ "token": token })).await;

    assert_snapshot!(set("short").await, @r#"
    400
    {"errors":[{"message":"Validation failed for field \"token\". Value has to have 16 to 255 characters of ASCII without blanks.","extensions":{"field":"token","min_length":16,"path":[],"type":"regex","code":"FAILED_VALIDATION"}}]}
    "#);
    assert_eq!(
        set("a token with blanks in it").await.outcome(),
        "400 FAILED_VALIDATION"
    );
    assert_eq!(set(&"x".repeat(256)).await.status, 400);
    assert_eq!(set(TOKEN).await.outcome(), "200");
    assert_snapshot!(set(TOKEN).await, @r#"
    400
    {"errors":[{"message":"Value for field \"token\" in collection \"directus_users\" has to be unique.","extensions":{"collection":"directus_users","field":"token","value":null,"code":"RECORD_NOT_UNIQUE"}}]}
    "#);
}

#[tokio::test]
async fn the_second_factor_is_not_set_when_a_user_is_made() {
    let server = TestServer::start().await;
    let admin = server.admin().await;

    let answer = admin
        .post("/users", json!({ "tfa_secret": "JBSWY3DPEHPK3PXP" }))
        .await;

    assert_snapshot!(answer, @r#"
    400
    {"errors":[{"message":"Invalid payload. You can't change the \"tfa_secret\" value manually.","extensions":{"reason":"You can't change the \"tfa_secret\" value manually","code":"INVALID_PAYLOAD"}}]}
    "#);
}

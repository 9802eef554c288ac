use reqwest::Method;
use roster_tests::{ADMIN, Answer, PASSWORD, Setup, Site, TestServer};
use serde_json::{Value as Json, json};

const REFRESH: &str = "roster_refresh_token";
const SESSION: &str = "roster_session_token";

async fn login(site: &Site, mode: &str) -> Answer {
    let body = json!({ "email": ADMIN, "password": PASSWORD, "mode": mode });
    site.stranger().post("/auth/login", body).await
}

/// The value and the attributes of a cookie that was set.
fn cookie(answer: &Answer, name: &str) -> (String, String) {
    let lines = answer.headers.get_all("set-cookie").iter();
    let mut lines = lines.map(|line| line.to_str().expect("text"));
    let line = lines.find(|line| line.starts_with(name)).expect("a cookie");
    let (pair, attributes) = line.split_once("; ").expect("attributes");
    let value = pair.split_once('=').expect("a value").1;
    (value.to_owned(), attributes.to_owned())
}

async fn with(
    site: &Site,
    method: Method,
    path: &str,
    cookies: &str,
    further: &[(&str, &str)],
    body: Json,
) -> Answer {
    let mut headers = vec![("cookie", cookies), ("content-type", "application/json")];
    headers.extend(further);
    let body = match method {
        Method::GET => Vec::new(),
        _ => body.to_string().into_bytes(),
    };
    site.stranger().send(method, path, &headers, body).await
}

async fn me(site: &Site, session: &str) -> Answer {
    let cookies = format!("{SESSION}={session}");
    with(site, Method::GET, "/users/me", &cookies, &[], json!({})).await
}

#[tokio::test]
async fn in_mode_cookie_the_refresh_token_is_in_a_cookie_alone() {
    let server = TestServer::start().await;

    let answer = login(&server, "cookie").await;

    let (value, attributes) = cookie(&answer, REFRESH);
    assert_eq!(value.len(), 75);
    assert_eq!(attributes, "Path=/; HttpOnly; Max-Age=604800; SameSite=Lax");
    let data = answer.data();
    let mut keys: Vec<&String> = data.as_object().expect("an object").keys().collect();
    keys.sort();
    assert_eq!(keys, ["access_token", "expires"]);
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[tokio::test]
async fn in_mode_cookie_a_refresh_takes_and_gives_a_cookie() {
    let server = Setup::new().set("auth.refresh_grace", "0s").start().await;
    let (old, _) = cookie(&login(&server, "cookie").await, REFRESH);
    let refresh = async |value: &str| {
        let cookies = format!("{REFRESH}={value}");
        let body = json!({ "mode": "cookie" });
        with(&server, Method::POST, "/auth/refresh", &cookies, &[], body).await
    };

    let answer = refresh(&old).await;

    let (new, _) = cookie(&answer, REFRESH);
    assert_ne!(new, old);
    assert!(answer.data()["refresh_token"].is_null());
    assert_eq!(refresh(&old).await.outcome(), "401 INVALID_CREDENTIALS");
    // The reuse has ended the session.
    assert_eq!(refresh(&new).await.outcome(), "401 INVALID_CREDENTIALS");
}

#[tokio::test]
async fn a_session_cookie_is_a_credential_until_it_is_logged_out() {
    let server = TestServer::start().await;
    let answer = login(&server, "session").await;
    let (session, attributes) = cookie(&answer, SESSION);
    assert_eq!(attributes, "Path=/; HttpOnly; Max-Age=86400; SameSite=Lax");
    assert_eq!(answer.data(), json!({ "expires": 86_400_000 }));
    assert_eq!(me(&server, &session).await.outcome(), "200");
    let cookies = format!("{SESSION}={session}");
    let body = json!({ "mode": "session" });

    let refreshed = with(
        &server,
        Method::POST,
        "/auth/refresh",
        &cookies,
        &[],
        body.clone(),
    )
    .await;
    let (next, _) = cookie(&refreshed, SESSION);
    assert_ne!(next, session);
    assert_eq!(me(&server, &next).await.outcome(), "200");
    let cookies = format!("{SESSION}={next}");
    let out = with(&server, Method::POST, "/auth/logout", &cookies, &[], body).await;
    out.done();
    assert_eq!(
        cookie(&out, SESSION),
        (
            String::new(),
            "Path=/; HttpOnly; Max-Age=0; SameSite=Lax".to_owned()
        )
    );
    let late = me(&server, &next).await;
    assert_eq!(late.outcome(), "401 INVALID_CREDENTIALS");
    assert_eq!(cookie(&late, SESSION).0, "");
    assert_eq!(
        me(&server, &session).await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
}

#[tokio::test]
async fn a_session_cookie_that_was_replaced_ends_its_session_when_it_is_refreshed_again() {
    let server = Setup::new().set("auth.refresh_grace", "0s").start().await;
    let (old, _) = cookie(&login(&server, "session").await, SESSION);
    let refresh = async |value: &str| {
        let cookies = format!("{SESSION}={value}");
        let body = json!({ "mode": "session" });
        with(&server, Method::POST, "/auth/refresh", &cookies, &[], body).await
    };
    let (new, _) = cookie(&refresh(&old).await, SESSION);

    assert_eq!(refresh(&old).await.outcome(), "401 INVALID_CREDENTIALS");

    assert_eq!(me(&server, &new).await.outcome(), "401 INVALID_CREDENTIALS");
    let reuse = "action = 'refresh_reuse' AND outcome = 'failure'";
    assert_eq!(server.database().count("activity", reuse).await, 1);
}

#[tokio::test]
async fn a_session_cookie_that_was_replaced_is_void_after_the_grace_period() {
    for (grace, outcome) in [("0s", "401 INVALID_CREDENTIALS"), ("1h", "200")] {
        let server = Setup::new().set("auth.refresh_grace", grace).start().await;
        let (old, _) = cookie(&login(&server, "session").await, SESSION);
        let cookies = format!("{SESSION}={old}");
        let body = json!({ "mode": "session" });
        let answer = with(&server, Method::POST, "/auth/refresh", &cookies, &[], body).await;
        let (new, _) = cookie(&answer, SESSION);

        assert_eq!(me(&server, &old).await.outcome(), outcome, "{grace}");
        assert_eq!(me(&server, &new).await.outcome(), "200");
    }
}

#[tokio::test]
async fn pages_of_others_do_not_act_with_cookies() {
    let server = Setup::new()
        .set("server.cors_origins", "https://app.example.com")
        .start()
        .await;
    let (session, _) = cookie(&login(&server, "session").await, SESSION);
    let cookies = format!("{SESSION}={session}");
    let rename = async |further: &[(&str, &str)]| {
        let body = json!({ "title": "changed" });
        with(&server, Method::PATCH, "/users/me", &cookies, further, body).await
    };

    for evil in [
        [
            ("origin", "https://evil.example"),
            ("sec-fetch-site", "cross-site"),
        ],
        [("origin", "null"), ("sec-fetch-site", "cross-site")],
    ] {
        assert_eq!(rename(&evil).await.outcome(), "403 FORBIDDEN");
    }
    assert_eq!(
        server.database().count("users", "title = 'changed'").await,
        0
    );
    for path in ["/auth/refresh", "/auth/logout", "/auth/login"] {
        let evil = [("origin", "https://evil.example")];
        let body = json!({ "mode": "session", "email": ADMIN, "password": PASSWORD });
        let answer = with(&server, Method::POST, path, &cookies, &evil, body).await;
        assert_eq!(answer.outcome(), "403 FORBIDDEN", "{path}");
    }

    assert_eq!(
        rename(&[("origin", "https://app.example.com")])
            .await
            .outcome(),
        "200"
    );
    assert_eq!(rename(&[("origin", server.base())]).await.outcome(), "200");
    assert_eq!(rename(&[]).await.outcome(), "200");
}

#[tokio::test]
async fn a_bearer_token_goes_before_a_cookie() {
    let server = TestServer::start().await;
    let ada = server.member("ada").await;
    let (session, _) = cookie(&login(&server, "session").await, SESSION);
    let cookies = format!("{SESSION}={session}");

    let bearer = format!("Bearer {}", ada.token.as_deref().expect("a token"));
    let headers = [("authorization", bearer.as_str())];
    let answer = with(
        &server,
        Method::GET,
        "/users/me",
        &cookies,
        &headers,
        json!({}),
    )
    .await;

    assert_eq!(answer.data()["id"], ada.id);
}

#[tokio::test]
async fn a_void_cookie_does_not_stand_in_the_way_of_a_login() {
    let server = TestServer::start().await;
    let cookies = format!("{SESSION}=nonsense");
    let body = json!({ "email": ADMIN, "password": PASSWORD });

    let answer = with(&server, Method::POST, "/auth/login", &cookies, &[], body).await;

    assert_eq!(answer.outcome(), "200");
    assert_eq!(
        me(&server, "nonsense").await.outcome(),
        "401 INVALID_CREDENTIALS"
    );
}

#[tokio::test]
async fn cookies_have_the_names_and_attributes_that_are_configured() {
    let server = Setup::new()
        .set("auth.cookies.session", "__Host-s")
        .set("auth.cookies.secure", "true")
        .set("auth.cookies.same_site", "strict")
        .set("auth.session_ttl", "1h")
        .start()
        .await;

    let answer = login(&server, "session").await;

    let (_, attributes) = cookie(&answer, "__Host-s");
    assert_eq!(
        attributes,
        "Path=/; HttpOnly; Max-Age=3600; SameSite=Strict; Secure"
    );
}

//! Logins by a provider, over HTTP: one plugin source, two builds, the same conversation.

use roster_redirect_plugin::RedirectProvider;
use roster_sdk::Linked;
use roster_tests::{Answer, Asked, Setup, TestServer, Told, Upstream};
use serde_json::{Value as Json, json};

use crate::pages::Browser;

/// Somebody else's server: it knows people by a code or by a secret, both `<name>-sesame`.
pub(crate) async fn elsewhere() -> Upstream {
    Upstream::start(answer).await
}

fn answer(asked: &Asked) -> Told {
    let body: Json = serde_json::from_str(&asked.body).unwrap_or_default();
    let proof = match asked.line.as_str() {
        "POST /token" => body["code"].as_str(),
        "POST /check" => body["secret"].as_str(),
        _ => None,
    };
    let name = proof.and_then(|proof| proof.strip_suffix("-sesame"));
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        return (401, Vec::new(), String::new());
    };
    let identity = json!({
        "external_identifier": format!("{name}-1"),
        "email": format!("{}@example.com", name.split('.').next().unwrap_or_default()),
        "email_verified": !name.ends_with(".unproved"),
        "first_name": name,
        "data": { "groups": ["math"] },
    });
    (200, Vec::new(), identity.to_string())
}

/// What the provider's section has to say to reach it.
pub(crate) fn section(upstream: &Upstream, more: &str) -> String {
    let url = upstream.url();
    format!(
        "timeout = '10s'\ncapabilities.http = ['{url}']\nconfig = {{ server = '{url}' }}\n{more}"
    )
}

/// A server with the provider, linked.
pub(crate) fn with_provider(upstream: &Upstream, name: &str, more: &str) -> Setup {
    let linked = Linked::auth_provider::<RedirectProvider>(name);
    Setup::new()
        .linked(linked)
        .plugin(name, &section(upstream, more))
}

/// Where a browser is sent.
pub(crate) fn place(answer: &Answer) -> String {
    answer.header("location").to_owned()
}

/// What the provider wants to see again.
pub(crate) fn nonce(answer: &Answer) -> String {
    let place = place(answer);
    let (_, nonce) = place.split_once("&state=").expect("a state");
    nonce.to_owned()
}

/// A whole login by redirect in a browser.
pub(crate) async fn come_back(
    browser: &Browser,
    provider: &str,
    query: &str,
    code: &str,
) -> Answer {
    let begun = browser
        .load(&format!("/auth/login/{provider}?{query}"))
        .await;
    assert_eq!(begun.status, 302, "{}", begun.text);
    let state = nonce(&begun);
    let path = format!("/auth/login/{provider}/callback?code={code}&state={state}");
    browser.load(&path).await
}

/// Everything that clients see of a provider, without what differs from run to run.
async fn conversation(server: &TestServer, upstream: &Upstream) -> String {
    let (admin, stranger) = (server.admin().await, server.stranger());
    let mut lines = Vec::new();
    let mut note = |what: &str, answer: &Answer| {
        let place = place(answer).replace(&upstream.url(), "elsewhere");
        let place = match place.split_once("&state=") {
            Some((place, _)) => format!("{place}&state=…"),
            None => place,
        };
        let cookies = answer.headers.get_all("set-cookie").iter();
        let cookies = cookies.filter_map(|line| line.to_str().ok()).map(|line| {
            let (name, rest) = line.split_once('=').unwrap_or_default();
            let (value, rest) = rest.split_once(';').unwrap_or_default();
            let value = if value.is_empty() { "" } else { "…" };
            format!("{name}={value};{rest}")
        });
        let cookies: Vec<String> = cookies.collect();
        let text = answer.to_string();
        lines.push(format!("{what}: {text} {place} {}", cookies.join(" | ")));
    };

    note("list", &stranger.get("/auth").await);
    let browser = Browser::of(server);
    let bad = "/auth/login/redirect?redirect=//evil.example";
    note("elsewhere", &browser.load(bad).await);
    note(
        "begin",
        &browser
            .load("/auth/login/redirect?redirect=/done&prompt=true")
            .await,
    );
    let forged = "/auth/login/redirect/callback?code=ada-sesame&state=x";
    note("forged", &browser.load(forged).await);
    note("again", &browser.load(forged).await);
    note(
        "wrong",
        &come_back(&browser, "redirect", "redirect=/done", "wrong").await,
    );
    note(
        "first",
        &come_back(&browser, "redirect", "redirect=/done", "ada-sesame").await,
    );
    note(
        "second",
        &come_back(&browser, "redirect", "", "ada-sesame").await,
    );
    note("me", &browser.load("/users/me").await);
    let form = [("code", "a b"), ("state", "ä&=")];
    let path = "/auth/login/redirect/callback";
    note("form", &browser.send_from(path, &form, &[]).await);

    let login = async |body: Json| stranger.post("/auth/login/redirect", body).await;
    for (what, body) in [
        ("nothing", json!({})),
        (
            "wrong secret",
            json!({ "identifier": "ada", "password": "wrong" }),
        ),
        (
            "cookie",
            json!({ "identifier": "ada", "password": "ada-sesame", "mode": "cookie" }),
        ),
        (
            "odd mode",
            json!({ "email": "ada", "password": "ada-sesame", "mode": "odd" }),
        ),
    ] {
        let mut answer = login(body).await;
        if answer.status == 200 {
            answer.text = answer.json()["data"]["expires"].to_string();
        }
        note(what, &answer);
    }
    let fields = "email,first_name,last_name,provider,external_identifier,status,role";
    let users = format!("/users?filter[provider]=redirect&fields={fields}");
    note("users", &admin.get(&users).await);
    lines.join("\n")
}

#[tokio::test]
async fn a_provider_is_logged_in_by_alike_natively_and_as_a_component() {
    let upstream = elsewhere().await;
    let login = "login = { label = 'Elsewhere', icon = 'door', register = true }";
    let native = with_provider(&upstream, "redirect", login);
    let text = section(&upstream, login);
    let text = text.trim_start_matches("timeout = '10s'\n");
    let component = Setup::new().guest("redirect", "roster-redirect-plugin", text);
    let mut seen = Vec::new();

    for setup in [native, component] {
        let server = setup.start().await;
        seen.push(conversation(&server, &upstream).await);
    }

    assert_eq!(seen[1], seen[0]);
    insta::assert_snapshot!(seen[0]);
}

use reqwest::Method;
use roster_tests::{ADMIN, PASSWORD, Setup, TestServer};

use super::{Browser, Page};

const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; \
     form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn every_page_is_careful_and_has_nothing_inline() {
    let server = TestServer::start().await;
    let (stranger, admin) = (
        Browser::of(&server),
        Browser::signed_in(&server, ADMIN).await,
    );

    for (browser, path, status) in [
        (&stranger, "/admin/login", 200),
        (&stranger, "/admin/login?done=<script>", 200),
        (&stranger, "/admin/forgot-password", 200),
        (
            &stranger,
            "/admin/users/0190b5f0-0000-7000-8000-000000000000",
            200,
        ),
        (&stranger, "/admin/accept-invite?token=x", 403),
        (&stranger, "/admin/nowhere", 404),
        (&stranger, "/admin/login/", 404),
        (&admin, "/admin/account", 200),
        (&admin, "/admin/tfa-setup", 200),
        (&admin, "/admin/nowhere", 404),
    ] {
        let page = browser.load(path).await;
        assert_eq!(page.status, status, "{path}");
        assert!(!page.heading().is_empty());
        for (name, expected) in [
            ("content-security-policy", POLICY),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(page.header(name), expected, "{path}");
        }
        for inline in [
            "<script",
            "<style",
            " style=",
            "javascript:",
            "http://",
            "https://",
        ] {
            assert!(
                !page.text.contains(inline),
                "{path}: {inline}\n{}",
                page.text
            );
        }
    }
    let style = stranger.load("/admin/pages.css").await;
    assert_eq!(
        (style.status, style.header("content-type")),
        (200, "text/css; charset=utf-8")
    );
}

#[tokio::test]
async fn forms_of_other_sites_are_refused_in_words() {
    let server = TestServer::start().await;
    let (stranger, admin) = (
        Browser::of(&server),
        Browser::signed_in(&server, ADMIN).await,
    );
    let entered = [("email", ADMIN), ("password", PASSWORD)];

    for headers in [
        [
            ("origin", "https://evil.example"),
            ("sec-fetch-site", "cross-site"),
        ],
        [("origin", "https://evil.example"), ("x-other", "x")],
        [("origin", "null"), ("x-other", "x")],
        [("origin", "null"), ("sec-fetch-site", "same-site")],
    ] {
        for (browser, path) in [
            (&stranger, "/admin/login"),
            (&stranger, "/admin/forgot-password"),
            (&admin, "/admin/logout"),
            (&admin, "/admin/tfa-setup"),
        ] {
            let page = browser.send_from(path, &entered, &headers).await;
            assert_eq!(page.status, 403, "{path} {headers:?}");
            assert_eq!(page.heading(), "This form came from somewhere else");
        }
    }
    assert_eq!(stranger.cookie(), "");
    assert_eq!(admin.load("/admin/account").await.status, 200);
    // A browser that keeps its origin to itself says in another way that the page was ours.
    let own = [("origin", "null"), ("sec-fetch-site", "same-origin")];
    let page = stranger.send_from("/admin/login", &entered, &own).await;
    assert_eq!(page.place(), "../admin/account");
}

#[tokio::test]
async fn over_plain_http_a_browser_may_say_its_origin_and_no_more() {
    let server = TestServer::start().await;
    let secure = Setup::new()
        .set("server.public_url", "https://users.example.com")
        .start()
        .await;
    let policy = async |server: &TestServer, host: &str| {
        let headers = [("host", host)];
        let stranger = server.stranger();
        let page = stranger
            .send(Method::GET, "/admin/login", &headers, Vec::new())
            .await;
        page.header("referrer-policy").to_owned()
    };

    assert_eq!(policy(&server, "192.168.1.5:8055").await, "strict-origin");
    assert_eq!(policy(&server, "localhost:8055").await, "no-referrer");
    assert_eq!(policy(&secure, "users.example.com").await, "no-referrer");
}

#[tokio::test]
async fn nobody_is_sent_anywhere_but_to_our_pages() {
    let server = TestServer::start().await;
    let entered = [
        ("email", ADMIN),
        ("password", PASSWORD),
        ("next", "https://evil.example"),
    ];

    for query in [
        "?next=https://evil.example",
        "?redirect=//evil.example",
        "?done=//evil.example",
    ] {
        let browser = Browser::of(&server);
        let page = browser.load(&format!("/admin/login{query}")).await;
        assert!(!page.text.contains("evil"), "{}", page.text);
        let answer = browser
            .send(&format!("/admin/login{query}"), &entered)
            .await;
        assert_eq!(answer.place(), "../admin/account");
    }
}

#[tokio::test]
async fn what_is_no_form_is_refused_in_words() {
    let server = TestServer::start().await;
    let send = async |kind: &str, body: Vec<u8>| {
        let headers = [("content-type", kind)];
        server
            .stranger()
            .send(Method::POST, "/admin/login", &headers, body)
            .await
    };

    let json = format!("{{\"email\":\"{ADMIN}\",\"password\":\"{PASSWORD}\"}}");
    assert_eq!(
        send("application/json", json.into_bytes()).await.status,
        415
    );
    assert_eq!(send("text/plain", b"email=x".to_vec()).await.status, 415);
    assert_eq!(send(FORM, vec![b'a'; 70_000]).await.status, 400);
    assert_eq!(send(FORM, vec![0xff, b'=', 0xfe]).await.status, 400);
    assert_eq!(
        send(FORM, b"email[x]=1&email=2&password=%ff".to_vec())
            .await
            .status,
        400
    );
    let nothing = send(FORM, Vec::new()).await;
    assert_eq!((nothing.status, nothing.heading()), (400, "Log in"));
    assert_eq!(
        nothing.problems(),
        [
            "The address is not allowed to be empty.",
            "The password is not allowed to be empty."
        ]
    );
}

#[tokio::test]
async fn pages_can_be_turned_off() {
    let server = Setup::new().set("server.pages", "false").start().await;

    for path in [
        "/admin",
        "/admin/login",
        "/admin/pages.css",
        "/admin/users/1",
    ] {
        let answer = server.stranger().get(path).await;
        assert_eq!(answer.outcome(), "404 ROUTE_NOT_FOUND", "{path}");
    }
}

#[tokio::test]
async fn the_document_describes_the_api_alone() {
    let server = TestServer::start().await;

    let document = server.stranger().get("/server/specs/oas").await.text;

    assert!(!document.contains("\"/admin"));
}

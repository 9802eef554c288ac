//! Outbound HTTP of plugins: where it goes, and where it does not.

use roster_sdk::Linked;
use roster_stock_plugin::Stock;
use roster_tests::{Setup, Upstream};
use serde_json::json;

/// What a plugin that may call these origins is told, in both builds alike.
async fn told(origins: &[&str], wishes: &[String]) -> Vec<String> {
    let section = format!(
        "capabilities.fields = {{ read = ['title'], write = ['description'] }}\n\
         capabilities.http = {origins:?}"
    );
    let native = format!("source = 'builtin'\ntimeout = '10s'\n{section}");
    let setups = [
        Setup::new()
            .linked(Linked::hooks::<Stock>("stock"))
            .plugin("stock", &native),
        Setup::new().guest("stock", "roster-stock-plugin", &section),
    ];
    let mut both = Vec::new();
    for setup in setups {
        let server = setup.start().await;
        let admin = server.admin().await;
        let mut answers = Vec::new();
        for wish in wishes {
            let made = admin
                .post("/users?fields=description", json!({ "title": wish }))
                .await;
            answers.push(
                made.data()["description"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
            );
        }
        both.push(answers);
    }
    assert_eq!(both[0], both[1]);
    both.remove(0)
}

#[tokio::test]
async fn a_request_goes_to_a_granted_origin_with_a_host_of_its_own() {
    let upstream = Upstream::start(|asked| (201, Vec::new(), format!("seen {}", asked.line))).await;
    let url = upstream.url();

    let wishes = [format!("get {url}/path?x=1"), format!("post {url}/in")];
    let answers = told(&[&url], &wishes).await;

    assert_eq!(answers, ["201 seen GET /path?x=1", "201 seen POST /in"]);
    let asked = upstream.asked();
    assert_eq!(asked.len(), 4);
    assert!(
        asked
            .iter()
            .all(|asked| format!("http://{}", asked.header("host")) == url)
    );
    assert_eq!(asked[1].body, "posted");
}

#[tokio::test]
async fn what_is_not_granted_is_not_called() {
    let upstream = Upstream::start(|_| (200, Vec::new(), String::new())).await;
    let url = upstream.url();
    let port = url.rsplit_once(':').expect("a port").1;

    let wishes = [
        format!("get http://localhost:{port}/"),
        format!("get http://127.0.0.1.nip.io:{port}/"),
        format!("get http://[::ffff:127.0.0.1]:{port}/"),
        format!("get http://0x7f000001:{port}/x"),
        format!("get http://user:secret@127.0.0.1:{port}/"),
        "get http://169.254.169.254/latest/meta-data".to_owned(),
        "get file:///etc/passwd".to_owned(),
        "get nonsense".to_owned(),
    ];
    let answers = told(&["https://example.com"], &wishes).await;

    for answer in &answers[..7] {
        assert!(answer.starts_with("denied: origin `"), "{answer}");
    }
    assert!(answers[7].starts_with("invalid: "), "{}", answers[7]);
    assert!(upstream.asked().is_empty());
}

#[tokio::test]
async fn a_name_that_stands_for_a_private_address_is_not_called() {
    let upstream = Upstream::start(|_| (200, Vec::new(), String::new())).await;
    let url = upstream.url();
    let port = url.rsplit_once(':').expect("a port").1;
    // Names of the machine itself, which are granted, resolve to addresses that are not.
    let name = "ip6-localhost";
    let origin = format!("http://{name}:{port}");

    let answers = told(&[&origin], &[format!("get {origin}/")]).await;

    // Where the name is unknown it cannot be called either.
    assert!(
        answers[0].starts_with("denied: ") || answers[0].starts_with("failed: "),
        "{answers:?}"
    );
    assert!(upstream.asked().is_empty());
}

#[tokio::test]
async fn redirects_are_followed_to_granted_origins_and_no_further() {
    let inside = Upstream::start(|_| (200, Vec::new(), "inside".to_owned())).await;
    let secret = inside.url();
    let upstream = Upstream::start(move |asked| {
        let to = |place: &str| {
            (
                302,
                vec![("location".to_owned(), place.to_owned())],
                String::new(),
            )
        };
        match asked.line.as_str() {
            "GET /there" | "POST /there" => to("/here"),
            "GET /out" => to(&format!("{secret}/inside")),
            "GET /meta" => to("http://169.254.169.254/"),
            "GET /round" => to("/round"),
            _ => (200, Vec::new(), "here".to_owned()),
        }
    })
    .await;
    let url = upstream.url();

    let wishes = [
        "get {}/there",
        "get {}/out",
        "get {}/meta",
        "get {}/round",
        "post {}/there",
    ];
    let wishes = wishes.map(|wish| wish.replace("{}", &url));
    let answers = told(&[&url], &wishes).await;

    assert_eq!(answers[0], "200 here");
    assert!(
        answers[1].starts_with("denied: origin `http://127.0.0.1:"),
        "{}",
        answers[1]
    );
    assert_eq!(
        answers[2],
        "denied: origin `http://169.254.169.254` is not granted"
    );
    assert_eq!(answers[3], "failed: redirected more than 5 times");
    assert_eq!(answers[4], "302 ");
    assert!(inside.asked().is_empty());
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off_and_requests_are_counted() {
    let upstream = Upstream::start(|asked| match asked.line.as_str() {
        "GET /long" => (200, Vec::new(), "x".repeat((1 << 20) + 1)),
        _ => (200, Vec::new(), String::new()),
    })
    .await;
    let url = upstream.url();

    let wishes = [format!("get {url}/long"), format!("requests {url}/")];
    let answers = told(&[&url], &wishes).await;

    assert_eq!(answers[0], "failed: the answer has more than 1048576 bytes");
    assert_eq!(
        answers[1],
        "denied: more than 8 requests over HTTP in one call"
    );
    assert_eq!(upstream.asked().len(), 2 * 9);
}

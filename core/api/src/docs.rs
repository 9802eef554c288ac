//! `/docs`: the document as a page to read and to try, served from the binary alone.

use std::sync::LazyLock;

use poem::http::HeaderValue;
use poem::{Endpoint, EndpointExt, Response, endpoint::make_sync};
use poem_openapi::OpenApiService;

use crate::envelope;

/// The page. Its parts are files of their own, so that its content policy can do without inline
/// scripts; their addresses are relative, so that it works behind a proxy that adds a path.
const PAGE: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Roster API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/page.css">
<script src="docs/page.js"></script>
<script defer src="docs/start.js"></script>
</head>
<body>
<div id="ui"></div>
<noscript>This page needs scripts; the document itself is at <a href="server/specs/oas">server/specs/oas</a>.</noscript>
</body>
</html>
"#;

/// Shows the document that this server serves now, and tries it on this server, whatever address
/// the page was reached by.
const START: &str = r#"fetch("server/specs/oas").then(function (answer) {
  return answer.json();
}).then(function (spec) {
  spec.servers = [{ url: new URL(".", window.location.href).href.replace(/\/$/, "") }];
  SwaggerUIBundle({ domNode: document.getElementById("ui"), spec: spec, validatorUrl: null, deepLinking: true });
});
"#;

/// The parts of the page that the framework carries: it only hands them out inside of a page of
/// its own.
static FRAMEWORK: LazyLock<String> =
    LazyLock::new(|| OpenApiService::new((), "", "").swagger_ui_html());

/// The routes of the page.
pub(crate) fn routes() -> [(&'static str, impl Endpoint<Output = Response> + 'static); 4] {
    let part = |kind: &'static str, text: fn() -> &'static str| {
        make_sync(move |_| envelope::with_type(HeaderValue::from_static(kind), text()))
            .map_to_response()
    };
    [
        ("/docs", part("text/html; charset=utf-8", || PAGE)),
        (
            "/docs/start.js",
            part("text/javascript; charset=utf-8", || START),
        ),
        (
            "/docs/page.js",
            part("text/javascript; charset=utf-8", script),
        ),
        ("/docs/page.css", part("text/css; charset=utf-8", style)),
    ]
}

fn script() -> &'static str {
    between(&FRAMEWORK, "<script charset=\"UTF-8\">", "</script>")
}

fn style() -> &'static str {
    between(&FRAMEWORK, "<style charset=\"UTF-8\">", "</style>")
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let inner = text
        .split_once(start)
        .and_then(|(_, rest)| rest.split_once(end));
    inner.map_or("", |(inner, _)| inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_framework_carries_a_whole_script_and_style() {
        assert!(script().len() > 1_000_000);
        assert!(script().contains("SwaggerUIBundle"));
        assert!(style().len() > 100_000);
        assert!(style().contains(".swagger-ui"));
    }

    #[test]
    fn the_page_names_no_other_host() {
        for text in [PAGE, START] {
            assert!(!text.contains("//"), "{text}");
        }
        assert!(!style().contains("@import"));
    }
}

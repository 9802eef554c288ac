//! The pages that people see before anybody wrote others: templates in the binary, filled with what
//! the API found out.

use minijinja::Environment;
use minijinja::value::Serde;
use roster_domain::{Error, Result};
use roster_storage::settings;
use serde_json::{Map, Value as Json};

use crate::{Engine, Inner};

/// The templates: what all pages have in common, then one a page.
const TEMPLATES: [(&str, &str); 14] = [
    (
        "layout.html",
        include_str!("../templates/pages/layout.html"),
    ),
    (
        "fields.html",
        include_str!("../templates/pages/fields.html"),
    ),
    (
        "accept-invite.html",
        include_str!("../templates/pages/accept-invite.html"),
    ),
    (
        "account.html",
        include_str!("../templates/pages/account.html"),
    ),
    ("code.html", include_str!("../templates/pages/code.html")),
    (
        "forgot-password.html",
        include_str!("../templates/pages/forgot-password.html"),
    ),
    ("login.html", include_str!("../templates/pages/login.html")),
    (
        "recovery-codes.html",
        include_str!("../templates/pages/recovery-codes.html"),
    ),
    (
        "refused.html",
        include_str!("../templates/pages/refused.html"),
    ),
    (
        "register.html",
        include_str!("../templates/pages/register.html"),
    ),
    (
        "reset-password.html",
        include_str!("../templates/pages/reset-password.html"),
    ),
    (
        "tfa-confirm.html",
        include_str!("../templates/pages/tfa-confirm.html"),
    ),
    (
        "tfa-setup.html",
        include_str!("../templates/pages/tfa-setup.html"),
    ),
    (
        "verified.html",
        include_str!("../templates/pages/verified.html"),
    ),
];

/// Every page, understood.
pub(crate) struct Pages(Environment<'static>);

impl Pages {
    /// Ours.
    ///
    /// # Errors
    /// `INTERNAL_SERVER_ERROR`, naming the template that cannot be understood.
    pub(crate) fn load() -> Result<Self> {
        let mut environment = Environment::new();
        for (name, source) in TEMPLATES {
            environment
                .add_template(name, source)
                .map_err(|error| failed(name, &error))?;
        }
        Ok(Self(environment))
    }

    fn render(&self, name: &str, facts: &Map<String, Json>) -> Result<String> {
        let template = self.0.get_template(&format!("{name}.html"));
        let rendered = template.and_then(|template| template.render(Serde(facts)));
        rendered.map_err(|error| failed(name, &error))
    }
}

fn failed(name: &str, error: &minijinja::Error) -> Error {
    Error::internal(format!("page `{name}`: {error:#}"))
}

/// What every page may show beside its own facts.
async fn project(inner: &Inner) -> Result<Map<String, Json>> {
    let mut project = settings::project(&inner.store).await?;
    let wanted = [
        "project_name",
        "public_registration",
        "public_registration_verify_email",
    ];
    project.retain(|name, _| wanted.contains(&name.as_str()));
    let shortest = inner.settings.password.min_length;
    project.insert("min_length".to_owned(), shortest.into());
    Ok(project)
}

impl Engine {
    /// Renders a page of that name. It knows the project's name and whether strangers may register.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, `INTERNAL_SERVER_ERROR`.
    pub async fn page(&self, name: &str, facts: Map<String, Json>) -> Result<String> {
        let mut known = project(&self.inner).await?;
        known.extend(facts);
        self.inner.pages.render(name, &known)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rendered(name: &str) -> String {
        let facts = json!({
            "project_name": "Ada & <b>Co</b>", "public_registration": true, "min_length": 8,
            "root": "../", "email": "\"><script>", "token": "a.b.c", "held": "v1.x", "min": 8,
            "problems": [{ "field": "password", "text": "<i>wrong</i>" }, { "text": "a < b" }],
            "secret": "ABC", "otpauth_url": "otpauth://totp/x?a=b&c=d", "qr": "PHN2Zz4=",
            "codes": ["A-B"], "done": "reset", "name": "Ada", "status": 404, "request_id": "r",
            "has_second_factor": true, "is_local": true, "must_set_up": true,
        });
        let facts = facts.as_object().cloned().expect("an object");
        let pages = Pages::load().expect("templates");
        pages.render(name, &facts).expect("a page")
    }

    #[test]
    fn every_page_renders_escaped_and_without_anything_inline() {
        for (name, _) in &TEMPLATES[2..] {
            let page = rendered(name.trim_end_matches(".html"));

            assert!(
                page.starts_with("<!doctype html>\n<html lang=\"en\">"),
                "{page}"
            );
            assert!(page.contains("Ada &amp; &lt;b&gt;Co"), "{name}: {page}");
            assert_eq!(page.matches("<h1>").count(), 1, "{name}");
            for inline in [
                "<script", "<style", " style=", " onclick", "//cdn", "<i>", "<b>",
            ] {
                assert!(!page.contains(inline), "{name}: {inline}\n{page}");
            }
        }
    }

    #[test]
    fn every_input_has_a_label_and_what_is_wrong_with_it() {
        let page = rendered("login");

        for name in ["email", "password"] {
            assert!(page.contains(&format!("<label for=\"{name}\">")), "{page}");
            assert!(page.contains(&format!("id=\"{name}\"")), "{page}");
        }
        assert!(
            page.contains("aria-describedby=\"password-problem\""),
            "{page}"
        );
        assert!(page.contains("id=\"password-problem\""), "{page}");
    }
}

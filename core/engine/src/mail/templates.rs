//! Templates: ours, and the operator's in their place.
//!
//! A mail is two templates, `<name>.txt` and `<name>.html`. The first line of the text is
//! `Subject: …`. Each stands in a folder of its language, or in none for all languages. For a user
//! of `de-AT` it is `de-AT/<name>`, then `de/<name>`, then the same for the project's language: the
//! operator's, then the operator's for all languages, then ours, then English.

use std::collections::BTreeSet;
use std::path::Path;

use minijinja::Environment;
use minijinja::value::Serde;
use roster_domain::{Error, Result};
use serde_json::{Map, Value as Json};

/// The templates in the binary.
const BUILT_IN: [(&str, &str); 17] = [
    ("base.html", include_str!("../../templates/base.html")),
    (
        "en/user-invitation.txt",
        include_str!("../../templates/en/user-invitation.txt"),
    ),
    (
        "en/user-invitation.html",
        include_str!("../../templates/en/user-invitation.html"),
    ),
    (
        "en/password-reset.txt",
        include_str!("../../templates/en/password-reset.txt"),
    ),
    (
        "en/password-reset.html",
        include_str!("../../templates/en/password-reset.html"),
    ),
    (
        "en/user-registration.txt",
        include_str!("../../templates/en/user-registration.txt"),
    ),
    (
        "en/user-registration.html",
        include_str!("../../templates/en/user-registration.html"),
    ),
    (
        "en/notice.txt",
        include_str!("../../templates/en/notice.txt"),
    ),
    (
        "en/notice.html",
        include_str!("../../templates/en/notice.html"),
    ),
    (
        "de/user-invitation.txt",
        include_str!("../../templates/de/user-invitation.txt"),
    ),
    (
        "de/user-invitation.html",
        include_str!("../../templates/de/user-invitation.html"),
    ),
    (
        "de/password-reset.txt",
        include_str!("../../templates/de/password-reset.txt"),
    ),
    (
        "de/password-reset.html",
        include_str!("../../templates/de/password-reset.html"),
    ),
    (
        "de/user-registration.txt",
        include_str!("../../templates/de/user-registration.txt"),
    ),
    (
        "de/user-registration.html",
        include_str!("../../templates/de/user-registration.html"),
    ),
    (
        "de/notice.txt",
        include_str!("../../templates/de/notice.txt"),
    ),
    (
        "de/notice.html",
        include_str!("../../templates/de/notice.html"),
    ),
];

/// The names of the mails there are.
pub(crate) const NAMES: [&str; 4] = [
    "user-invitation",
    "password-reset",
    "user-registration",
    "notice",
];

/// The language that there always is.
const LAST: &str = "en";

/// Every template, read and understood.
pub(crate) struct Templates {
    environment: Environment<'static>,
    /// The names of ours.
    built_in: BTreeSet<String>,
    /// The names of the operator's.
    own: BTreeSet<String>,
}

/// A mail as it was rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
}

impl Templates {
    /// Ours, and those of a folder in their place.
    ///
    /// # Errors
    /// `INTERNAL_SERVER_ERROR`, naming the file that cannot be read or understood.
    pub(crate) fn load(folder: Option<&Path>) -> Result<Self> {
        let mut templates = Self {
            environment: Environment::new(),
            built_in: BTreeSet::new(),
            own: BTreeSet::new(),
        };
        for (name, source) in BUILT_IN {
            templates.add(name, source.to_owned())?;
            templates.built_in.insert(name.to_owned());
        }
        if let Some(folder) = folder {
            templates.add_folder(folder, "")?;
        }
        Ok(templates)
    }

    /// Renders a mail in the first of the languages that there is.
    pub(crate) fn render(
        &self,
        name: &str,
        languages: &[&str],
        facts: &Map<String, Json>,
    ) -> Result<Written> {
        let part = |kind: &str| {
            let found = self.find(name, kind, languages);
            let template = self.environment.get_template(&found);
            template
                .and_then(|template| template.render(Serde(facts)))
                .map_err(|error| Error::internal(format!("mail template `{found}`: {error:#}")))
        };
        let (text, html) = (part("txt")?, part("html")?);
        let (subject, text) = text.split_once('\n').unwrap_or((text.as_str(), ""));
        let subject = subject.strip_prefix("Subject:").unwrap_or(subject);
        Ok(Written {
            // A line break in a name must not become a header of its own.
            subject: subject.split_whitespace().collect::<Vec<_>>().join(" "),
            text: format!("{}\n", text.trim_matches(['\r', '\n'])),
            html,
        })
    }

    fn find(&self, name: &str, kind: &str, languages: &[&str]) -> String {
        let spoken = languages.iter().flat_map(|language| {
            let primary = language.split(['-', '_']).next().unwrap_or_default();
            [*language, primary]
        });
        let spoken: Vec<String> = spoken
            .map(|language| format!("{language}/{name}.{kind}"))
            .collect();
        let everywhere = format!("{name}.{kind}");
        let mut own = spoken.iter().chain([&everywhere]);
        own.find(|candidate| self.own.contains(*candidate))
            .or_else(|| spoken.iter().find(|one| self.built_in.contains(*one)))
            .cloned()
            .unwrap_or_else(|| format!("{LAST}/{name}.{kind}"))
    }

    fn add(&mut self, name: &str, source: String) -> Result<()> {
        self.environment
            .add_template_owned(name.to_owned(), source)
            .map_err(|error| Error::internal(format!("mail template `{name}`: {error:#}")))
    }

    /// The templates of a folder, and of the folders of languages in it.
    fn add_folder(&mut self, folder: &Path, prefix: &str) -> Result<()> {
        let failed = |error: std::io::Error| {
            Error::internal(format!("mail templates `{}`: {error}", folder.display()))
        };
        for entry in std::fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
                continue;
            };
            let is_template = path
                .extension()
                .is_some_and(|kind| kind == "txt" || kind == "html");
            if path.is_dir() && prefix.is_empty() {
                self.add_folder(&path, &format!("{name}/"))?;
            } else if is_template {
                let source = std::fs::read_to_string(&path).map_err(failed)?;
                let name = format!("{prefix}{name}");
                self.add(&name, source)?;
                self.own.insert(name);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn facts() -> Map<String, Json> {
        let facts = json!({
            "project_name": "Ada & Söhne\nBcc: all", "project_color": "#6644FF", "email": "a@b.co",
            "url": "https://x.example/a?token=t&b=<c>", "event": "password", "time": "now",
        });
        facts.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn every_mail_renders_in_every_language() {
        let templates = Templates::load(None).expect("templates");

        for language in ["en-US", "de-AT", "tlh"] {
            for name in NAMES {
                let written = templates
                    .render(name, &[language], &facts())
                    .expect("a mail");
                assert!(!written.subject.contains('\n'), "{}", written.subject);
                assert!(!written.subject.is_empty() && written.text.len() > 20);
                assert!(written.html.contains("Ada &amp; Söhne"), "{}", written.html);
                assert!(!written.html.contains("<c>"), "{}", written.html);
            }
        }
    }

    #[test]
    fn the_language_falls_back_to_its_family_then_to_the_project_then_to_english() {
        let templates = Templates::load(None).expect("templates");
        let subject = |languages: &[&str]| {
            let written = templates.render("password-reset", languages, &facts());
            written.expect("a mail").subject
        };

        assert_eq!(subject(&["de-AT", "en-US"]), "Passwort zurücksetzen");
        assert_eq!(subject(&["tlh", "de-DE"]), "Passwort zurücksetzen");
        assert_eq!(subject(&["tlh", "tlh"]), "Password Reset Request");
    }

    #[test]
    fn templates_of_the_operator_take_the_place_of_ours() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("de")).expect("a folder");
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).expect("a file");
        };
        write("password-reset.txt", "Subject: Any\n\nHello {{ email }}\n");
        write(
            "de/password-reset.txt",
            "Subject: Deutsch\n\nHallo {{ email }}\n",
        );
        let templates = Templates::load(Some(folder.path())).expect("templates");

        let render = |language| {
            let written = templates.render("password-reset", &[language], &facts());
            written.expect("a mail")
        };
        assert_eq!(render("fr").text, "Hello a@b.co\n");
        assert_eq!(render("de-CH").subject, "Deutsch");
        assert!(render("fr").html.contains("https:"));

        write("notice.txt", "Subject: {{ broken\n");
        assert!(Templates::load(Some(folder.path())).is_err());
    }
}

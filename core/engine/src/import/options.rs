use std::collections::BTreeSet;

use roster_domain::query::Parameters;
use roster_domain::{Code, Error, Problem, Result, Schema};
use serde_json::Value as Json;

use super::NAMED_ONLY;

/// What a file is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportFormat {
    /// Lines of values under a header of field names (RFC 4180).
    Csv {
        /// What stands between values.
        delimiter: u8,
    },
    /// An array of objects (RFC 8259).
    Json,
}

/// What is done with a row whose user is there already, by id or by e-mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Existing {
    /// It is refused.
    #[default]
    Reject,
    /// It is left out.
    Skip,
    /// It changes that user.
    Update,
}

/// How a file is taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportOptions {
    /// What the file is made of.
    pub format: ImportFormat,
    /// Fields that are set by nobody unless they stand here.
    pub allow: BTreeSet<String>,
    /// What is done with users who are there already.
    pub existing: Existing,
    /// Whether all is tried and nothing stored.
    pub dry_run: bool,
    /// Whether a refused row is left behind; else it ends an import that is no dry run.
    pub skips_failed: bool,
    /// The first row that is looked at; 1 is the first there is.
    pub first_row: u64,
    /// How many rows are written in one transaction.
    pub batch: usize,
}

/// The names of [`ImportOptions`] as parameters.
pub(crate) const PARAMETERS: [&str; 7] = [
    "allow",
    "existing",
    "dry_run",
    "on_error",
    "first_row",
    "batch",
    "delimiter",
];

const LARGEST_BATCH: u64 = 1_000;

impl ImportOptions {
    /// Reads parameters; the format is that of the file. All that is wrong is said at once.
    ///
    /// # Errors
    /// `INVALID_QUERY`.
    pub fn parse(parameters: &Parameters, format: ImportFormat) -> Result<Self> {
        let mut reasons = Vec::new();
        let text = |name: &str| parameters.get(name).and_then(Json::as_str);
        for name in parameters.keys() {
            if !PARAMETERS.contains(&name.as_str()) && name != "access_token" {
                let known = PARAMETERS.join(", ");
                reasons.push(format!("\"{name}\" must be one of [{known}]"));
            }
        }
        let mut choice = |name: &str, words: &[&str]| {
            let chosen = parameters.get(name).map_or(Some(0), |json| {
                words.iter().position(|word| json.as_str() == Some(word))
            });
            chosen.unwrap_or_else(|| {
                reasons.push(format!("\"{name}\" must be one of [{}]", words.join(", ")));
                0
            })
        };
        let existing = choice("existing", &["reject", "skip", "update"]);
        let dry_run = choice("dry_run", &["false", "true"]) == 1;
        let skips_failed = choice("on_error", &["stop", "skip"]) == 1;
        let delimiter = choice("delimiter", &[",", ";", "\t", "|"]);
        let mut number = |name: &str, default: u64, most: u64| {
            let number = parameters.get(name).map_or(Some(default), |json| {
                json.as_str().and_then(|text| text.parse().ok())
            });
            number
                .filter(|number| (1..=most).contains(number))
                .unwrap_or_else(|| {
                    reasons.push(format!("\"{name}\" must be a number from 1 to {most}"));
                    default
                })
        };
        let first_row = number("first_row", 1, u64::from(u32::MAX));
        let batch = number("batch", 100, LARGEST_BATCH);
        if !reasons.is_empty() {
            return Err(Error::invalid_query(reasons.join(". ")));
        }
        let allow = text("allow").unwrap_or_default().split(',').map(str::trim);
        Ok(Self {
            format: match format {
                ImportFormat::Csv { .. } => ImportFormat::Csv {
                    delimiter: b",;\t|"[delimiter],
                },
                ImportFormat::Json => ImportFormat::Json,
            },
            allow: allow
                .filter(|name| !name.is_empty())
                .map(ToOwned::to_owned)
                .collect(),
            existing: [Existing::Reject, Existing::Skip, Existing::Update][existing],
            dry_run,
            skips_failed,
            first_row,
            batch: usize::try_from(batch).unwrap_or(1),
        })
    }

    /// Whether the rows after a refused one are looked at.
    pub(super) const fn goes_on(&self) -> bool {
        self.skips_failed || self.dry_run
    }

    /// Whether a file may set this field.
    pub(super) fn may_set(&self, name: &str) -> bool {
        !NAMED_ONLY.contains(&name) || self.allow.contains(name)
    }

    /// Refuses names that are no fields.
    pub(super) fn check(&self, users: &Schema) -> Result<()> {
        let unknown = self.allow.iter().find(|name| users.field(name).is_none());
        unknown.map_or(Ok(()), |name| {
            let reason = format!("\"allow\" names `{name}`, which is no field of users");
            Err(Error::invalid_query(reason))
        })
    }
}

/// A field that is set only where it is allowed by name.
pub(super) fn not_allowed(name: &str) -> Problem {
    let reason = format!("field `{name}`: a file sets it only with `allow={name}`");
    Problem::new(Code::InvalidPayload)
        .saying(format!("Invalid payload. {reason}."))
        .with("field", name)
        .with("reason", reason)
}

//! `[mail]`: who sends mails, and as whom.

use std::path::{Path, PathBuf};

use super::admin::is_address;
use super::raw::{Bad, Raw, text, text_or_none};
use super::reader::Reader;

/// `[mail]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The sender: an address, or `Name <address>`.
    pub from: String,
    /// The name of the plugin that sends.
    pub mailer: String,
    /// The folder of the operator's own templates.
    pub templates: Option<PathBuf>,
}

impl Mail {
    /// Reads the section; `folder` is where relative paths start.
    pub(super) fn read(reader: &mut Reader, folder: &Path) -> Self {
        let templates = reader.read("mail.templates", text_or_none);
        Self {
            from: reader.read("mail.from", sender),
            mailer: reader.read("mail.mailer", text),
            templates: templates.map(|path| folder.join(path)),
        }
    }
}

fn sender(raw: &Raw<'_>) -> Result<String, Bad> {
    const EXPECTED: &str = "an address such as `no-reply@example.com` or `Name <address>`";
    let text = raw.text(EXPECTED)?;
    let address = match text.split_once('<') {
        Some((_, address)) => address.strip_suffix('>').unwrap_or_default(),
        None => text,
    };
    if is_address(address) && !text.contains(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err(Bad::expected(EXPECTED))
    }
}

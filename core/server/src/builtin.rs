//! The plugins in the binary, listed by hand.

use roster_log_mailer::LogMailer;
use roster_sdk::Linked;
use roster_slug::Slug;
use roster_smtp_mailer::SmtpMailer;

/// Every built-in plugin under the name that `source = "builtin"` means.
pub(crate) fn plugins() -> Vec<Linked> {
    vec![
        Linked::mailer::<LogMailer>("log"),
        Linked::hooks::<Slug>("slug"),
        Linked::mailer::<SmtpMailer>("smtp"),
    ]
}

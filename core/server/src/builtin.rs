//! The plugins in the binary, listed by hand.

use roster_business_hours::BusinessHours;
use roster_email_domain_scope::EmailDomainScope;
use roster_http_mailer::HttpMailer;
use roster_log_mailer::LogMailer;
use roster_password::Password;
use roster_sdk::Linked;
use roster_slug::Slug;
use roster_smtp_mailer::SmtpMailer;
use roster_webhook::Webhook;

/// The one plugin that may ask whose password something is.
pub(crate) const PASSWORD: &str = "password";

/// Every built-in plugin under the name that `source = "builtin"` means.
pub(crate) fn plugins() -> Vec<Linked> {
    vec![
        Linked::policy::<BusinessHours>("business-hours"),
        Linked::policy::<EmailDomainScope>("email-domain-scope"),
        Linked::mailer::<HttpMailer>("http-mailer"),
        Linked::mailer::<LogMailer>("log"),
        Linked::auth_provider::<Password>(PASSWORD),
        Linked::hooks::<Slug>("slug"),
        Linked::mailer::<SmtpMailer>("smtp"),
        Linked::hooks::<Webhook>("webhook"),
    ]
}

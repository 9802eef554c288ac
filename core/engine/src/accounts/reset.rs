//! A new password by mail (contract/auth.md §7).

use roster_domain::{Collection, Error, Reason, Result, Status, email};
use roster_storage::recipients::{self, Recipient};
use serde_json::{Value as Json, json};
use tokio::time::Instant;

use super::limiter::{self, Tried};
use super::links::{self, Invitation, Judged, Page};
use crate::Inner;
use crate::context::Context;
use crate::login::attempts;
use crate::records::write;
use crate::secrets::{Purpose, judge};
use crate::write::commit;

/// Mails a link to set a new password, if there is somebody to mail it to. The answer is the same
/// and comes as late either way.
pub(crate) async fn request(inner: &Inner, cx: &Context, body: &Json) -> Result<()> {
    let arrival = Instant::now();
    limiter::count(inner, cx, Tried::Login).await?;
    let address = body.get("email").and_then(Json::as_str);
    let address = address.ok_or_else(|| Error::invalid_payload("\"email\" field is required"))?;
    let asked = body.get("reset_url").and_then(Json::as_str);
    let mailing = &inner.settings.accounts.reset;
    let page = Page::choose(
        inner,
        asked,
        mailing,
        "/admin/reset-password",
        "reset passwords",
    )?;
    let recipient = recipients::recipient(&inner.store, &email::key(address)).await?;
    if let Some(recipient) = recipient.filter(may_reset) {
        let mut tx = inner.store.begin().await?;
        let invitation = Invitation::to(&recipient, Purpose::Reset, &page);
        links::send(inner, &mut tx, cx, &invitation).await?;
        commit(inner, tx, true).await?;
    }
    tokio::time::sleep_until(arrival + inner.settings.login_stall).await;
    Ok(())
}

/// Sets a new password with a token that was mailed. Ends every session, keeps the second factor.
pub(crate) async fn reset(inner: &Inner, cx: &Context, body: &Json) -> Result<()> {
    limiter::count(inner, cx, Tried::Login).await?;
    let field = |name: &str| {
        let text = body.get(name).and_then(Json::as_str);
        text.ok_or_else(|| Error::invalid_payload(format!("\"{name}\" field is required")))
    };
    let (token, password) = (field("token")?, field("password")?);
    let (address, judged) = links::judge(inner, cx, Purpose::Reset, token).await?;
    let Judged::Good(token) = judged else {
        return Err(Error::forbidden());
    };
    // Whoever changed address, password, role or status meanwhile has voided the token.
    let recipient = recipients::recipient(&inner.store, &email::key(&address)).await?;
    let recipient = recipient.filter(|recipient| {
        may_reset(recipient)
            && recipient.id == token.user
            && token.generation == Some(recipient.generation)
    });
    let recipient = recipient.ok_or_else(Error::forbidden)?;
    judge(inner, password, Some(&recipient.email)).await?;
    let system = cx.as_system(Reason::Reset);
    let change = json!({ "password": password });
    let changes = [(recipient.id.into(), change)];
    let act = Box::pin(write::update_all(
        inner,
        &system,
        Collection::Users,
        &changes,
    ));
    match links::consume(inner, cx, &token, act).await? {
        Some(()) => attempts::clear(inner, recipient.id).await,
        None => Err(Error::forbidden()),
    }
}

fn may_reset(recipient: &Recipient) -> bool {
    recipient.status == Status::Active.as_str() && recipient.provider == "default"
}

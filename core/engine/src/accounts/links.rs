//! Links in mails: where they lead, and the tokens in them (contract/emails.md §3).

use roster_domain::{Error, Result, UserId};
use roster_storage::Tx;
use roster_storage::mail_tokens::{self, MailToken};
use roster_storage::recipients::Recipient;
use serde_json::{Map, Value as Json, json};
use url::Url;

use super::settings::Mailing;
use crate::Inner;
use crate::context::Context;
use crate::mail::{self, Letter};
use crate::secrets::Purpose;
use crate::system::new_id;

/// A page that a mail may link to.
#[derive(Debug, Clone)]
pub(super) struct Page(Url);

impl Page {
    /// The page that was asked for, if it is on the list; else our own.
    ///
    /// # Errors
    /// `INVALID_PAYLOAD` for a page that is not on the list.
    pub(super) fn choose(
        inner: &Inner,
        asked: Option<&str>,
        mailing: &Mailing,
        own: &str,
        what: &str,
    ) -> Result<Self> {
        let refused =
            |url: &str| Error::invalid_payload(format!("URL \"{url}\" can't be used to {what}"));
        let Some(asked) = asked else {
            let own = format!("{}{own}", inner.settings.accounts.public_url);
            return Url::parse(&own).map(Self).map_err(Error::internal);
        };
        let url = Url::parse(asked).map_err(|_| refused(asked))?;
        let is_allowed = mailing
            .urls
            .iter()
            .any(|allowed| is_same(&url, asked, allowed));
        if is_allowed {
            Ok(Self(url))
        } else {
            Err(refused(asked))
        }
    }

    /// The page with a token in its query, in the place of one that is there.
    fn with(&self, token: &str) -> String {
        let mut url = self.0.clone();
        let kept: Vec<(String, String)> = url
            .query_pairs()
            .filter(|(name, _)| name != "token")
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        url.query_pairs_mut()
            .clear()
            .extend_pairs(kept)
            .append_pair("token", token);
        url.into()
    }
}

/// The whole text is the same, or origin and path are.
fn is_same(url: &Url, text: &str, allowed: &str) -> bool {
    let bare = url.username().is_empty() && url.password().is_none();
    let pages = Url::parse(allowed).is_ok_and(|allowed| {
        bare && url.origin().is_tuple()
            && url.origin() == allowed.origin()
            && url.path() == allowed.path()
    });
    bare && (text == allowed || pages)
}

/// A token that is mailed to a user.
pub(super) struct Invitation<'a> {
    pub(super) purpose: Purpose,
    pub(super) user: UserId,
    /// The address as it is stored.
    pub(super) email: &'a str,
    pub(super) language: Option<&'a str>,
    /// The generation of the user that the token depends on, if it does.
    pub(super) generation: Option<i64>,
    /// The names of the user.
    pub(super) names: [Option<&'a str>; 2],
    pub(super) page: &'a Page,
}

impl<'a> Invitation<'a> {
    /// One for somebody who is there.
    pub(super) fn to(recipient: &'a Recipient, purpose: Purpose, page: &'a Page) -> Self {
        Self {
            purpose,
            user: recipient.id,
            email: &recipient.email,
            language: recipient.language.as_deref(),
            generation: (purpose == Purpose::Reset).then_some(recipient.generation),
            names: [
                recipient.first_name.as_deref(),
                recipient.last_name.as_deref(),
            ],
            page,
        }
    }
}

/// Makes a token and writes the mail that carries it.
pub(super) async fn send(
    inner: &Inner,
    tx: &mut Tx,
    cx: &Context,
    to: &Invitation<'_>,
) -> Result<()> {
    let accounts = &inner.settings.accounts;
    let (template, mailing) = match to.purpose {
        Purpose::Invite => ("user-invitation", &accounts.invite),
        Purpose::Reset => ("password-reset", &accounts.reset),
        Purpose::Verify => ("user-registration", &accounts.verify),
    };
    let expires_at = cx.now + mailing.ttl;
    let mailed = inner
        .keys
        .mail_token(to.purpose, to.email, cx.now, expires_at)?;
    let token = MailToken {
        id: new_id(cx.now)?,
        user: to.user,
        purpose: to.purpose.scope().to_owned(),
        secret_hash: mailed.secret_hash,
        generation: to.generation,
        created_at: cx.now,
        expires_at,
    };
    mail_tokens::insert(tx, &token).await?;
    let [first_name, last_name] = to.names;
    let facts = json!({
        "url": to.page.with(&mailed.text),
        "first_name": first_name,
        "last_name": last_name,
    });
    let facts: Map<String, Json> = facts.as_object().cloned().unwrap_or_default();
    let letter = Letter {
        template,
        user: to.user,
        to: to.email,
        language: to.language,
        facts,
        has_token: true,
    };
    mail::post(inner, tx, cx, letter).await
}

/// What became of a token that was presented.
pub(super) enum Judged {
    /// It is good and not used yet.
    Good(MailToken),
    /// It was used, or its user or address is gone.
    Spent,
}

/// Judges a token that was mailed.
///
/// # Errors
/// `INVALID_TOKEN`, `TOKEN_EXPIRED`, and `FORBIDDEN` for one that is for something else.
pub(super) async fn judge(
    inner: &Inner,
    cx: &Context,
    purpose: Purpose,
    token: &str,
) -> Result<(String, Judged)> {
    let (email, hash) = inner.keys.mailed(purpose, token, cx.now)?;
    let found = mail_tokens::find(&inner.store, &hash, cx.now).await?;
    let judged = match found {
        Some((token, false)) if token.purpose == purpose.scope() => Judged::Good(token),
        _ => Judged::Spent,
    };
    Ok((email, judged))
}

/// Uses a token up, does what it allows, and gives it back if that is refused. Of several uses at
/// a time one gets through; `Ok(None)` is for the others.
pub(super) async fn consume<T>(
    inner: &Inner,
    cx: &Context,
    token: &MailToken,
    act: impl Future<Output = Result<T>>,
) -> Result<Option<T>> {
    let mut tx = inner.store.begin().await?;
    let is_ours = mail_tokens::consume(&mut tx, token.id, cx.now).await?;
    tx.commit().await?;
    if !is_ours {
        return Ok(None);
    }
    let done = act.await;
    let mut tx = inner.store.begin().await?;
    match &done {
        Ok(_) => {
            // The others of its kind are void with it.
            mail_tokens::consume_all(&mut tx, token.user, &token.purpose, cx.now).await?;
        }
        Err(_) => mail_tokens::release(&mut tx, token.id).await?,
    }
    tx.commit().await?;
    done.map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(asked: &str) -> bool {
        let page = "https://app.example.com/accept";
        Url::parse(asked).is_ok_and(|url| is_same(&url, asked, page))
    }

    #[test]
    fn only_listed_pages_are_linked_to() {
        for good in [
            "https://app.example.com/accept",
            "https://app.example.com/accept?a=b",
            "https://APP.example.com:443/accept#x",
        ] {
            assert!(allowed(good), "{good}");
        }
        for bad in [
            "https://app.example.com/accept/",
            "https://app.example.com/other",
            "http://app.example.com/accept",
            "https://app.example.com.evil.example/accept",
            "https://app.example.com@evil.example/accept",
            "https://user@app.example.com/accept",
            "https://app.example.com:8443/accept",
            "https://app.example.com/accept/../other",
            "javascript:alert(1)",
            "//app.example.com/accept",
        ] {
            assert!(!allowed(bad), "{bad}");
        }
    }

    #[test]
    fn a_link_keeps_its_query_and_carries_one_token() {
        let page = Page(Url::parse("https://a.example/b?token=x&c=d&token=y#e").expect("a URL"));

        assert_eq!(page.with("t"), "https://a.example/b?c=d&token=t#e");
    }
}

//! Setting up a second factor, and removing it (contract/users.md §8).

use std::fmt::Write;

use chrono::TimeDelta;
use qrcode::QrCode;
use qrcode::render::svg;
use roster_domain::{Code, Collection, Error, Key, Result, UserId};
use roster_sdk::Event;
use roster_storage::recipients::{self, Recipient};
use roster_storage::{Tx, second_factors, settings};
use serde::Serialize;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use totp_rs::Secret;

use super::{myself_in_person, somebody};
use crate::Inner;
use crate::context::Context;
use crate::hooks::AfterPayload;
use crate::login::second_factor::{CODE_LENGTH, judge, place, step};
use crate::login::{Body, Entry, attempts};
use crate::mail::{self, Notice};
use crate::system::random;
use crate::write::{Change, commit, record, tell};

/// More characters than a secret has.
const LONGEST_SECRET: usize = 64;
/// How many recovery codes there are.
const CODES: usize = 10;
/// How long a secret that was given out can be enabled.
const PENDING: TimeDelta = TimeDelta::minutes(15);

/// A secret that is not enabled yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proposal {
    /// The secret, in base 32.
    pub secret: String,
    /// The same as a URL for authenticator apps.
    pub otpauth_url: String,
    /// The same as a picture, an SVG, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qr: Option<String>,
}

/// Gives out a secret against the password. Nothing is enabled by it.
pub(crate) async fn generate(inner: &Inner, cx: &Context, body: &Json) -> Result<Proposal> {
    let (user, _) = myself_in_person(cx)?;
    let mut body = Body::read(body)?;
    let recipient = recipients::recipient_of(&inner.store, user).await?;
    let is_local = recipient.as_ref().is_none_or(|r| r.provider == "default");
    let password = if is_local {
        body.required("password")
    } else {
        ""
    };
    let wants_qr = body.map.get("qr") == Some(&Json::Bool(true));
    body.finish()?;
    if is_local {
        attempts::prove_password(inner, cx, user, password).await?;
    }
    if second_factors::get(&inner.store, user)
        .await?
        .secret
        .is_some()
    {
        return Err(Error::invalid_payload(
            "TFA Secret is already set for this user",
        ));
    }
    let secret = Secret::new(random::<20>()?.as_slice().into()).to_base32();
    let ends = (cx.now + PENDING).timestamp();
    let mut tx = inner.store.begin().await?;
    second_factors::propose(&mut tx, user, &proof(user, &secret, ends)).await?;
    tx.commit().await?;
    propose(inner, user, recipient, secret, wants_qr).await
}

/// Shows a secret that was given out once more.
pub(crate) async fn show(inner: &Inner, cx: &Context, secret: &str) -> Result<Proposal> {
    let (user, _) = myself_in_person(cx)?;
    let is_ours = secret.len() <= LONGEST_SECRET && Secret::try_from_base32(secret).is_ok();
    if !is_ours {
        return Err(Error::invalid_payload("\"secret\" is invalid"));
    }
    let recipient = recipients::recipient_of(&inner.store, user).await?;
    propose(inner, user, recipient, secret.to_owned(), true).await
}

async fn propose(
    inner: &Inner,
    user: UserId,
    recipient: Option<Recipient>,
    secret: String,
    wants_qr: bool,
) -> Result<Proposal> {
    let project = settings::project_name(&inner.store).await?;
    let account = recipient.map_or_else(|| user.to_string(), |r| r.email);
    let otpauth_url = otpauth_url(&project, &account, &secret);
    let qr = wants_qr.then(|| picture(&otpauth_url)).transpose()?;
    Ok(Proposal {
        secret,
        otpauth_url,
        qr,
    })
}

/// Enables the secret that was given out last, with a code of it.
pub(crate) async fn enable(inner: &Inner, cx: &Context, body: &Json) -> Result<()> {
    enable_and_store(inner, cx, body, &[]).await
}

/// The same, and makes ten recovery codes in the same transaction: the code that enables proves as
/// much as the one that they are made against later.
pub(crate) async fn enable_with_codes(
    inner: &Inner,
    cx: &Context,
    body: &Json,
) -> Result<Vec<String>> {
    let codes = new_codes()?;
    enable_and_store(inner, cx, body, &codes).await?;
    Ok(codes.iter().map(|code| grouped(code)).collect())
}

async fn enable_and_store(
    inner: &Inner,
    cx: &Context,
    body: &Json,
    codes: &[String],
) -> Result<()> {
    let (user, _) = myself_in_person(cx)?;
    let mut body = Body::read(body)?;
    let (secret, otp) = (body.required("secret"), body.required("otp"));
    body.finish()?;
    let factor = second_factors::get(&inner.store, user).await?;
    if factor.secret.is_some() {
        return Err(Error::invalid_payload(
            "TFA Secret is already set for this user",
        ));
    }
    let wrong = || Error::invalid_payload("\"otp\" is invalid");
    let pending = factor.pending.ok_or_else(wrong)?;
    let ends = pending
        .split_once('.')
        .and_then(|(ends, _)| ends.parse().ok());
    let ends: i64 = ends
        .filter(|ends| *ends > cx.now.timestamp())
        .ok_or_else(wrong)?;
    if pending != proof(user, secret, ends) {
        return Err(wrong());
    }
    let raw = Secret::try_from_base32(secret).map_err(|_| wrong())?;
    let step = step(raw, otp.trim(), cx).ok_or_else(wrong)?;
    let sealed = inner.keys.lock(&place(user), secret)?;
    let mut tx = inner.store.begin().await?;
    if !second_factors::enable(&mut tx, user, &pending, &sealed, step).await? {
        return Err(wrong());
    }
    let change = Change::user("tfa_enabled", user.0);
    record(&mut tx, cx, change).await?;
    if !codes.is_empty() {
        keep_codes(inner, &mut tx, cx, user, codes).await?;
    }
    finish(inner, tx, cx, user, Notice::SecondFactorEnabled).await
}

/// Disables the caller's second factor, with a code of it.
pub(crate) async fn disable(inner: &Inner, cx: &Context, body: &Json) -> Result<()> {
    let (user, _) = myself_in_person(cx)?;
    let mut body = Body::read(body)?;
    let otp = body.required("otp");
    body.finish()?;
    if second_factors::get(&inner.store, user)
        .await?
        .secret
        .is_none()
    {
        let reason = format!("User \"{user}\" doesn't have TFA enabled");
        return Err(Error::invalid_payload(reason));
    }
    prove_code(inner, cx, user, otp).await?;
    remove(inner, cx, user).await
}

/// Disables somebody's second factor, for an administrator.
pub(crate) async fn disable_for(inner: &Inner, cx: &Context, id: &str) -> Result<()> {
    let user = somebody(cx, id)?;
    remove(inner, cx, user).await
}

/// Makes ten recovery codes against the password or a code; those before are void.
pub(crate) async fn recovery_codes(
    inner: &Inner,
    cx: &Context,
    body: &Json,
) -> Result<Vec<String>> {
    let (user, _) = myself_in_person(cx)?;
    let mut body = Body::read(body)?;
    let (password, otp) = (body.optional("password"), body.optional("otp"));
    if password.is_none() && otp.is_none() {
        body.reasons
            .push("\"password\" or \"otp\" is required".to_owned());
    }
    body.finish()?;
    if second_factors::get(&inner.store, user)
        .await?
        .secret
        .is_none()
    {
        let reason = format!("User \"{user}\" doesn't have TFA enabled");
        return Err(Error::invalid_payload(reason));
    }
    match otp {
        Some(otp) => prove_code(inner, cx, user, otp).await?,
        None => attempts::prove_password(inner, cx, user, password.unwrap_or_default()).await?,
    }
    let codes = new_codes()?;
    let mut tx = inner.store.begin().await?;
    keep_codes(inner, &mut tx, cx, user, &codes).await?;
    tx.commit().await?;
    Ok(codes.iter().map(|code| grouped(code)).collect())
}

/// Stores recovery codes in the place of those before.
async fn keep_codes(
    inner: &Inner,
    tx: &mut Tx,
    cx: &Context,
    user: UserId,
    codes: &[String],
) -> Result<()> {
    let hash = |code: &String| {
        inner
            .keys
            .code_hashes(user, code)
            .next()
            .unwrap_or_default()
    };
    let hashes: Vec<String> = codes.iter().map(hash).collect();
    second_factors::replace_codes(tx, user, &hashes).await?;
    record(tx, cx, Change::user("recovery_codes_made", user.0)).await
}

/// A code of somebody who is signed in. Counted as a login.
async fn prove_code(inner: &Inner, cx: &Context, user: UserId, otp: &str) -> Result<()> {
    let wrong = || Error::invalid_payload("\"otp\" is invalid");
    if !attempts::take(inner, cx, user).await? {
        return Err(Code::InvalidCredentials.into());
    }
    if judge(inner, cx, user, otp).await? {
        return attempts::clear(inner, user).await;
    }
    attempts::failed(inner, cx, Some(user), &Entry::AGAIN, "otp").await?;
    Err(wrong())
}

async fn remove(inner: &Inner, cx: &Context, user: UserId) -> Result<()> {
    let mut tx = inner.store.begin().await?;
    if !second_factors::disable(&mut tx, user).await? {
        return Ok(());
    }
    let change = Change::user("tfa_disabled", user.0);
    record(&mut tx, cx, change).await?;
    finish(inner, tx, cx, user, Notice::SecondFactorDisabled).await
}

/// The mail and the after-event of a change, then the commit.
async fn finish(
    inner: &Inner,
    mut tx: Tx,
    cx: &Context,
    user: UserId,
    notice: Notice,
) -> Result<()> {
    let noticed = mail::notice(inner, &mut tx, cx, user, notice).await?;
    let (users, key) = (Collection::Users, Key::from(user));
    let told = tell(
        inner,
        &mut tx,
        cx,
        users,
        Event::AfterUpdate,
        key,
        |occasion| {
            let id = ("id".to_owned(), user.to_string().into());
            AfterPayload {
                changed: vec!["tfa_secret".to_owned()],
                ..AfterPayload::of(occasion, [id].into_iter().collect())
            }
        },
    );
    let told = told.await?;
    commit(inner, tx, told || noticed).await
}

/// What is kept of a secret until it is enabled: when that ends, and a hash. The secret has 160
/// bits, so nobody finds it from a plain hash.
fn proof(user: UserId, secret: &str, ends: i64) -> String {
    let digest = Sha256::digest(format!("{user} {secret}"));
    let mut text = format!("{ends}.");
    for byte in digest {
        // Writing to a string never fails.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// As authenticator apps read it (contract/users.md §8).
fn otpauth_url(project: &str, account: &str, secret: &str) -> String {
    let encode = |text: &str| -> String {
        url::form_urlencoded::byte_serialize(text.as_bytes())
            .collect::<String>()
            .replace('+', "%20")
    };
    let (issuer, account) = (encode(project), encode(account));
    format!(
        "otpauth://totp/{issuer}:{account}?secret={secret}&period=30&digits=6&algorithm=SHA1&issuer={issuer}"
    )
}

fn picture(text: &str) -> Result<String> {
    let code = QrCode::new(text).map_err(|error| Error::internal(error.to_string()))?;
    Ok(code
        .render::<svg::Color<'_>>()
        .min_dimensions(200, 200)
        .build())
}

fn new_codes() -> Result<Vec<String>> {
    (0..CODES).map(|_| new_code()).collect()
}

/// 24 letters and digits of base 32: 120 bits.
fn new_code() -> Result<String> {
    let mut code = Secret::new(random::<15>()?.as_slice().into()).to_base32();
    code.retain(|c| c.is_ascii_alphanumeric());
    code.truncate(CODE_LENGTH);
    Ok(code)
}

fn grouped(code: &str) -> String {
    let mut grouped = String::with_capacity(code.len() + code.len() / 4);
    for (index, c) in code.chars().enumerate() {
        if index > 0 && index % 4 == 0 {
            grouped.push('-');
        }
        grouped.push(c);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_for_apps_names_project_and_account() {
        let url = otpauth_url("Ada & Co", "ada+x@example.com", "SECRET");

        assert_eq!(
            url,
            "otpauth://totp/Ada%20%26%20Co:ada%2Bx%40example.com?secret=SECRET&period=30&digits=6&algorithm=SHA1&issuer=Ada%20%26%20Co"
        );
        assert!(picture(&url).expect("a picture").contains("<svg"));
    }

    #[test]
    fn a_recovery_code_is_long_and_grouped() {
        let code = new_code().expect("a code");

        assert_eq!(code.len(), CODE_LENGTH);
        assert_eq!(grouped(&code).len(), CODE_LENGTH + 5);
    }
}

//! Secrets in a write: judged, then replaced by what may be stored of them.

use roster_domain::error::field as problem;
use roster_domain::{Error, Problem, Result, Valid};
use roster_storage::settings;
use serde_json::json;

use super::{Policy, common};
use crate::Inner;

/// Static tokens are chosen by clients; shorter ones can be guessed.
const SHORTEST_TOKEN: usize = 16;
const LONGEST_TOKEN: usize = 255;
/// Longer passwords only keep the hasher busy.
const LONGEST_PASSWORD: usize = 1_024;

/// Values whose secrets are sealed.
pub(crate) struct Sealed(pub(crate) Valid);

/// Judges the secrets of a write and replaces them by their hashes. `email` is the address the
/// record will have.
///
/// # Errors
/// `FAILED_VALIDATION` for a password or token that is not fit; it is not repeated.
pub(crate) async fn seal(inner: &Inner, mut valid: Valid, email: Option<&str>) -> Result<Sealed> {
    let mut problems = Vec::new();
    if valid.plain("tfa_secret").is_some() {
        let reason = "You can't change the \"tfa_secret\" value manually";
        return Err(Error::invalid_payload(reason));
    }
    if let Some(password) = valid.plain("password") {
        problems.extend(problem_of(inner, password, email).await?);
    }
    if let Some(token) = valid.plain("token") {
        problems.extend(judge_token(token));
    }
    if let Some(error) = Error::of(problems) {
        return Err(error);
    }
    if let Some(token) = valid.plain("token") {
        let hash = inner.keys.token_hashes(token).next().unwrap_or_default();
        valid.seal("token", hash);
    }
    if let Some(password) = valid.plain("password") {
        let hash = inner.hasher.hash(password).await?;
        valid.seal("password", hash);
    }
    // Fields that were added: hashed where they ask for it, else kept as they are and never shown.
    for (name, is_hashed) in valid.open() {
        let Some(plain) = valid.plain(&name) else {
            continue;
        };
        let stored = if is_hashed && !plain.is_empty() {
            inner.hasher.hash(plain).await?
        } else {
            plain.to_owned()
        };
        valid.seal(&name, stored);
    }
    Ok(Sealed(valid))
}

/// Refuses a password that is not fit, before anything else is looked at: whether somebody is
/// known must not show in it.
///
/// # Errors
/// `FAILED_VALIDATION`; the password is not repeated.
pub(crate) async fn judge(inner: &Inner, password: &str, email: Option<&str>) -> Result<()> {
    let problem = problem_of(inner, password, email).await?;
    problem.map_or(Ok(()), |problem| Err(problem.into()))
}

async fn problem_of(inner: &Inner, password: &str, email: Option<&str>) -> Result<Option<Problem>> {
    let rule = settings::password_policy(&inner.store).await?;
    let shortest = inner.settings.password.min_length;
    if let Some(problem) = judge_password(password, email, shortest, rule.as_deref()) {
        return Ok(Some(problem));
    }
    if !inner.settings.password.reject_common {
        return Ok(None);
    }
    let project = settings::project_name(&inner.store).await?;
    let words = common::words([
        email.unwrap_or_default(),
        &project,
        &inner.settings.accounts.public_url,
        "roster",
    ]);
    let is_guessed = common::is_common(password) || common::is_word(password, &words);
    let clause = "Value is too common or too easy to guess.";
    Ok(is_guessed.then(|| problem::failed("password", "common", clause)))
}

fn judge_password(
    password: &str,
    email: Option<&str>,
    shortest: usize,
    rule: Option<&str>,
) -> Option<Problem> {
    let length = password.chars().count();
    let clause = if length < shortest {
        format!("Value has to have at least {shortest} characters.")
    } else if length > LONGEST_PASSWORD {
        format!("Value can't have more than {LONGEST_PASSWORD} characters.")
    } else if email.is_some_and(|email| email.eq_ignore_ascii_case(password)) {
        "Value can't be the e-mail address.".to_owned()
    } else if rule.is_some_and(|rule| !Policy::parse(rule).is_ok_and(|rule| rule.allows(password)))
    {
        "Value doesn't have the correct format.".to_owned()
    } else {
        return None;
    };
    Some(problem::failed("password", "regex", &clause))
}

fn judge_token(token: &str) -> Option<Problem> {
    let length = token.chars().count();
    let is_fit = (SHORTEST_TOKEN..=LONGEST_TOKEN).contains(&length)
        && token.chars().all(|c| c.is_ascii_graphic());
    let clause = format!(
        "Value has to have {SHORTEST_TOKEN} to {LONGEST_TOKEN} characters of ASCII without blanks."
    );
    (!is_fit).then(|| {
        problem::failed("token", "regex", &clause).with("min_length", json!(SHORTEST_TOKEN))
    })
}

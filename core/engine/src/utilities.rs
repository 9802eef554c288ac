//! Hashes and random strings.

use roster_domain::query::Parameters;
use roster_domain::{Error, Principal, Result};
use serde_json::Value as Json;

use crate::Inner;
use crate::context::Context;
use crate::secrets::Verified;

/// Longer strings only keep the hasher busy.
const LONGEST: usize = 1_024;
const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Hashing is work that strangers cannot ask for.
fn refuse_strangers(cx: &Context) -> Result<()> {
    match cx.principal {
        Principal::Public => Err(Error::forbidden()),
        _ => Ok(()),
    }
}

fn text<'b>(body: &'b Json, name: &str) -> Result<&'b str> {
    match body.get(name) {
        Some(Json::String(text)) if text.is_empty() => Err(Error::invalid_payload(format!(
            "\"{name}\" is not allowed to be empty"
        ))),
        Some(Json::String(text)) if text.len() > LONGEST => Err(Error::invalid_payload(format!(
            "\"{name}\" takes at most {LONGEST} bytes"
        ))),
        Some(Json::String(text)) => Ok(text),
        Some(_) => Err(Error::invalid_payload(format!(
            "\"{name}\" must be a string"
        ))),
        None => Err(Error::invalid_payload(format!("\"{name}\" is required"))),
    }
}

/// The hash of a string, as passwords are hashed.
pub(crate) async fn generate_hash(inner: &Inner, cx: &Context, body: &Json) -> Result<String> {
    refuse_strangers(cx)?;
    let string = text(body, "string")?;
    let _place = inner.hasher.errand().await?;
    inner.hasher.hash(string).await
}

/// Whether a hash is one of a string.
pub(crate) async fn verify_hash(inner: &Inner, cx: &Context, body: &Json) -> Result<bool> {
    refuse_strangers(cx)?;
    let (string, hash) = (text(body, "string")?, text(body, "hash")?);
    inner.hasher.check_sent(hash)?;
    let _place = inner.hasher.errand().await?;
    let verified = inner.hasher.verify(string, Some(hash)).await?;
    Ok(!matches!(verified, Verified::No))
}

/// A random string of letters and digits.
pub(crate) fn random_string(cx: &Context, parameters: &Parameters) -> Result<String> {
    refuse_strangers(cx)?;
    let bad = || Error::invalid_query("\"length\" must be a number from 1 to 500");
    let length: usize = match parameters.get("length") {
        None => 32,
        Some(Json::String(text)) => text.parse().map_err(|_| bad())?,
        Some(_) => return Err(bad()),
    };
    if !(1..=500).contains(&length) {
        return Err(bad());
    }
    let mut string = String::with_capacity(length);
    while string.len() < length {
        // Bytes beyond a multiple of the number of letters would favour the first ones.
        let fair = crate::system::random::<64>()?
            .into_iter()
            .filter(|byte| *byte < 248);
        let letters = fair.map(|byte| char::from(LETTERS[usize::from(byte) % LETTERS.len()]));
        string.extend(letters.take(length - string.len()));
    }
    Ok(string)
}

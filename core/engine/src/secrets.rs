//! argon2, JWT and HMAC behind small types.

mod common;
mod keys;
mod mailed;
mod password;
mod policy;
mod refresh;
mod seal;
mod vault;

pub(crate) use keys::{AccessClaims, Actor, Keys, is_access_token};
pub(crate) use mailed::Purpose;
pub(crate) use password::{Hasher, Verified};
pub(crate) use policy::Policy;
pub(crate) use refresh::RefreshToken;
pub(crate) use seal::{Sealed, judge, seal};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use roster_domain::Result;

use crate::settings::Secret;
use crate::system::random;

/// A secret that nobody chose: 256 bits as 43 characters.
///
/// # Errors
/// `INTERNAL_SERVER_ERROR` if the operating system has no randomness to give.
pub fn random_secret() -> Result<Secret> {
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(random::<32>()?)))
}

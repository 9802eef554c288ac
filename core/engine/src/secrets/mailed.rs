//! Tokens that are mailed: JWTs whose `jti` is a secret of which only the hash is stored
//! (contract/emails.md §4, design: deviations 3 and 6).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, Header, Validation};
use roster_domain::{Code, Error, Result, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Keys;
use crate::system::random;

/// What a mailed token is good for, and for nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To accept an invitation.
    Invite,
    /// To set a new password.
    Reset,
    /// To prove the address of a registration.
    Verify,
}

impl Purpose {
    /// The claim `scope`, and the word in the database.
    pub(crate) const fn scope(self) -> &'static str {
        match self {
            Self::Invite => "invite",
            Self::Reset => "password-reset",
            Self::Verify => "pending-registration",
        }
    }
}

/// The claims of a mailed token.
#[derive(Serialize, Deserialize)]
struct Claims {
    email: String,
    scope: String,
    jti: String,
    iat: i64,
    exp: i64,
    iss: String,
}

/// A mailed token: the text that is mailed and what is stored of it.
pub(crate) struct Mailed {
    pub(crate) text: String,
    pub(crate) secret_hash: Vec<u8>,
}

impl Keys {
    /// Makes a token for an address.
    pub(crate) fn mail_token(
        &self,
        purpose: Purpose,
        email: &str,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<Mailed> {
        let jti = URL_SAFE_NO_PAD.encode(random::<32>()?);
        let secret_hash = Sha256::digest(&jti).to_vec();
        let claims = Claims {
            email: email.to_owned(),
            scope: purpose.scope().to_owned(),
            jti,
            iat: now.timestamp(),
            exp: expires_at.timestamp(),
            iss: Self::issuer(),
        };
        let key = self.mail().next();
        let (key, _) = key.ok_or_else(|| Error::internal("no secret to sign tokens with"))?;
        let text = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, key)
            .map_err(Error::internal)?;
        Ok(Mailed { text, secret_hash })
    }

    /// Verifies a token; gives the address it was mailed to and what is stored of it.
    ///
    /// # Errors
    /// `INVALID_TOKEN`, `TOKEN_EXPIRED`; `FORBIDDEN` for a token of ours that is for something else.
    pub(crate) fn mailed(
        &self,
        purpose: Purpose,
        token: &str,
        now: Timestamp,
    ) -> Result<(String, Vec<u8>)> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims = ["iss".to_owned()].into();
        validation.set_issuer(&[Self::issuer()]);
        let claims = self
            .mail()
            .find_map(|(_, key)| jsonwebtoken::decode::<Claims>(token, key, &validation).ok());
        let Some(claims) = claims else {
            // A token of another kind is no forgery, but it is for something else.
            return match self.verify(token, now) {
                Ok(_) => Err(Error::forbidden()),
                Err(_) => Err(Code::InvalidToken.into()),
            };
        };
        let claims = claims.claims;
        if claims.exp <= now.timestamp() {
            return Err(Code::TokenExpired.into());
        }
        if claims.scope != purpose.scope() {
            return Err(Error::forbidden());
        }
        Ok((claims.email, Sha256::digest(&claims.jti).to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use roster_domain::clock;

    use super::*;
    use crate::settings::Secret;

    #[test]
    fn a_token_is_for_one_purpose_and_for_a_time() {
        let keys = Keys::new(&[Secret::new("first")]).expect("keys");
        let now = clock::parse("2026-01-01T00:00:00Z").expect("a time");
        let end = now + chrono::TimeDelta::hours(1);
        let made = keys
            .mail_token(Purpose::Reset, "ada@example.com", now, end)
            .expect("a token");

        let judge = |purpose, at| keys.mailed(purpose, &made.text, at);
        let known = ("ada@example.com".to_owned(), made.secret_hash.clone());
        assert_eq!(judge(Purpose::Reset, now).ok(), Some(known));
        let code = |purpose, at| judge(purpose, at).unwrap_err().code().clone();
        assert_eq!(code(Purpose::Reset, end), Code::TokenExpired);
        assert_eq!(code(Purpose::Invite, now), Code::Forbidden);
        let other = Keys::new(&[Secret::new("other")]).expect("keys");
        let refused = other.mailed(Purpose::Reset, &made.text, now).unwrap_err();
        assert_eq!(refused.code(), &Code::InvalidToken);
        assert!(keys.verify(&made.text, now).is_err());
    }
}

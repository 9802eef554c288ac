//! Keys derived from the configured secrets, and what they sign.

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::KeyInit as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use roster_domain::{Code, Error, Result, SessionId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::settings::Secret;

const ISSUER: &str = "directus";
/// `{"typ":"JWT","alg":"HS256"}` in either order. No other header is looked at, so there is nothing
/// in it to be talked into: no other algorithm, no `kid`, `jku`, `x5u` or `crit`.
const HEADERS: [&str; 2] = [
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9",
];

/// The claims of an access token (contract/auth.md §2). `sid` is ours: it ties the token to its
/// session, so that the token dies with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AccessClaims {
    pub(crate) id: UserId,
    pub(crate) role: Option<roster_domain::RoleId>,
    pub(crate) app_access: bool,
    pub(crate) admin_access: bool,
    pub(crate) sid: SessionId,
    /// The refresh token, in mode `session`: the one cookie is both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) session: Option<String>,
    /// Who acts instead of the user (RFC 8693 §4.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) act: Option<Actor>,
    /// Whether a second factor is asked for that is not set up yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) enforce_tfa: bool,
    pub(crate) iat: i64,
    pub(crate) exp: i64,
    pub(crate) iss: String,
    /// What plugins add. None of it is read again, and none of it has a name of ours.
    #[serde(flatten, skip_deserializing)]
    pub(crate) added: serde_json::Map<String, serde_json::Value>,
}

/// Who acts instead of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Actor {
    pub(crate) sub: UserId,
}

/// Claims as they come in. An expired token is called that before anything is missed in it.
#[derive(Deserialize)]
struct Presented {
    id: Option<UserId>,
    role: Option<roster_domain::RoleId>,
    app_access: Option<bool>,
    admin_access: Option<bool>,
    sid: Option<SessionId>,
    session: Option<String>,
    act: Option<Actor>,
    #[serde(default)]
    enforce_tfa: bool,
    iat: Option<i64>,
    exp: i64,
    iss: String,
}

impl Presented {
    fn complete(self) -> Option<AccessClaims> {
        Some(AccessClaims {
            id: self.id?,
            role: self.role,
            app_access: self.app_access?,
            admin_access: self.admin_access?,
            sid: self.sid?,
            session: self.session,
            act: self.act,
            enforce_tfa: self.enforce_tfa,
            iat: self.iat?,
            exp: self.exp,
            iss: self.iss,
            added: serde_json::Map::new(),
        })
    }
}

/// One configured secret and what is derived from it.
struct Key {
    encoding: EncodingKey,
    decoding: DecodingKey,
    refresh: Hmac<Sha256>,
    token: Hmac<Sha256>,
    code: Hmac<Sha256>,
    mail: (EncodingKey, DecodingKey),
    vault: Aes256Gcm,
}

/// The key ring: the first key signs, all verify.
pub(crate) struct Keys {
    ring: Vec<Key>,
    validation: Validation,
}

impl Keys {
    /// A ring of these secrets; `None` without any.
    pub(crate) fn new(secrets: &[Secret]) -> Option<Self> {
        let mut validation = Validation::new(Algorithm::HS256);
        // The expiry is compared with our clock, to the millisecond and without leeway.
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims = ["iss".to_owned()].into();
        validation.set_issuer(&[ISSUER]);
        let ring: Vec<Key> = secrets.iter().map(Key::new).collect();
        (!ring.is_empty()).then_some(Self { ring, validation })
    }

    /// Signs an access token.
    pub(crate) fn sign(&self, claims: &AccessClaims) -> Result<String> {
        jsonwebtoken::encode(
            &Header::new(Algorithm::HS256),
            claims,
            &self.ring[0].encoding,
        )
        .map_err(Error::internal)
    }

    /// Verifies an access token.
    ///
    /// # Errors
    /// `INVALID_TOKEN`, `TOKEN_EXPIRED`.
    pub(crate) fn verify(&self, token: &str, now: Timestamp) -> Result<AccessClaims> {
        let (header, _) = token.split_once('.').ok_or(Code::InvalidToken)?;
        if token.split('.').count() != 3 || !HEADERS.contains(&header) {
            return Err(Code::InvalidToken.into());
        }
        let claims = self.ring.iter().find_map(|key| {
            jsonwebtoken::decode::<Presented>(token, &key.decoding, &self.validation).ok()
        });
        let claims = claims.ok_or(Code::InvalidToken)?.claims;
        if claims.exp <= now.timestamp() {
            return Err(Code::TokenExpired.into());
        }
        claims.complete().ok_or_else(|| Code::InvalidToken.into())
    }

    /// The issuer of an access token of ours.
    pub(crate) fn issuer() -> String {
        ISSUER.to_owned()
    }

    /// What is stored of a static token, by each key; the first is the one to store.
    pub(crate) fn token_hashes(&self, token: &str) -> impl Iterator<Item = String> {
        self.ring.iter().map(|key| {
            let mac = key.token.clone().chain_update(token.as_bytes()).finalize();
            URL_SAFE_NO_PAD.encode(mac.into_bytes())
        })
    }

    /// What is stored of a recovery code of a user, by each key; the first is the one to store.
    pub(crate) fn code_hashes(&self, user: UserId, code: &str) -> impl Iterator<Item = String> {
        self.ring.iter().map(move |key| {
            let mac = key.code.clone().chain_update(user.0.as_bytes());
            let mac = mac.chain_update(code.as_bytes()).finalize();
            URL_SAFE_NO_PAD.encode(mac.into_bytes())
        })
    }

    /// The keys of mailed tokens; the first signs.
    pub(super) fn mail(&self) -> impl Iterator<Item = &(EncodingKey, DecodingKey)> {
        self.ring.iter().map(|key| &key.mail)
    }

    /// What encrypts what is kept; the first encrypts, all decrypt.
    pub(super) fn vaults(&self) -> impl Iterator<Item = &Aes256Gcm> {
        self.ring.iter().map(|key| &key.vault)
    }

    /// The secret that follows another one of a session, by each key; the first is the present one.
    pub(crate) fn successors(
        &self,
        session: SessionId,
        sequence: i64,
        secret: &[u8],
    ) -> impl Iterator<Item = [u8; 32]> {
        self.ring.iter().map(move |key| {
            let mac = key
                .refresh
                .clone()
                .chain_update(session.0.as_bytes())
                .chain_update(sequence.to_be_bytes())
                .chain_update(secret);
            mac.finalize().into_bytes().into()
        })
    }
}

impl Key {
    fn new(secret: &Secret) -> Self {
        let secret = secret.expose().as_bytes();
        // One key for each purpose, so that nothing signed for one is good for another.
        let bytes = |purpose: &str| {
            let mac = keyed(secret).chain_update(purpose.as_bytes());
            <[u8; 32]>::from(mac.finalize().into_bytes())
        };
        let derive = |purpose: &str| keyed(&bytes(purpose));
        let mail = bytes("roster mailed token v1");
        Self {
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
            refresh: derive("roster refresh token v1"),
            token: derive("roster static token v1"),
            code: derive("roster recovery code v1"),
            mail: (
                EncodingKey::from_secret(&mail),
                DecodingKey::from_secret(&mail),
            ),
            vault: Aes256Gcm::new(&bytes("roster vault v1").into()),
        }
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of every length (RFC 2104 §3)")
}

/// Whether a token is a JWT of ours by its looks; anything else is a static token
/// (contract/auth.md §1).
pub(crate) fn is_access_token(token: &str) -> bool {
    let mut parts = token.split('.');
    let (Some(_), Some(payload), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let claims = URL_SAFE_NO_PAD.decode(payload).ok();
    let claims = claims.and_then(|json| serde_json::from_slice::<serde_json::Value>(&json).ok());
    claims.is_some_and(|claims| claims.get("iss").and_then(|iss| iss.as_str()) == Some(ISSUER))
}

#[cfg(test)]
mod tests {
    use roster_domain::clock;
    use uuid::Uuid;

    use super::*;

    fn keys(secrets: &[&str]) -> Keys {
        Keys::new(&secrets.iter().map(|s| Secret::new(*s)).collect::<Vec<_>>()).expect("a secret")
    }

    fn claims(exp: i64) -> AccessClaims {
        AccessClaims {
            id: UserId(Uuid::from_u128(1)),
            role: None,
            app_access: false,
            admin_access: false,
            sid: SessionId(Uuid::from_u128(2)),
            session: None,
            act: None,
            enforce_tfa: false,
            iat: exp - 900,
            exp,
            iss: Keys::issuer(),
            added: serde_json::Map::new(),
        }
    }

    #[test]
    fn a_token_is_good_until_it_expires_and_not_a_second_longer() {
        let now = clock::parse("2026-01-01T00:00:00Z").expect("a time");
        let keys = keys(&["first"]);

        let good = keys.sign(&claims(now.timestamp() + 1)).expect("signed");
        let late = keys.sign(&claims(now.timestamp())).expect("signed");

        assert!(keys.verify(&good, now).is_ok());
        assert_eq!(
            keys.verify(&late, now).unwrap_err().code(),
            &Code::TokenExpired
        );
    }

    #[test]
    fn a_previous_secret_verifies_and_a_strange_one_does_not() {
        let now = clock::parse("2026-01-01T00:00:00Z").expect("a time");
        let token = keys(&["old"])
            .sign(&claims(now.timestamp() + 60))
            .expect("signed");

        assert!(keys(&["new", "old"]).verify(&token, now).is_ok());
        assert_eq!(
            keys(&["new"]).verify(&token, now).unwrap_err().code(),
            &Code::InvalidToken
        );
    }

    #[test]
    fn other_algorithms_and_missing_claims_are_refused() {
        let now = clock::parse("2026-01-01T00:00:00Z").expect("a time");
        let keys = keys(&["first"]);
        let sign = |alg, claims: serde_json::Value| {
            let key = EncodingKey::from_secret(b"first");
            jsonwebtoken::encode(&Header::new(alg), &claims, &key).expect("signed")
        };
        let full = serde_json::to_value(claims(now.timestamp() + 60)).expect("claims");
        let mut bare = full.clone();
        bare.as_object_mut().expect("an object").remove("sid");

        for token in [sign(Algorithm::HS512, full), sign(Algorithm::HS256, bare)] {
            assert_eq!(
                keys.verify(&token, now).unwrap_err().code(),
                &Code::InvalidToken
            );
        }
    }

    #[test]
    fn a_header_that_says_more_is_refused() {
        let now = clock::parse("2026-01-01T00:00:00Z").expect("a time");
        let keys = keys(&["first"]);
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some("first".to_owned());
        let key = EncodingKey::from_secret(b"first");
        let token = jsonwebtoken::encode(&header, &claims(now.timestamp() + 60), &key);

        let refused = keys.verify(&token.expect("signed"), now).unwrap_err();
        assert_eq!(refused.code(), &Code::InvalidToken);
    }

    #[test]
    fn each_purpose_has_its_own_key() {
        let keys = keys(&["first"]);
        let token = keys.token_hashes("x").next().expect("a hash");
        let id = SessionId(Uuid::nil());
        let refresh = keys.successors(id, 0, b"x").next().expect("a secret");

        assert_ne!(token, URL_SAFE_NO_PAD.encode(refresh));
    }
}

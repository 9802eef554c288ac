//! Refresh tokens: session id ‖ sequence ‖ secret, base64url.
//!
//! The next secret is an HMAC over all three, so the loser of a race computes the same one, and an
//! old token can be proved old: its chain leads to the present secret. Only hashes are stored.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use roster_domain::session::{Proof, Session};
use roster_domain::{Result, SessionId};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::secrets::Keys;
use crate::system::random;

/// How far back a stolen token is recognised. A session of 30 days refreshed every 15 minutes
/// rotates fewer times.
const CHAIN: i64 = 3_000;

/// A refresh token.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct RefreshToken {
    pub(crate) session: SessionId,
    pub(crate) sequence: i64,
    secret: [u8; 32],
}

impl RefreshToken {
    /// The first token of a session.
    pub(crate) fn first(session: SessionId) -> Result<Self> {
        Ok(Self {
            session,
            sequence: 1,
            secret: random()?,
        })
    }

    /// Reads a token; it has to be complete and in the one spelling we give out.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 56] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (session, rest) = bytes.split_at(16);
        let (sequence, secret) = rest.split_at(8);
        Some(Self {
            session: SessionId(Uuid::from_slice(session).ok()?),
            sequence: i64::from_be_bytes(sequence.try_into().ok()?),
            secret: secret.try_into().ok()?,
        })
    }

    /// The token as the client keeps it.
    pub(crate) fn to_text(&self) -> String {
        let mut bytes = Vec::with_capacity(56);
        bytes.extend_from_slice(self.session.0.as_bytes());
        bytes.extend_from_slice(&self.sequence.to_be_bytes());
        bytes.extend_from_slice(&self.secret);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// What is stored of it.
    pub(crate) fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.secret).to_vec()
    }

    /// The token that follows it.
    pub(crate) fn successor(&self, keys: &Keys) -> Self {
        let sequence = self.sequence.saturating_add(1);
        let secret = keys.successors(self.session, sequence, &self.secret).next();
        Self {
            secret: secret.unwrap_or(self.secret),
            sequence,
            session: self.session,
        }
    }

    /// The successor by whichever key leads to the stored secret, if one does.
    pub(crate) fn known_successor(&self, keys: &Keys, session: &Session) -> Option<Self> {
        let sequence = self.sequence.checked_add(1)?;
        let next = keys.successors(self.session, sequence, &self.secret);
        next.map(|secret| Self {
            secret,
            sequence,
            session: self.session,
        })
        .find(|next| next.is_current(session))
    }

    /// What it proves about a session.
    pub(crate) fn proof(&self, keys: &Keys, session: &Session) -> Proof {
        if self.is_current(session) {
            return Proof::Current;
        }
        let behind = session.sequence.saturating_sub(self.sequence);
        if self.session != session.id || !(1..=CHAIN).contains(&behind) || self.sequence < 1 {
            return Proof::None;
        }
        if behind == 1 {
            return match self.known_successor(keys, session) {
                Some(_) => Proof::Previous,
                None => Proof::None,
            };
        }
        let last = (1..behind).fold(self.clone(), |token, _| token.successor(keys));
        match last.known_successor(keys, session) {
            Some(_) => Proof::Older,
            None => Proof::None,
        }
    }

    fn is_current(&self, session: &Session) -> bool {
        self.session == session.id
            && self.sequence == session.sequence
            && bool::from(self.hash().ct_eq(&session.secret_hash))
    }
}

#[cfg(test)]
mod tests {
    use roster_domain::{UserId, clock};

    use super::*;
    use crate::settings::Secret;

    fn session(token: &RefreshToken) -> Session {
        let now = clock::parse("2026-01-01T00:00:00Z").expect("a time");
        Session {
            id: token.session,
            user: UserId(Uuid::from_u128(1)),
            sequence: token.sequence,
            secret_hash: token.hash(),
            rotated_at: None,
            expires_at: now,
            ends_at: now,
            mode: "json".to_owned(),
            provider: "default".to_owned(),
        }
    }

    #[test]
    fn a_token_proves_how_old_it_is_and_garbage_proves_nothing() {
        let keys = Keys::new(&[Secret::new("secret")]).expect("keys");
        let first = RefreshToken::first(SessionId(Uuid::from_u128(7))).expect("a token");
        let second = first.successor(&keys);
        let third = second.successor(&keys);
        let stored = session(&third);

        assert_eq!(third.proof(&keys, &stored), Proof::Current);
        assert_eq!(second.proof(&keys, &stored), Proof::Previous);
        assert_eq!(first.proof(&keys, &stored), Proof::Older);
        assert_eq!(third.successor(&keys).proof(&keys, &stored), Proof::None);
        for sequence in [1, 2, 3, 0, -5, i64::MIN, i64::MAX] {
            let forged = RefreshToken {
                secret: [9; 32],
                sequence,
                ..third.clone()
            };
            assert_eq!(forged.proof(&keys, &stored), Proof::None, "{sequence}");
        }
    }

    #[test]
    fn a_token_is_read_in_full_and_in_one_spelling() {
        let token = RefreshToken::first(SessionId(Uuid::from_u128(7))).expect("a token");
        let text = token.to_text();

        assert!(RefreshToken::parse(&text) == Some(token));
        for bad in [
            &text[1..],
            &text[..74],
            &format!("{text}A"),
            &format!("{text}="),
            "",
        ] {
            assert!(RefreshToken::parse(bad).is_none(), "{bad}");
        }
    }
}

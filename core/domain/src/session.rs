//! The rules of refresh token rotation, pure.

use chrono::TimeDelta;

use crate::{SessionId, Timestamp, UserId};

/// A session as stored. The secret itself is never stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id, part of every token of it.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// How often it was rotated; the present token's sequence.
    pub sequence: i64,
    /// SHA-256 of the present secret.
    pub secret_hash: Vec<u8>,
    /// When it was rotated last.
    pub rotated_at: Option<Timestamp>,
    /// When it ends unless it is used.
    pub expires_at: Timestamp,
    /// When it ends however much it is used.
    pub ends_at: Timestamp,
    /// The mode it was begun in: `json`, `cookie` or `session`.
    pub mode: String,
    /// The provider it was begun by; `default` is the local password.
    pub provider: String,
}

/// What a refresh token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// It is the present one: rotate.
    Rotate,
    /// It is the one before, used again within the grace period: the same successor again.
    Repeat,
    /// It is an old one of this session, proven: somebody has a copy. Revoke the session.
    Reuse,
    /// It proves nothing. Refuse, and change nothing.
    Refuse,
}

/// What a presented token proves about a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Its secret is the present one.
    Current,
    /// The successor of its secret is the present one.
    Previous,
    /// It is signed by us for an older sequence.
    Older,
    /// Nothing.
    None,
}

impl Session {
    /// Whether the session has ended by `now`.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires_at || now >= self.ends_at
    }

    /// What to do with a token that proves this much.
    pub fn rotation(&self, proof: Proof, now: Timestamp, grace: TimeDelta) -> Rotation {
        if self.is_expired(now) {
            return Rotation::Refuse;
        }
        match proof {
            Proof::Current => Rotation::Rotate,
            // A request may have been accepted before the rotation it lost to: without a grace
            // period that is no excuse either.
            Proof::Previous
                if grace > TimeDelta::zero()
                    && self.rotated_at.is_some_and(|at| now - at < grace) =>
            {
                Rotation::Repeat
            }
            Proof::Previous | Proof::Older => Rotation::Reuse,
            Proof::None => Rotation::Refuse,
        }
    }
}

#[cfg(test)]
mod tests;

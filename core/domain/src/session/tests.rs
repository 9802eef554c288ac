use chrono::TimeDelta;
use uuid::Uuid;

use super::*;
use crate::clock;

fn session(rotated_seconds_ago: i64) -> (Session, Timestamp) {
    let now = clock::parse("2026-01-01T00:00:00Z").expect("a time");
    let session = Session {
        id: SessionId(Uuid::from_u128(1)),
        user: UserId(Uuid::from_u128(2)),
        sequence: 5,
        secret_hash: Vec::new(),
        rotated_at: Some(now - TimeDelta::seconds(rotated_seconds_ago)),
        expires_at: now + TimeDelta::hours(1),
        ends_at: now + TimeDelta::days(1),
        mode: "json".to_owned(),
        provider: "default".to_owned(),
    };
    (session, now)
}

#[test]
fn the_token_before_is_good_within_the_grace_and_betrays_itself_after_it() {
    let grace = TimeDelta::seconds(10);
    let rotation = |ago, grace| {
        let (session, now) = session(ago);
        session.rotation(Proof::Previous, now, grace)
    };

    assert_eq!(rotation(9, grace), Rotation::Repeat);
    assert_eq!(rotation(10, grace), Rotation::Reuse);
    assert_eq!(rotation(0, TimeDelta::zero()), Rotation::Reuse);
}

#[test]
fn only_proof_does_harm() {
    let (session, now) = session(100);
    let grace = TimeDelta::seconds(10);

    assert_eq!(
        session.rotation(Proof::Current, now, grace),
        Rotation::Rotate
    );
    assert_eq!(session.rotation(Proof::Older, now, grace), Rotation::Reuse);
    assert_eq!(session.rotation(Proof::None, now, grace), Rotation::Refuse);
}

#[test]
fn an_ended_session_refuses_everything() {
    let (session, now) = session(1);
    for later in [session.expires_at, session.ends_at] {
        for proof in [Proof::Current, Proof::Previous, Proof::Older, Proof::None] {
            assert_eq!(
                session.rotation(proof, later, TimeDelta::days(9)),
                Rotation::Refuse
            );
        }
    }
    assert!(!session.is_expired(now));
}

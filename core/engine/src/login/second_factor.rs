//! Judging the second factor: a one-time code, or a recovery code.

use roster_domain::{Result, UserId};
use roster_storage::second_factors;
use totp_rs::{Algorithm, Builder, Secret, Totp};

use crate::Inner;
use crate::context::Context;
use crate::mail::{self, Notice};
use crate::write::{Change, commit, record};

/// Seconds of a step (RFC 6238 §5.2).
const STEP: u64 = 30;
/// Digits of a code.
const DIGITS: u8 = 6;

/// Where the secret of a user is encrypted for.
pub(crate) fn place(user: UserId) -> String {
    format!("tfa {user}")
}

/// The clockwork of a secret: SHA-1, six digits, one step of drift each side.
pub(crate) fn totp(secret: Secret) -> Totp {
    let builder = Builder::new().with_algorithm(Algorithm::SHA1);
    let builder = builder.with_digits(DIGITS).with_skew(1);
    builder
        .with_step_duration(STEP)
        .with_secret(secret)
        .build_noncompliant()
}

/// The step whose code this is, around now.
pub(crate) fn step(secret: Secret, code: &str, cx: &Context) -> Option<i64> {
    let is_code = code.len() == usize::from(DIGITS) && code.bytes().all(|b| b.is_ascii_digit());
    let now = u64::try_from(cx.now.timestamp()).ok()?;
    let step = totp(secret).check(code, now).filter(|_| is_code)?;
    i64::try_from(step).ok()
}

/// Whether a code is right for a user. Each works once, a recovery code as much as a one-time code.
pub(crate) async fn judge(inner: &Inner, cx: &Context, user: UserId, code: &str) -> Result<bool> {
    let factor = second_factors::get(&inner.store, user).await?;
    let Some(secret) = factor.secret else {
        return Ok(false);
    };
    let secret = inner.keys.unlock(&place(user), &secret)?;
    let secret = Secret::try_from_base32(&secret)
        .map_err(|_| roster_domain::Error::internal("a secret that is none"))?;
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    if let Some(step) = step(secret, &code, cx) {
        let mut tx = inner.store.begin().await?;
        let is_fresh = second_factors::take_step(&mut tx, user, step).await?;
        tx.commit().await?;
        return Ok(is_fresh);
    }
    take_recovery_code(inner, cx, user, &code).await
}

async fn take_recovery_code(inner: &Inner, cx: &Context, user: UserId, code: &str) -> Result<bool> {
    let Some(code) = plain(code) else {
        return Ok(false);
    };
    for hash in inner.keys.code_hashes(user, &code) {
        let mut tx = inner.store.begin().await?;
        if second_factors::take_code(&mut tx, user, &hash).await? {
            let change = Change::session("recovery_code_used", user.0);
            record(&mut tx, cx, change).await?;
            let told = mail::notice(inner, &mut tx, cx, user, Notice::RecoveryCodeUsed).await?;
            commit(inner, tx, told).await?;
            return Ok(true);
        }
    }
    Ok(false)
}

/// Letters and digits of a recovery code of ours.
pub(crate) const CODE_LENGTH: usize = 24;

/// A recovery code as it is hashed: without dashes, in upper case.
fn plain(code: &str) -> Option<String> {
    let plain: String = code.chars().filter(|c| *c != '-').collect();
    let is_code = plain.len() == CODE_LENGTH && plain.bytes().all(|b| b.is_ascii_alphanumeric());
    is_code.then(|| plain.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_standard() {
        // RFC 6238, appendix B: SHA-1, cut to six digits.
        let secret = || Secret::new(b"12345678901234567890".as_slice().into());
        for (time, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (2_000_000_000, "279037"),
        ] {
            assert_eq!(totp(secret()).check(code, time), Some(time / 30), "{time}");
            assert_eq!(totp(secret()).check(code, time + 30), Some(time / 30));
            assert_eq!(totp(secret()).check(code, time + 60), None);
        }
    }

    #[test]
    fn recovery_codes_are_read_as_people_write_them() {
        let code = "abcd-efgh-ijkl-mnop-qrst-uvwx";

        assert_eq!(plain(code).as_deref(), Some("ABCDEFGHIJKLMNOPQRSTUVWX"));
        for wrong in ["", "123456", "abcd-efgh", "é".repeat(12).as_str()] {
            assert_eq!(plain(wrong), None);
        }
    }
}

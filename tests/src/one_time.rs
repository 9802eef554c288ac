use std::time::{SystemTime, UNIX_EPOCH};

use totp_rs::{Algorithm, Builder, Secret, Totp};

use crate::eventually;

/// The codes of a secret around one moment, for a server whose clock is the computer's.
pub struct OneTime {
    totp: Totp,
    step: u64,
}

impl OneTime {
    /// The clockwork of a secret. Waits for the next step where this one is nearly over, so that a
    /// test sees one alone.
    pub async fn of(secret: &str) -> Self {
        let secret = Secret::try_from_base32(secret).expect("base 32");
        let builder = Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(6);
        // A step that begins leaves time for the whole test.
        let look = async || (millis() % 30_000 < 22_000).then_some(());
        eventually("the next step", look).await;
        Self {
            totp: builder
                .with_step_duration(30)
                .with_secret(secret)
                .build_noncompliant(),
            step: millis() / 30_000,
        }
    }

    /// The code of a step so many before or after the present one.
    pub fn code(&self, offset: i64) -> String {
        let step = self.step.checked_add_signed(offset).expect("a step");
        self.totp.generate(step * 30).to_string()
    }

    /// A code that is right neither now nor around now.
    pub fn wrong(&self) -> String {
        let near: Vec<String> = (-3..=3).map(|offset| self.code(offset)).collect();
        (0..1_000_u32)
            .map(|n| format!("{n:06}"))
            .find(|code| !near.contains(code))
            .expect("a code")
    }
}

fn millis() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(now.expect("a time").as_millis()).expect("a time")
}

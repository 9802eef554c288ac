use std::time::Duration;

use tokio::time::{Instant, interval};

/// How long a test waits for what it expects before it fails.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Looks again and again until there is what is expected.
#[track_caller]
pub fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut look: impl FnMut() -> F,
) -> impl Future<Output = T> {
    let caller = std::panic::Location::caller();
    async move {
        let deadline = Instant::now() + PATIENCE;
        let mut turns = interval(Duration::from_millis(5));
        loop {
            turns.tick().await;
            if let Some(found) = look().await {
                return found;
            }
            assert!(
                Instant::now() < deadline,
                "{caller}: waited in vain for {what}"
            );
        }
    }
}

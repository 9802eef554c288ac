//! How often an address may try. Counted in the database, so that all nodes agree.

use std::net::IpAddr;

use chrono::TimeDelta;
use roster_domain::{Code, Problem, Result, Timestamp, clock, lockout};
use roster_storage::limits;

use super::settings::Rate;
use crate::Inner;
use crate::context::Context;

/// What is tried: each has a count of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tried {
    /// A secret: a password, a code, a mailed token.
    Login,
    /// A registration.
    Register,
    /// Any request.
    Api,
}

/// Counts a try of the client's address.
///
/// # Errors
/// `REQUESTS_EXCEEDED` when there were too many, with the seconds to wait as `retry_after`.
pub(crate) async fn count(inner: &Inner, cx: &Context, tried: Tried) -> Result<()> {
    count_of(inner, cx.client.ip, cx.now, tried).await
}

/// Counts a try of an address, before it is known who tries.
///
/// # Errors
/// As for [`count`].
pub(crate) async fn count_of(
    inner: &Inner,
    ip: Option<IpAddr>,
    now: Timestamp,
    tried: Tried,
) -> Result<()> {
    let rates = &inner.settings.accounts.rates;
    let (name, rate) = match tried {
        Tried::Login => ("login", rates.login),
        Tried::Register => ("register", rates.register),
        Tried::Api => ("api", rates.api),
    };
    let Some(Rate { count, per }) = rate else {
        return Ok(());
    };
    let key = format!("{name}:{}", lockout::bucket(ip));
    let ends_at = now + TimeDelta::from_std(per).unwrap_or(TimeDelta::MAX);
    let mut tx = inner.store.begin().await?;
    let window = limits::count(&mut tx, &key, now, ends_at).await?;
    if window.tries == 1 {
        limits::sweep(&mut tx, now).await?;
    }
    tx.commit().await?;
    if window.tries <= i64::from(count) {
        return Ok(());
    }
    metrics::counter!("roster_limited_total", "what" => name).increment(1);
    let left = (window.ends_at - now).num_milliseconds().max(0);
    let seconds = (left + 999) / 1_000;
    Err(Problem::new(Code::RequestsExceeded)
        .saying(format!("Too many requests, retry after {seconds}s."))
        .with("limit", count)
        .with("reset", clock::format(window.ends_at))
        .with("retry_after", seconds)
        .into())
}

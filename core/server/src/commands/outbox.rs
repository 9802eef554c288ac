//! `roster outbox`: what waits, what was given up, and telling it again.

use std::io::{self, Write};

use roster_domain::{Clock, Result};
use roster_engine::{Delivery, Replay, SystemClock};
use roster_storage::deliveries::{self, Selection};
use roster_storage::{Store, Tx};
use serde_json::json;

use super::{failed, opened};
use crate::cli::{Exit, Outbox};
use crate::config::Config;

/// The name under which the command line wakes the nodes: that of no node.
const NOBODY: &str = "command line";

pub(crate) async fn run(
    config: &Config,
    command: Outbox,
    out: &mut impl Write,
    err: &mut impl Write,
) -> io::Result<Exit> {
    let store = match opened(config).await {
        Ok(store) => store,
        Err(error) => return failed(err, &error),
    };
    let done = execute(&store, command).await;
    store.close().await;
    match done {
        Ok(lines) => {
            for line in lines {
                writeln!(out, "{line}")?;
            }
            Ok(Exit::Ok)
        }
        Err(error) => failed(err, &error),
    }
}

async fn execute(store: &Store, command: Outbox) -> Result<Vec<String>> {
    match command {
        Outbox::List {
            state,
            subscriber,
            limit,
        } => {
            let selection = Selection {
                state,
                subscriber,
                event: None,
            };
            let listed = deliveries::list(store, &selection, limit).await?;
            Ok(listed
                .into_iter()
                .map(|listed| line(&Delivery::of(listed)))
                .collect())
        }
        Outbox::Retry { id, subscriber } => {
            let mut tx = store.begin().await?;
            let now = SystemClock.now();
            let count = deliveries::retry(&mut tx, id, subscriber.as_deref(), now).await?;
            finish(store, tx, count).await
        }
        Outbox::Replay {
            event,
            since,
            subscriber,
        } => {
            let body = match (event, since) {
                (Some(event), _) => json!({ "event": event, "subscriber": subscriber }),
                (None, since) => json!({ "since": since, "subscriber": subscriber }),
            };
            let Replay { from, subscriber } = Replay::parse(&body)?;
            let mut tx = store.begin().await?;
            let now = SystemClock.now();
            let count = deliveries::replay(&mut tx, from, subscriber.as_deref(), now).await?;
            finish(store, tx, count).await
        }
    }
}

async fn finish(store: &Store, tx: Tx, count: u64) -> Result<Vec<String>> {
    tx.commit().await?;
    if count > 0
        && let Err(error) = deliveries::wake_others(store, NOBODY).await
    {
        // They look by themselves before long.
        tracing::debug!(%error, "nodes not woken");
    }
    Ok(vec![format!("{count} deliveries")])
}

fn line(delivery: &Delivery) -> String {
    let Delivery {
        id,
        event,
        name,
        collection,
        item,
        subscriber,
        state,
        attempts,
        created_at,
        ..
    } = delivery;
    let reason = match &delivery.last_error {
        Some(reason) => format!(" {}", reason.replace('\n', " ")),
        None => String::new(),
    };
    format!(
        "{id} {state} {created_at} {collection}.{name} {item} to {subscriber}, attempts {attempts}, event {event}{reason}"
    )
}

//! The permission engine against an oracle: a naive evaluator that was written from the contract
//! alone and judges one item after the other, in memory.
//!
//! A seed is a world: roles, policies, rules, users, addresses, and what they ask for and do.
//! `ROSTER_ORACLE_WORLDS` says how many worlds are played, `ROSTER_ORACLE_SEED` which one is the
//! first.

mod aggregate;
mod decision;
mod explained;
mod filter;
mod judge;
mod make;
mod phrase;
mod play;
mod query;
mod read;
mod rights;
mod shape;
mod tell;
mod world;
mod write;

use roster_tests::{Kind, kind};

use self::play::{Stage, Tally};

/// How many decisions a world is asked for.
const DECISIONS: usize = 50;
/// How many worlds are played unless something else is said.
fn worlds() -> u64 {
    match kind() {
        Kind::Sqlite => 400,
        Kind::Postgres => 100,
    }
}
/// How many disagreements are told at most.
const TOLD: usize = 3;

fn number(variable: &str, default: u64) -> u64 {
    let given = std::env::var(variable);
    given.map_or(default, |text| text.parse().expect("a number"))
}

/// Plays these worlds on one server.
async fn play(seeds: impl Iterator<Item = u64>) -> (Tally, Vec<String>) {
    let stage = Stage::start().await;
    let (mut tally, mut wrong) = (Tally::default(), Vec::new());
    for seed in seeds {
        match stage.play(seed, DECISIONS).await {
            Ok(world) => {
                tally.allowed += world.allowed;
                tally.refused += world.refused;
                tally.open += world.open;
            }
            Err(text) => wrong.push(text),
        }
        if wrong.len() == TOLD {
            break;
        }
    }
    (tally, wrong)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_engine_decides_as_the_oracle_does() {
    let first = number("ROSTER_ORACLE_SEED", 1);
    let seeds = first..first + number("ROSTER_ORACLE_WORLDS", worlds());
    let even = tokio::spawn(play(seeds.clone().filter(|seed| seed % 2 == 0)));
    let (mut tally, mut wrong) = play(seeds.filter(|seed| seed % 2 == 1)).await;
    let (other, more) = even.await.expect("the other half");
    tally.allowed += other.allowed;
    tally.refused += other.refused;
    tally.open += other.open;
    wrong.extend(more);

    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(tally.allowed > tally.refused, "{tally:?}");
    eprintln!("{tally:?}");
}

/// Worlds in which the two have disagreed, and over what.
const SEEDS: [(u64, &str); 8] = [
    (76, "a removal that changes what its own rule looks at"),
    (95, "a change by query that reaches nobody"),
    (212, "an administrator who is one from elsewhere"),
    (1_625, "a change of what one's own rules look at"),
    (1_768, "a removal from a list that its own rule counts"),
    (
        1_781,
        "another removal from a list that its own rule counts",
    ),
    (2_410, "changes of many, the caller among them"),
    (104_856, "the last digit of an average"),
];

#[tokio::test]
async fn what_was_disagreed_upon_stays_settled() {
    let stage = Stage::start().await;
    for (seed, about) in SEEDS {
        let played = stage.play(seed, DECISIONS).await;
        assert!(played.is_ok(), "{about}: {played:?}");
    }
}

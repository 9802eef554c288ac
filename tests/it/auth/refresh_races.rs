//! Uses of refresh tokens at the same time come to what some order of them one by one comes to.

use std::collections::BTreeSet;

use roster_tests::{Kind, Random, Setup, TestServer, kind};

/// How many sessions are played.
fn sessions() -> u64 {
    match kind() {
        Kind::Sqlite => 40,
        Kind::Postgres => 12,
    }
}
/// How often each is used.
const ROUNDS: usize = 8;
/// How many uses there are at a time, at most: every order of them is looked at.
const AT_ONCE: usize = 5;

/// What is known of a session, by the numbers of its tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    /// The present token; none when the session has ended.
    present: Option<usize>,
    /// Whether the present token came so lately that the one before it is good again.
    is_fresh: bool,
}

impl Known {
    /// The token that a use of one gives, if it gives any.
    fn r#use(&mut self, token: usize) -> Option<usize> {
        let present = self.present?;
        if token == present {
            self.present = Some(present + 1);
            self.is_fresh = true;
            Some(present + 1)
        } else if token + 1 == present && self.is_fresh {
            Some(present)
        } else {
            self.present = None;
            None
        }
    }

    /// What uses in an order give, and what is known then.
    fn after(&self, uses: &[usize], order: &[usize]) -> (Vec<Option<usize>>, Self) {
        let (mut known, mut given) = (self.clone(), vec![None; uses.len()]);
        for place in order {
            given[*place] = known.r#use(uses[*place]);
        }
        (given, known)
    }
}

fn orders(length: usize) -> Vec<Vec<usize>> {
    if length == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for shorter in orders(length - 1) {
        for place in 0..length {
            let mut order = shorter.clone();
            order.insert(place, length - 1);
            all.push(order);
        }
    }
    all
}

/// Uses tokens at the same time; gives what each got.
async fn race(server: &TestServer, tokens: Vec<String>) -> Vec<Option<String>> {
    let asking: Vec<_> = tokens
        .into_iter()
        .map(|token| {
            let site = Clone::clone(&**server);
            tokio::spawn(async move { site.refresh(&token).await })
        })
        .collect();
    let mut answers = Vec::new();
    for answer in asking {
        let answer = answer.await.expect("an answer");
        answers.push(if answer.status == 200 {
            answer.data()["refresh_token"]
                .as_str()
                .map(ToOwned::to_owned)
        } else {
            assert_eq!(answer.outcome(), "401 INVALID_CREDENTIALS");
            None
        });
    }
    answers
}

async fn play(server: &TestServer, seed: u64) -> Known {
    let mut random = Random::of(seed);
    let mut tokens = vec![server.admin().await.refresh_token];
    let mut known = Known {
        present: Some(0),
        is_fresh: false,
    };
    for round in 0..ROUNDS {
        let Some(present) = known.present else { break };
        if random.chance(15) {
            let long_ago = "2000-01-01T00:00:00.000Z";
            let sql = format!("UPDATE sessions SET rotated_at = '{long_ago}'");
            server.database().execute(&sql).await;
            known.is_fresh = false;
        }
        let uses: Vec<usize> = (0..=random.below(AT_ONCE))
            .map(|_| match random.below(20) {
                0 => random.below(tokens.len()),
                1..8 => present.saturating_sub(1),
                _ => present,
            })
            .collect();

        let sent = uses.iter().map(|token| tokens[*token].clone()).collect();
        let got = race(server, sent).await;

        let fresh: BTreeSet<&String> = got
            .iter()
            .flatten()
            .filter(|t| !tokens.contains(t))
            .collect();
        assert!(fresh.len() <= 1, "seed {seed}, round {round}: {fresh:?}");
        tokens.extend(fresh.into_iter().cloned().collect::<Vec<_>>());
        let number = |token: &String| tokens.iter().position(|known| known == token);
        let got: Vec<Option<usize>> = got.iter().map(|t| t.as_ref().and_then(number)).collect();
        let is_there = server.database().count("sessions", "1 = 1").await == 1;
        let possible = orders(uses.len())
            .iter()
            .map(|order| known.after(&uses, order))
            .find(|(given, after)| *given == got && after.present.is_some() == is_there);
        let Some((_, after)) = possible else {
            panic!("seed {seed}, round {round}: {known:?}, {uses:?} gave {got:?}, {is_there}");
        };
        known = after;
    }
    known
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_race_comes_to_what_some_order_comes_to() {
    let setup = Setup::new().set("auth.refresh_grace", "1h");
    let server = setup.start().await;
    let (mut went_on, mut ended) = (0, 0);
    for seed in 1..=sessions() {
        match play(&server, seed).await.present {
            Some(_) => went_on += 1,
            None => ended += 1,
        }
        server.database().execute("DELETE FROM sessions").await;
    }

    assert!(went_on > 0 && ended > 0, "{went_on} and {ended}");
}

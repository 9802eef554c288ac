//! What deciding costs: a list that rules narrow, beside the same list that a filter narrows for
//! somebody whom no rule binds. Both are told who asks and read the same rows.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use roster_domain::Collection;
use roster_domain::query::Parameters;
use roster_engine::{Context, Engine};
use roster_sdk::{Value, json};

use crate::Outcome;
use crate::updates::client;

const EMAIL: &str = "member@bench.example";
const PASSWORD: &str = "another long enough password";
/// Users beside the two who ask; every other one is suspended.
const USERS: usize = 500;
const FIELDS: &str = "id,email,first_name,last_name,title,status";
const ACTIVE: &str = r#"{"status":{"_eq":"active"}}"#;

/// Who lists.
pub(crate) const LISTS: [&str; 2] = ["filtered", "decided by rules"];
/// The most that deciding may cost, in percent of a list.
pub(crate) const MOST: f64 = 5.0;

/// Microseconds of one list of each kind.
pub(crate) type Pair = [f64; LISTS.len()];

pub(crate) struct Decisions {
    engine: Engine,
    tokens: [String; LISTS.len()],
    parameters: [Parameters; LISTS.len()],
    pairs: Mutex<Vec<Pair>>,
}

impl Decisions {
    /// Makes users, and a member of a role whose two policies show the active ones.
    pub(crate) async fn start(
        engine: Engine,
        door: &Engine,
        cx: &Context,
        admin: &str,
    ) -> Outcome<Self> {
        let none = Parameters::new();
        let users: Vec<Value> = (0..USERS).map(user).collect();
        for part in users.chunks(100) {
            engine
                .create_many(cx, Collection::Users, part, &none)
                .await?;
        }
        let fields: Vec<&str> = FIELDS.split(',').collect();
        let policy = |name: &str, filter: &str| {
            let filter: Value = serde_json::from_str(filter)?;
            let rule = json!({
                "collection": "directus_users", "action": "read", "permissions": filter,
                "fields": fields,
            });
            Ok::<_, serde_json::Error>(json!({ "policy": { "name": name, "permissions": [rule] } }))
        };
        let nobody = r#"{"status":{"_eq":"nothing of the kind"}}"#;
        let policies = [policy("the active", ACTIVE)?, policy("nobody", nobody)?];
        let role = json!({ "name": "members", "policies": policies });
        let member = json!({
            "email": EMAIL, "password": PASSWORD, "role": role, "status": "active",
        });
        engine.create(cx, Collection::Users, &member, &none).await?;
        let public = engine.authenticate(None, client()).await?;
        let credentials = json!({ "email": EMAIL, "password": PASSWORD });
        let login = door.login(&public, &credentials).await?;
        let page = |filter: &str| {
            let filter = (!filter.is_empty()).then(|| ("filter".to_owned(), filter.into()));
            let page = [("fields", FIELDS), ("limit", "25"), ("sort", "id")];
            let page = page.map(|(name, text)| (name.to_owned(), text.into()));
            page.into_iter().chain(filter).collect()
        };
        Ok(Self {
            engine,
            tokens: [admin.to_owned(), login.access_token],
            parameters: [page(ACTIVE), page("")],
            pairs: Mutex::default(),
        })
    }

    /// Lists in turns; gives the time of one kind.
    pub(crate) async fn measure(&self, wanted: usize, turns: u64) -> Duration {
        let mut total = Duration::ZERO;
        for turn in 0..turns {
            let mut took = [Duration::ZERO; LISTS.len()];
            let first = usize::from(turn % 2 == 1);
            for place in [first, 1 - first] {
                took[place] = self.list(place).await;
            }
            total += took[wanted];
            self.pairs().push(took.map(|took| took.as_secs_f64() * 1e6));
        }
        total
    }

    async fn list(&self, kind: usize) -> Duration {
        let started = Instant::now();
        let cx = self.engine.authenticate(Some(&self.tokens[kind]), client());
        let listed = match cx.await {
            Ok(cx) => {
                let page = &self.parameters[kind];
                self.engine.list(&cx, Collection::Users, page).await
            }
            Err(error) => Err(error),
        };
        let took = started.elapsed();
        assert!(
            listed.is_ok_and(|list| list.items.len() == 25),
            "the list was refused"
        );
        took
    }

    /// The pairs so far.
    pub(crate) fn pairs(&self) -> MutexGuard<'_, Vec<Pair>> {
        self.pairs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn user(number: usize) -> Value {
    let status = if number.is_multiple_of(2) {
        "active"
    } else {
        "suspended"
    };
    json!({
        "email": format!("user-{number}@bench.example"), "first_name": "Ada",
        "last_name": format!("Number {number}"), "title": "Member", "status": status,
    })
}

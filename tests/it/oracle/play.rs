//! A world, played against a server.

use std::collections::BTreeSet;

use reqwest::Method;
use roster_tests::{Client, Random, Setup, TestServer};
use serde_json::{Value as Json, json};

use super::decision::Draw;
use super::judge::Asker;
use super::make::{self, ADDRESSES};
use super::rights::Rights;
use super::shape::{Kind, Set};
use super::tell::{differing, tell};
use super::world::{Row, World, plain};

/// A server that worlds come and go on.
pub(super) struct Stage {
    server: TestServer,
    pub(super) admin: Client,
}

/// How often decisions went which way.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Tally {
    pub(super) allowed: usize,
    pub(super) refused: usize,
    pub(super) open: usize,
}

impl Stage {
    pub(super) async fn start() -> Self {
        let setup = Setup::new().set("server.trusted_proxies", "127.0.0.1");
        let server = setup.start().await;
        let admin = server.admin().await;
        for (name, kind) in [
            ("x_int", "integer"),
            ("x_flag", "boolean"),
            ("x_day", "date"),
            ("x_when", "timestamp"),
            ("x_data", "json"),
            ("x_list", "csv"),
            ("x_boss", "uuid"),
        ] {
            let special = match kind {
                "json" | "csv" | "boolean" => json!([format!("cast-{kind}")]),
                "uuid" => json!(["m2o"]),
                _ => Json::Null,
            };
            let field =
                json!({"field": name, "type": kind, "schema": {}, "meta": {"special": special}});
            admin.post("/fields/directus_users", field).await.data();
        }
        let relation = json!({
            "collection": "directus_users", "field": "x_boss", "related_collection": "directus_users",
            "schema": {"on_delete": "SET NULL"}, "meta": {"one_field": "x_team"},
        });
        admin.post("/relations", relation).await.data();
        let token = json!({"token": "the-token-of-the-administrator"});
        admin.patch(&admin.path(), token).await.data();
        let admin = admin.with_token("the-token-of-the-administrator");
        Self { server, admin }
    }

    /// Everything there is, as the administrator sees it.
    async fn look(&self) -> World {
        let mut world = World::default();
        for set in Set::ALL {
            let all = self.admin.get(&format!("{}?limit=-1", set.path())).await;
            for row in all.data().as_array().expect("a list") {
                let Json::Object(row) = row else {
                    continue;
                };
                if row.get("system") != Some(&Json::Bool(true)) {
                    world.put(set, stored(set, row));
                }
            }
        }
        world
    }

    /// Makes a world; gives what is there now.
    async fn build(&self, made: &World) -> World {
        for set in Set::ALL_IN_ORDER {
            let mut rows: Vec<Row> = made.rows(set).cloned().collect();
            if set == Set::Permissions {
                for row in &mut rows {
                    row.remove("id");
                }
            }
            sort_by_links(set, &mut rows);
            let made = self.admin.post(&set.path(), json!(rows)).await;
            assert_eq!(made.status, 200, "{set:?}: {}", made.text);
        }
        let world = self.look().await;
        for set in [Set::Users, Set::Roles, Set::Policies, Set::Access] {
            for row in made.rows(set) {
                let stored = world.row(set, &row["id"]).expect("what was made");
                for (name, value) in row.iter().filter(|(name, _)| *name != "token") {
                    assert_eq!(&stored[name], value, "{set:?} {name}");
                }
            }
        }
        world
    }

    /// Removes a world.
    async fn clear(&self, before: &World) {
        for set in [Set::Users, Set::Roles, Set::Policies] {
            let all = self
                .admin
                .get(&format!("{}?limit=-1&fields=id", set.path()))
                .await;
            let all = all.data();
            let ids = all.as_array().expect("a list").iter().map(|row| &row["id"]);
            let ids: Vec<&Json> = ids.filter(|id| before.row(set, id).is_none()).collect();
            let (path, ids) = (set.path(), json!(ids));
            self.admin.json(Method::DELETE, &path, &ids).await.done();
        }
    }

    /// Plays the world of a seed.
    pub(super) async fn play(&self, seed: u64, decisions: usize) -> Result<Tally, String> {
        let mut random = Random::of(seed);
        let before = self.look().await;
        let mut world = self.build(&make::world(&mut random, seed)).await;
        let mut tally = Tally::default();
        let mut found = Ok(());
        for number in 0..decisions {
            let asker = self.asker(&world, &mut random);
            let rights = Rights::of(&world, asker.id.as_deref(), asker.address);
            let decision = Draw {
                world: &world,
                rights: &rights,
                random: &mut random,
            }
            .decision();
            let explained = self.explained(&asker, &decision).await;
            let judged = self.judge(&mut world, &rights, &asker, &decision).await;
            let Some((expected, got)) = judged else {
                tally.open += 1;
                continue;
            };
            if let Some(lie) = explained.and_then(|explained| explained.belies(&got)) {
                found = Err(format!("seed {seed}, decision {number}: {lie}"));
                break;
            }
            match expected.status {
                200..300 => tally.allowed += 1,
                _ => tally.refused += 1,
            }
            if expected != got {
                let told = tell(&rights, &decision, &expected, &got);
                let Asker { id, address, .. } = &asker;
                found = Err(format!(
                    "seed {seed}, decision {number}: {id:?} from {address}: {told}"
                ));
                break;
            }
        }
        if found.is_ok() {
            let after = self.look().await;
            let all = |world: &World, set| world.rows(set).map(|row| json!(row)).collect::<Json>();
            for set in Set::ALL {
                let (expected, got) = (all(&world, set), all(&after, set));
                if expected != got {
                    let told = differing(&expected, &got);
                    found = Err(format!("seed {seed}: {set:?} at the end\n{told}"));
                }
            }
        }
        self.clear(&before).await;
        found.map(|()| tally)
    }

    /// Somebody of the world who has a token, or a stranger.
    fn asker(&self, world: &World, random: &mut Random) -> Asker {
        let address = *random.one(&ADDRESSES);
        let users = world.rows(Set::Users);
        let users = users.filter(|row| !row["token"].is_null() && row["email"] != self.admin.email);
        let users: Vec<&Row> = users.filter(|row| row["status"] == "active").collect();
        if users.is_empty() || random.chance(12) {
            return Asker {
                id: None,
                address,
                client: self.server.stranger(),
            };
        }
        let id = random.one(&users)["id"].as_str().expect("an id").to_owned();
        let token = format!("a-token-of-{id}");
        Asker {
            id: Some(id),
            address,
            client: self.server.bearer(token),
        }
    }
}

/// Lists are not stored, but where they come from.
fn stored(set: Set, row: &Row) -> Row {
    let is_stored = |name: &str| {
        let kind = set.kind(name);
        kind.is_some_and(|kind| !matches!(kind, Kind::Many(..)))
    };
    let stored = row.iter().filter(|(name, _)| is_stored(name));
    stored
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Those first that others lead to.
fn sort_by_links(set: Set, rows: &mut Vec<Row>) {
    let link = match set {
        Set::Users => "x_boss",
        Set::Roles => "parent",
        Set::Access => return rows.sort_by_key(|row| row["sort"].as_i64()),
        _ => return,
    };
    let mut done: BTreeSet<String> = BTreeSet::new();
    let mut sorted = Vec::new();
    while !rows.is_empty() {
        let (ready, waiting): (Vec<Row>, Vec<Row>) = rows.drain(..).partition(|row| {
            let to = row.get(link).and_then(Json::as_str);
            to.is_none_or(|to| done.contains(to))
        });
        done.extend(ready.iter().map(|row| plain(&row["id"])));
        sorted.extend(ready);
        *rows = waiting;
    }
    *rows = sorted;
}

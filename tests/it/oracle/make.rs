//! Worlds made of chance.

use roster_tests::Random;
use serde_json::{Map, Value as Json, json};

use super::phrase::Phrase;
use super::shape::Set;
use super::world::{Row, World};

/// Addresses that requests come from.
pub(super) const ADDRESSES: [&str; 4] = ["198.51.100.1", "203.0.113.7", "10.0.0.5", "2001:db8::7"];

/// Where policies hold.
const PLACES: [&[&str]; 6] = [
    &[],
    &["203.0.113.7"],
    &["203.0.113.0/24", "2001:db8::/32"],
    &["10.0.0.1-10.0.0.9"],
    &["198.51.100.0/31"],
    &["192.0.2.1", "::1"],
];

/// The fields of users that are written.
pub(super) const WRITTEN: [&str; 12] = [
    "first_name",
    "last_name",
    "location",
    "title",
    "description",
    "tags",
    "x_int",
    "x_flag",
    "x_day",
    "x_data",
    "x_list",
    "x_boss",
];

/// What a field may hold; none for what only the server gives.
pub(super) fn values(field: &str) -> Vec<Json> {
    let list = match field {
        "first_name" | "last_name" => json!(["Ada", "ada", "Bob", "Zoë", "Äpfel", "äpfel"]),
        "location" => json!(["Bern", "bern", "Kyoto", "a_b", "100%"]),
        "title" => json!(["CTO", "cto", "Ä b", "x", "Bern", "Ada"]),
        "description" => json!(["", "a long one", "Ünïcödé", "%_\\"]),
        "tags" => json!([["a", "b"], [], {"a": 1}]),
        "status" => json!(["active", "active", "draft", "suspended"]),
        "x_int" => json!([-1, 0, 7, 42]),
        "x_flag" | "admin_access" | "app_access" => json!([true, false]),
        "x_day" => json!([
            "1970-05-05",
            "1999-12-31",
            "2015-02-28",
            "2060-06-06",
            "2099-01-01"
        ]),
        "x_when" => json!([
            "1970-05-05T10:11:12.000Z",
            "1999-12-31T23:59:59.123Z",
            "2015-02-28T00:00:00.000Z",
            "2099-01-01T12:00:00.000Z",
        ]),
        "x_data" => json!([{"a": [1]}, [1, 2], "text", 1]),
        "x_list" => json!([["a", "b"], ["A"], ["ä"], []]),
        "name" => json!(["Red", "red", "Blue", "Ada", "Bern"]),
        "ip_access" => json!([["203.0.113.7"], ["10.0.0.1-10.0.0.9"]]),
        "collection" => json!(["directus_users", "directus_roles"]),
        "action" => json!(["read", "update", "create"]),
        "sort" => json!([1, 2, 3, 4]),
        _ => json!([]),
    };
    list.as_array().cloned().unwrap_or_default()
}

/// A key that a seed repeats; those that the server gives sort before it.
fn id(random: &mut Random) -> String {
    let (high, low) = (random.number(), random.number());
    let first = 2 + random.below(14);
    let (high, low) = (format!("{high:016x}"), format!("{low:016x}"));
    format!(
        "{first:x}{}-{}-4{}-8{}-{}",
        &high[1..8],
        &high[8..12],
        &high[13..16],
        &low[1..4],
        &low[4..16]
    )
}

fn row(json: Json) -> Row {
    match json {
        Json::Object(row) => row,
        _ => Map::new(),
    }
}

fn any(random: &mut Random, world: &World, set: Set) -> Json {
    let keys: Vec<Json> = world.rows(set).map(|row| row["id"].clone()).collect();
    if keys.is_empty() {
        return Json::Null;
    }
    random.one(&keys).clone()
}

/// The world of a seed, as it is sent to the server.
pub(super) fn world(random: &mut Random, seed: u64) -> World {
    let mut world = World::default();
    for _ in 0..=random.below(4) {
        let parent = if random.chance(60) {
            any(random, &world, Set::Roles)
        } else {
            Json::Null
        };
        let name = random.one(&values("name")).clone();
        let made = json!({"id": id(random), "name": name, "parent": parent, "description": maybe(random, "description", 40)});
        world.put(Set::Roles, row(made));
    }
    for number in 0..6 + random.below(5) {
        let user = user(random, &world, seed, number);
        world.put(Set::Users, user);
    }
    for _ in 0..2 + random.below(5) {
        let place = if random.chance(30) {
            json!(random.one(&PLACES))
        } else {
            Json::Null
        };
        let made = json!({
            "id": id(random), "name": *random.one(&["Blue", "Red", "x"]), "ip_access": place,
            "admin_access": random.chance(5), "app_access": random.chance(25),
        });
        world.put(Set::Policies, row(made));
    }
    let mut number = 0;
    for policy in world.clone().rows(Set::Policies) {
        for _ in 0..=random.below(3) {
            number += 1;
            let (mut role, mut user) = (Json::Null, Json::Null);
            match random.below(100) {
                0..60 => role = any(random, &world, Set::Roles),
                60..85 => user = any(random, &world, Set::Users),
                _ => {}
            }
            let is_public = role.is_null() && user.is_null();
            if is_public && policy["admin_access"] == true {
                continue;
            }
            let made = json!({"id": id(random), "role": role, "user": user, "policy": policy["id"], "sort": number});
            world.put(Set::Access, row(made));
        }
    }
    number = 0;
    for policy in world.clone().rows(Set::Policies) {
        for _ in 0..3 + random.below(4) {
            number += 1;
            let mut made = rule(random, &world);
            made.insert("id".to_owned(), json!(number));
            made.insert("policy".to_owned(), policy["id"].clone());
            world.put(Set::Permissions, made);
        }
    }
    world
}

/// A value of a field, or null.
fn maybe(random: &mut Random, field: &str, percent: usize) -> Json {
    let values = values(field);
    if values.is_empty() || !random.chance(percent) {
        return Json::Null;
    }
    random.one(&values).clone()
}

fn user(random: &mut Random, world: &World, seed: u64, number: usize) -> Row {
    let mut user = Map::new();
    let mut put = |name: &str, json: Json| user.insert(name.to_owned(), json);
    let id = id(random);
    put("id", json!(id));
    for field in WRITTEN {
        put(field, maybe(random, field, 65));
    }
    put("x_when", maybe(random, "x_when", 60));
    put("status", json!("active"));
    if number < 5 {
        put("token", json!(format!("a-token-of-{id}")));
    } else {
        put("status", random.one(&values("status")).clone());
    }
    if random.chance(50) {
        put("email", json!(format!("u{number}.w{seed}@example.com")));
    }
    if random.chance(75) {
        put("role", any(random, world, Set::Roles));
    }
    if random.chance(50) {
        put("x_boss", any(random, world, Set::Users));
    }
    user
}

/// Some of the fields of a collection.
fn some(random: &mut Random, set: Set) -> Json {
    match random.below(100) {
        0..25 => json!(["*"]),
        25..28 => Json::Null,
        28..30 => json!([]),
        _ => {
            let mut names: Vec<&str> = Vec::new();
            for _ in 0..=random.below(7) {
                let name = *random.one(set.telling());
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            if random.chance(40) && !names.contains(&"id") {
                names.push("id");
            }
            json!(names)
        }
    }
}

fn rule(random: &mut Random, world: &World) -> Row {
    let set = match random.below(100) {
        0..64 => Set::Users,
        64..82 => Set::Roles,
        82..90 => Set::Policies,
        90..96 => Set::Access,
        _ => Set::Permissions,
    };
    let action = match random.below(100) {
        _ if set != Set::Users => "read",
        0..52 => "read",
        52..74 => "update",
        74..88 => "create",
        88..96 => "delete",
        _ => "share",
    };
    let mut made = Map::new();
    let mut put = |name: &str, json: Json| made.insert(name.to_owned(), json);
    put("collection", json!(set.wire()));
    put("action", json!(action));
    put("fields", some(random, set));
    let phrase = Phrase::of_rule(world);
    let filter = match random.below(100) {
        0..20 => Json::Null,
        20..28 => json!({}),
        percent => phrase.filter(random, set, if percent < 60 { 0 } else { 2 }),
    };
    put("permissions", filter);
    if action == "create" || action == "update" {
        if random.chance(35) {
            put("validation", phrase.validation(random));
        }
        if random.chance(35) {
            put("presets", presets(random));
        }
    }
    made
}

fn presets(random: &mut Random) -> Json {
    let mut presets = Map::new();
    for _ in 0..=random.below(2) {
        let field = *random.one(&WRITTEN);
        let value = match field {
            "x_boss" => json!("$CURRENT_USER"),
            "title" | "location" if random.chance(40) => {
                json!(*random.one(&["$CURRENT_USER.location", "$CURRENT_USER.x_boss.title"]))
            }
            _ => maybe(random, field, 85),
        };
        presets.insert(field.to_owned(), value);
    }
    Json::Object(presets)
}

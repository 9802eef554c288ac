//! A filter means the same in SQL, on either database, and in memory.

use std::collections::HashMap;
use std::sync::Arc;

use roster_domain::field::Link;
use roster_domain::filter::{Limits, Reader, Source, Uses};
use roster_domain::variables::Variables;
use roster_domain::{
    Action, Collection, Field, FieldType, Filter, Grant, Item, Key, Model, Query, Reason, Value,
};
use roster_storage::{Location, Settings, Store, fields, records};
use roster_tests::{Client, Kind, Random, TestServer};
use serde_json::{Map, Value as Json, json};

use super::inside::random_inside;

/// Every type a custom field may have, with values that are worth comparing.
const TYPES: [(&str, &[&str]); 14] = [
    (
        "string",
        &[
            "\"a\"",
            "\"A\"",
            "\"\"",
            "\"ä%_\"",
            "\"Ünïcödé \\\\ x\"",
            "\"10\"",
            "\"é\"",
        ],
    ),
    (
        "text",
        &[
            "\"long and 'quoted'\"",
            "\"ß\"",
            "\"SS\"",
            "\"\"",
            "\"日本語\"",
        ],
    ),
    ("integer", &["0", "-1", "42", "2147483647"]),
    ("bigInteger", &["\"9007199254740993\"", "\"-5\"", "0"]),
    ("float", &["1.5", "-0.25", "0", "1e10"]),
    ("decimal", &["12.25", "-0.00001", "0", "99999.99999"]),
    ("boolean", &["true", "false"]),
    (
        "date",
        &["\"2024-02-29\"", "\"1999-12-31\"", "\"2025-01-01\""],
    ),
    ("time", &["\"00:00:00\"", "\"10:11:12\"", "\"23:59:59\""]),
    (
        "dateTime",
        &["\"2024-02-29T10:11:12\"", "\"1999-12-31T23:59:59\""],
    ),
    (
        "timestamp",
        &[
            "\"2024-02-29T10:11:12.000Z\"",
            "\"2024-12-30T23:30:00.123Z\"",
            "\"1970-01-01T00:00:00.000Z\"",
        ],
    ),
    (
        "json",
        &[
            "{\"a\": [1, \"Ä\"]}",
            "{\"a\": {\"b\": \"Text %_\", \"0\": true}, \"k\": 1.5}",
            "{\"a\": {\"b\": \"\"}, \"k\": -2}",
            "{\"a\": null, \"k\": \"1.5\"}",
            "{\"a\": false, \"k\": 1e10}",
            "{\"a\": \"Ä\", \"it's \\\"x\\\" \\\\\": 0.1}",
            "[1, 2, 3]",
            "[{\"a\": true}, \"z\"]",
            "[]",
            "\"text\"",
            "1",
        ],
    ),
    ("csv", &["[\"a\", \"b\"]", "[]", "[\"A\"]"]),
    (
        "uuid",
        &[
            "\"3f7c2c1e-1111-4111-8111-000000000001\"",
            "\"3f7c2c1e-1111-4111-8111-000000000002\"",
        ],
    ),
];

fn json(text: &str) -> Json {
    serde_json::from_str(text).expect("JSON")
}

/// One of these texts.
fn pick<'t>(random: &mut Random, of: &[&'t str]) -> &'t str {
    of[random.below(of.len())]
}

/// A field of each type, and some roles with users whose values are random.
async fn populate(admin: &Client, random: &mut Random) {
    for (kind, _) in TYPES {
        let special = match kind {
            "json" | "csv" | "boolean" => json!([format!("cast-{kind}")]),
            _ => Json::Null,
        };
        let field = json!({"field": format!("x_{kind}"), "type": kind, "schema": {}, "meta": {"special": special}});
        admin.post("/fields/directus_users", field).await.data();
    }
    let mut roles: Vec<Json> = Vec::new();
    for number in 0..4 {
        let parent = if number > 1 {
            roles[number - 2].clone()
        } else {
            Json::Null
        };
        let role = json!({"name": format!("role {number}"), "parent": parent});
        roles.push(admin.post("/roles", role).await.data()["id"].clone());
    }
    let mut users = Vec::new();
    for number in 0..60 {
        let mut user = Map::new();
        user.insert("first_name".to_owned(), json!(format!("user {number}")));
        if random.chance(70) {
            user.insert("role".to_owned(), random.one(&roles).clone());
        }
        if random.chance(50) {
            user.insert("title".to_owned(), json(pick(random, TYPES[0].1)));
        }
        for (kind, values) in TYPES {
            if random.chance(75) {
                user.insert(format!("x_{kind}"), json(pick(random, values)));
            }
        }
        users.push(Json::Object(user));
    }
    admin.post("/users", Json::Array(users)).await.data();
}

fn operators(field: &Field) -> &'static [&'static str] {
    const TEXT: &[&str] = &[
        "_eq",
        "_neq",
        "_in",
        "_nin",
        "_null",
        "_nnull",
        "_empty",
        "_nempty",
        "_contains",
        "_ncontains",
        "_icontains",
        "_starts_with",
        "_nstarts_with",
        "_istarts_with",
        "_ends_with",
        "_iends_with",
        "_nends_with",
    ];
    const ORDERED: &[&str] = &[
        "_eq",
        "_neq",
        "_in",
        "_nin",
        "_null",
        "_nnull",
        "_lt",
        "_lte",
        "_gt",
        "_gte",
        "_between",
        "_nbetween",
    ];
    match field.kind {
        _ if field.is_concealed => &["_null", "_nnull", "_empty", "_nempty"],
        FieldType::String | FieldType::Text | FieldType::Csv => TEXT,
        FieldType::Json => &["_null", "_nnull"],
        FieldType::Boolean => &["_eq", "_neq", "_null", "_nnull"],
        FieldType::Uuid => &["_eq", "_neq", "_in", "_nin", "_null", "_nnull"],
        _ => ORDERED,
    }
}

/// What is compared with: a value that somebody has, or one that nobody may have.
fn operand(random: &mut Random, field: &Field, known: &[Json]) -> Json {
    let fallback = match field.kind {
        FieldType::Uuid => json!("3f7c2c1e-1111-4111-8111-00000000000f"),
        FieldType::Boolean => json!(true),
        FieldType::Date => json!("2024-06-01"),
        FieldType::Time => json!("12:00:00"),
        FieldType::DateTime => json!("2024-06-01T00:00:00"),
        FieldType::Timestamp => json!("2024-06-01T00:00:00Z"),
        kind if kind.is_text() => json!(*random.one(&["a", "Ä%", "_", "x", "é", "SS", "ß"])),
        _ => json!(7),
    };
    let plain: Vec<&Json> = known
        .iter()
        .filter(|json| {
            !json.is_null() && !json.is_array() && !json.is_object() && **json != json!("")
        })
        .collect();
    if plain.is_empty() || random.chance(20) {
        return fallback;
    }
    (*random.one(&plain)).clone()
}

struct World {
    model: Arc<Model>,
    items: HashMap<(Collection, Key), Item>,
}

impl World {
    fn all(&self, collection: Collection) -> impl Iterator<Item = (&Key, &Item)> {
        let all = self.items.iter();
        let of = all.filter(move |((known, _), _)| *known == collection);
        of.map(|((_, key), item)| (key, item))
    }

    fn known(&self, collection: Collection, field: &str) -> Vec<Json> {
        let values = self.all(collection).filter_map(|(_, item)| item.get(field));
        let mut values: Vec<Json> = values.map(Value::to_json).collect();
        values.sort_by_key(ToString::to_string);
        values.dedup();
        values
    }
}

struct Row<'w> {
    world: &'w World,
    collection: Collection,
    key: Key,
}

impl Row<'_> {
    fn item(&self) -> &Item {
        &self.world.items[&(self.collection, self.key)]
    }

    fn link(&self, field: &str) -> Option<&Link> {
        let schema = self.world.model.schema(self.collection)?;
        schema.field(field)?.link.as_ref()
    }
}

impl Source for Row<'_> {
    fn value(&self, field: &str) -> Value {
        self.item().get(field).cloned().unwrap_or(Value::Null)
    }

    fn one(&self, field: &str) -> Option<Box<dyn Source + '_>> {
        let Some(Link::One { to }) = self.link(field) else {
            return None;
        };
        let (collection, key) = (*to, Key::of(self.item().get(field)?)?);
        let world = self.world;
        world.items.contains_key(&(collection, key)).then(|| {
            Box::new(Row {
                world,
                collection,
                key,
            }) as Box<dyn Source>
        })
    }

    fn many(&self, field: &str) -> Option<Vec<Box<dyn Source + '_>>> {
        let Some(Link::Many {
            from, field: back, ..
        }) = self.link(field)
        else {
            return None;
        };
        let (world, collection) = (self.world, *from);
        let points = |item: &Item| item.get(back).and_then(Key::of) == Some(self.key);
        let found = world.all(collection).filter(|(_, item)| points(item));
        let row = |key: &Key| {
            Box::new(Row {
                world,
                collection,
                key: *key,
            }) as Box<dyn Source>
        };
        Some(found.map(|(key, _)| row(key)).collect())
    }
}

/// A filter as a client may send it.
fn random_filter(random: &mut Random, world: &World, collection: Collection, depth: usize) -> Json {
    if depth > 0 && random.chance(35) {
        let parts: Vec<Json> = (0..=random.below(3))
            .map(|_| random_filter(random, world, collection, depth - 1))
            .collect();
        return json!({ *random.one(&["_and", "_or"]): parts });
    }
    let schema = world.model.schema(collection).expect("a schema");
    let field = match schema.field("x_json") {
        Some(field) if random.chance(10) => field,
        _ => random.one(schema.fields()),
    };
    match &field.link {
        Some(Link::One { to }) if depth > 0 && *to != Collection::Files && random.chance(60) => {
            json!({ field.name.clone(): random_filter(random, world, *to, depth - 1) })
        }
        Some(Link::Many { from, .. }) => {
            let from = *from;
            if random.chance(30) {
                let count = random.below(4);
                return json!({ format!("count({})", field.name): { *random.one(&["_eq", "_gt", "_lte"]): count } });
            }
            let inner = match depth {
                0 => json!({}),
                depth => random_filter(random, world, from, depth - 1),
            };
            json!({ field.name.clone(): { *random.one(&["_some", "_none"]): inner } })
        }
        _ => {
            let day = matches!(
                field.kind,
                FieldType::Date | FieldType::DateTime | FieldType::Timestamp
            );
            if day && random.chance(30) {
                let function = *random.one(&["year", "month", "week", "day", "weekday"]);
                let number = *random.one(&[1999, 2024, 2, 12, 29, 1, 52, 4, 0]);
                return json!({ format!("{function}({})", field.name): { *random.one(&["_eq", "_gte", "_neq"]): number } });
            }
            if field.kind == FieldType::Json && !field.is_concealed && random.chance(80) {
                return random_inside(random, field);
            }
            let operator = *random.one(operators(field));
            let known = world.known(collection, &field.name);
            let value = match operator {
                "_null" | "_nnull" | "_empty" | "_nempty" => json!(random.chance(70)),
                "_in" | "_nin" => (0..=random.below(3))
                    .map(|_| operand(random, field, &known))
                    .collect(),
                "_between" | "_nbetween" => {
                    (0..2).map(|_| operand(random, field, &known)).collect()
                }
                _ => operand(random, field, &known),
            };
            json!({ field.name.clone(): { operator: value } })
        }
    }
}

async fn open(server: &TestServer) -> Store {
    let database = server.database();
    let location = match database.kind() {
        Kind::Sqlite => Location::Sqlite(database.file()),
        Kind::Postgres => Location::Postgres(database.url().to_owned()),
    };
    Store::open(&Settings::new(location))
        .await
        .expect("the same database")
}

async fn world(store: &Store) -> World {
    let model = Arc::new(fields::model(store, &[]).await.expect("the fields"));
    let mut items = HashMap::new();
    for collection in [
        Collection::Users,
        Collection::Roles,
        Collection::Policies,
        Collection::Access,
        Collection::Permissions,
    ] {
        let grant = Grant::system(Reason::CommandLine, Action::Read, collection);
        let schema = model.schema(collection).expect("a schema");
        let query = Query::stored(schema, &grant, Filter::Everything);
        for item in records::list(store, &model, &query).await.expect("records") {
            items.insert((collection, item.key().expect("a key")), item);
        }
    }
    World { model, items }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_random_filters_mean_the_same_in_sql_and_in_memory() {
    const CASES: usize = 10_000;
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let mut random = Random::of(20_261_121);
    populate(&admin, &mut random).await;
    let store = open(&server).await;
    let world = world(&store).await;
    let variables = Variables::default();
    let reader = Reader {
        model: &world.model,
        variables: &variables,
        grant: None,
        uses: Uses::Selection,
        limits: Limits::default(),
    };

    let mut selective = 0;
    for case in 0..CASES {
        let collection = if case % 4 == 0 {
            Collection::Roles
        } else {
            Collection::Users
        };
        let text = random_filter(&mut random, &world, collection, 3);
        let filter = match reader.read(collection, &text) {
            Ok(filter) => filter,
            Err(error) => panic!("case {case}: {text}: {error}"),
        };
        let mut expected: Vec<Key> = world
            .all(collection)
            .map(|(key, _)| *key)
            .filter(|key| {
                let row = Row {
                    world: &world,
                    collection,
                    key: *key,
                };
                filter.matches(&row)
            })
            .collect();
        expected.sort();
        let grant = Grant::system(Reason::CommandLine, Action::Read, collection);
        let schema = world.model.schema(collection).expect("a schema");
        let query = Query::keys(schema, &grant, filter);
        let mut found = match records::find(&store, &world.model, &query).await {
            Ok(found) => found,
            Err(error) => panic!("case {case}: {text}: {error}: {:?}", error.cause()),
        };
        found.sort();
        assert_eq!(found, expected, "case {case}: {text}");
        let all = world.all(collection).count();
        selective += usize::from(!found.is_empty() && found.len() < all);
    }
    assert!(
        selective > CASES / 4,
        "only {selective} filters tell records apart"
    );
    store.close().await;
}

#[tokio::test]
async fn values_of_random_custom_fields_come_back_as_they_were_sent() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let mut random = Random::of(7);
    populate(&admin, &mut random).await;

    for _ in 0..100 {
        let (kind, values) = *random.one(&TYPES);
        let (name, sent) = (format!("x_{kind}"), json(pick(&mut random, values)));
        let user = admin
            .post("/users", json!({ name.clone(): sent }))
            .await
            .data();
        let read = admin
            .get(&format!(
                "/users/{}?fields={name}",
                user["id"].as_str().expect("an id")
            ))
            .await
            .data();
        let expected = match (kind, &sent) {
            // Exact numbers are text on the wire.
            ("decimal" | "bigInteger", Json::Number(number)) => match number.to_string().as_str() {
                "-1e-5" => json!("-0.00001"),
                text => json!(text),
            },
            ("float", number) => json!(number.as_f64()),
            _ => sent.clone(),
        };
        assert_eq!(read[&name], expected, "{kind}: {sent}");
        let cleared = admin
            .patch(
                &format!("/users/{}", user["id"].as_str().expect("an id")),
                json!({ name.clone(): null }),
            )
            .await;
        assert_eq!(cleared.data()[&name], Json::Null, "{kind}");
    }
}

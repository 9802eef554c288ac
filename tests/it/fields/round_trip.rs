//! A schema made of chance keeps what it is given.

use roster_tests::{Client, Random, TestServer};
use serde_json::{Map, Value as Json, json};

/// How many fields a schema has.
const FIELDS: usize = 24;
/// How many users are written.
const USERS: usize = 40;

/// A field of a random type with random options; its name and its definition.
struct Made {
    name: String,
    kind: &'static str,
    /// The longest text, or the digits after the point.
    size: Option<usize>,
    default: Json,
}

const KINDS: [&str; 14] = [
    "string",
    "text",
    "integer",
    "bigInteger",
    "float",
    "decimal",
    "boolean",
    "date",
    "time",
    "dateTime",
    "timestamp",
    "json",
    "csv",
    "uuid",
];
const TEXTS: [&str; 12] = [
    "",
    " ",
    "a",
    "Ärger",
    "ẞ",
    "e\u{301}",
    "日本語",
    "🦀🦀",
    "' OR 1=1 --",
    "a\tb\nc",
    "%_\\",
    "\u{202e}x",
];

fn text(random: &mut Random, longest: usize) -> String {
    let mut text = String::new();
    for _ in 0..random.below(4) {
        text.push_str(random.one::<&str>(&TEXTS));
    }
    text.chars().take(longest).collect()
}

/// A value that a field takes, as it comes back.
fn value(random: &mut Random, made: &Made) -> Json {
    if random.chance(10) {
        return Json::Null;
    }
    let number =
        |random: &mut Random, most: u64| i64::try_from(random.number() % most).unwrap_or(0);
    match made.kind {
        "string" => json!(text(random, made.size.unwrap_or(255))),
        "text" => json!(text(random, 1_000)),
        "integer" => json!(number(random, 1 << 32) - (1 << 31)),
        "bigInteger" => {
            let bits = random.number();
            json!(i64::from_ne_bytes(bits.to_ne_bytes()).to_string())
        }
        "float" => {
            let whole = number(random, 2_000_000) - 1_000_000;
            let parts = f64::from(i32::try_from(whole).unwrap_or(0)) / 99.0;
            // A whole number comes back as one or as a fraction; both are the same number.
            json!(parts)
        }
        "decimal" => {
            let scale = made.size.unwrap_or(2);
            let unscaled = number(random, 100_000_000) - 50_000_000;
            let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = scale + 1);
            let (whole, rest) = digits.split_at(digits.len() - scale);
            let sign = if unscaled < 0 { "-" } else { "" };
            let point = if scale > 0 { "." } else { "" };
            json!(format!("{sign}{whole}{point}{rest}"))
        }
        "boolean" => json!(random.chance(50)),
        "date" => json!(day(random)),
        "time" => json!(time(random)),
        "dateTime" => json!(format!("{}T{}", day(random), time(random))),
        "timestamp" => json!(format!(
            "{}T{}.{:03}Z",
            day(random),
            time(random),
            random.below(1_000)
        )),
        "json" => any(random, 3),
        "csv" => (0..random.below(4))
            .map(|_| text(random, 20).replace(',', ""))
            .filter(|part| !part.is_empty())
            .collect(),
        _ => json!(
            format!(
                "{:032x}",
                u128::from(random.number()) << 64 | u128::from(random.number())
            )
            .chars()
            .enumerate()
            .fold(String::new(), |mut id, (at, digit)| {
                if matches!(at, 8 | 12 | 16 | 20) {
                    id.push('-');
                }
                id.push(digit);
                id
            })
        ),
    }
}

fn day(random: &mut Random) -> String {
    let (year, month, day) = (
        1900 + random.below(200),
        1 + random.below(12),
        1 + random.below(28),
    );
    format!("{year:04}-{month:02}-{day:02}")
}

fn time(random: &mut Random) -> String {
    let (hour, minute, second) = (random.below(24), random.below(60), random.below(60));
    format!("{hour:02}:{minute:02}:{second:02}")
}

fn any(random: &mut Random, depth: usize) -> Json {
    match random.below(if depth == 0 { 4 } else { 6 }) {
        0 => json!(text(random, 30)),
        1 => json!(random.below(1_000_000)),
        2 => json!(random.chance(50)),
        3 => json!(0.5),
        4 => (0..random.below(4))
            .map(|_| any(random, depth - 1))
            .collect(),
        _ => {
            let keys = (0..random.below(4)).map(|at| format!("k{at}"));
            Json::Object(keys.map(|key| (key, any(random, depth - 1))).collect())
        }
    }
}

async fn schema(admin: &Client, random: &mut Random) -> Vec<Made> {
    let mut fields = Vec::new();
    for number in 0..FIELDS {
        let kind = KINDS[if number < KINDS.len() {
            number
        } else {
            random.below(KINDS.len())
        }];
        let size = match kind {
            "string" => Some(1 + random.below(255)),
            "decimal" => Some(random.below(7)),
            _ => None,
        };
        let mut made = Made {
            name: format!("r_{number}"),
            kind,
            size,
            default: Json::Null,
        };
        let mut schema = Map::new();
        if let (Some(size), "string") = (size, kind) {
            schema.insert("max_length".to_owned(), json!(size));
        }
        if let (Some(size), "decimal") = (size, kind) {
            schema.insert("numeric_precision".to_owned(), json!(18));
            schema.insert("numeric_scale".to_owned(), json!(size));
        }
        if random.chance(30) && !matches!(kind, "json" | "csv") {
            made.default = value(random, &made);
            schema.insert("default_value".to_owned(), made.default.clone());
        }
        if random.chance(30) && !matches!(kind, "json" | "csv" | "text") {
            schema.insert("is_indexed".to_owned(), json!(true));
        }
        let special = match kind {
            "json" | "csv" | "boolean" => json!([format!("cast-{kind}")]),
            _ => Json::Null,
        };
        let field = json!({ "field": made.name, "type": kind, "schema": schema, "meta": { "special": special } });
        let answer = admin.post("/fields/directus_users", field.clone()).await;
        assert_eq!(answer.status, 200, "{field}: {}", answer.text);
        fields.push(made);
    }
    fields
}

/// Whether what came back is what was sent: numbers are the same whatever zeros they end in.
fn same(kind: &str, sent: &Json, got: &Json) -> bool {
    let number = |json: &Json| match (kind, json.as_str()) {
        ("decimal", Some(text)) => text.parse().ok(),
        _ => json.as_f64(),
    };
    match (number(sent), number(got)) {
        (Some(sent), Some(got)) => sent.total_cmp(&got).is_eq(),
        _ => sent == got,
    }
}

#[tokio::test]
async fn a_random_schema_gives_back_what_it_was_given() {
    for seed in [1, 2, 3] {
        let server = TestServer::start().await;
        let admin = server.admin().await;
        let mut random = Random::of(seed);
        let fields = schema(&admin, &mut random).await;
        let mut sent = Vec::new();
        for number in 0..USERS {
            let mut user = Map::from_iter([(
                "email".to_owned(),
                json!(format!("u{number:02}@example.com")),
            )]);
            for made in &fields {
                if random.chance(80) {
                    user.insert(made.name.clone(), value(&mut random, made));
                }
            }
            sent.push(user);
        }
        let (first, rest) = sent.split_at(USERS / 2);
        admin.post("/users", json!(first)).await.data();
        for user in rest {
            let id = admin
                .post("/users", json!({ "email": user["email"] }))
                .await
                .data()["id"]
                .clone();
            let path = format!("/users/{}", id.as_str().expect("an id"));
            admin.patch(&path, json!(user)).await.data();
        }

        let got = admin
            .get("/users?limit=-1&sort=email&filter[email][_starts_with]=u")
            .await
            .data();
        let got = got.as_array().expect("a list");

        assert_eq!(got.len(), sent.len());
        for (user, got) in sent.iter().zip(got) {
            for made in &fields {
                let expected = user.get(&made.name).unwrap_or(&made.default);
                let Made { name, kind, .. } = made;
                assert!(
                    same(kind, expected, &got[name]),
                    "seed {seed}: {name} {kind}: sent {expected}, got {}",
                    got[name]
                );
            }
        }
    }
}

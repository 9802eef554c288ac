//! The two databases hold the same schema, and every step can be taken back.

use std::collections::{BTreeMap, BTreeSet};

use roster_storage::{Location, Settings, Store, migrate};
use roster_tests::{Database, Kind, is_not_on_postgres};

/// Opens a database without the server.
async fn open(database: &Database) -> Store {
    let location = match database.kind() {
        Kind::Sqlite => Location::Sqlite(database.file()),
        Kind::Postgres => Location::Postgres(database.url().to_owned()),
    };
    Store::open(&Settings::new(location))
        .await
        .expect("a store")
}

/// What a schema is made of, in words that both databases share.
#[derive(Debug, PartialEq, Eq)]
struct Shape {
    /// `table.column` → type and whether it may be null.
    columns: BTreeMap<String, String>,
    /// Names of indexes, with `unique` where they are.
    indexes: BTreeSet<String>,
}

async fn shape(database: &Database) -> Shape {
    let (columns, indexes) = match database.kind() {
        Kind::Sqlite => (SQLITE_COLUMNS, SQLITE_INDEXES),
        Kind::Postgres => (POSTGRES_COLUMNS, POSTGRES_INDEXES),
    };
    let text = |cell: &Option<String>| cell.clone().unwrap_or_default();
    let columns = database.rows(columns).await;
    let columns = columns.iter().map(|row| {
        let (name, kind, null) = (text(&row[0]), text(&row[1]), text(&row[2]));
        (name, format!("{} {null}", logical(&kind)))
    });
    let indexes = database.rows(indexes).await;
    Shape {
        columns: columns.collect(),
        indexes: indexes
            .iter()
            .map(|row| format!("{} {}", text(&row[0]), text(&row[1])))
            .collect(),
    }
}

/// What a native type comes to on SQLite, which has five.
fn logical(kind: &str) -> &'static str {
    match kind.to_ascii_lowercase().as_str() {
        "text" | "uuid" | "jsonb" | "timestamp with time zone" => "text",
        "integer" | "bigint" | "boolean" => "integer",
        "blob" | "bytea" => "bytes",
        "real" | "double precision" => "real",
        other => panic!("unknown type `{other}`"),
    }
}

const SQLITE_COLUMNS: &str = "SELECT t.name || '.' || c.name, c.type,
    CASE WHEN c.\"notnull\" = 1 OR c.pk > 0 THEN 'required' ELSE 'optional' END
    FROM sqlite_schema t JOIN pragma_table_info(t.name) c
    WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND t.name <> 'migrations'";

const POSTGRES_COLUMNS: &str = "SELECT table_name || '.' || column_name, data_type::text,
    CASE WHEN is_nullable = 'NO' THEN 'required' ELSE 'optional' END
    FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name <> 'migrations'";

const SQLITE_INDEXES: &str = "SELECT i.name, CASE WHEN i.\"unique\" = 1 THEN 'unique' ELSE '' END
    FROM sqlite_schema t JOIN pragma_index_list(t.name) i
    WHERE t.type = 'table' AND i.origin = 'c'";

const POSTGRES_INDEXES: &str = "SELECT c.relname::text,
    CASE WHEN i.indisunique THEN 'unique' ELSE '' END
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_class t ON t.oid = i.indrelid
    JOIN pg_namespace n ON n.oid = t.relnamespace
    WHERE n.nspname = 'public' AND NOT i.indisprimary AND t.relname <> 'migrations'";

#[tokio::test]
async fn every_step_can_be_taken_back_and_taken_again() {
    let database = Database::fresh().await;
    let store = open(&database).await;

    migrate::up(&store).await.expect("up");
    let first = shape(&database).await;
    migrate::down(&store, 0).await.expect("down");
    let nothing = shape(&database).await;
    migrate::up(&store).await.expect("up again");
    let second = shape(&database).await;

    assert!(first.columns.len() > 100, "{}", first.columns.len());
    assert_eq!(
        nothing,
        Shape {
            columns: BTreeMap::new(),
            indexes: BTreeSet::new()
        }
    );
    assert_eq!(first, second);
}

#[tokio::test]
async fn steps_are_taken_back_one_at_a_time_and_the_status_says_so() {
    let database = Database::fresh().await;
    let store = open(&database).await;
    let applied = async || {
        let steps = migrate::status(&store).await.expect("a status");
        steps
            .iter()
            .filter(|step| step.is_applied)
            .map(|step| step.version)
            .collect::<Vec<_>>()
    };

    assert_eq!(applied().await, Vec::<i64>::new());
    migrate::up(&store).await.expect("up");
    let all = applied().await;
    for kept in (0..all.len()).rev() {
        let target = kept.checked_sub(1).map_or(0, |last| all[last]);
        migrate::down(&store, target).await.expect("down");

        assert_eq!(applied().await, all[..kept]);
    }
}

#[tokio::test]
async fn both_databases_have_the_same_schema() {
    if is_not_on_postgres() {
        return;
    }
    let mut shapes = Vec::new();
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let database = Database::of(kind).await;
        migrate::up(&open(&database).await).await.expect("up");
        shapes.push(shape(&database).await);
    }

    assert_eq!(shapes[0], shapes[1]);
}

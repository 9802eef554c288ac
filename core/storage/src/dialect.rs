//! Every difference between SQLite and PostgreSQL, each with a name.

use roster_domain::{FieldType, Timestamp, Value, clock};
use sea_query::{
    Expr, PostgresQueryBuilder, QueryStatementWriter, SqliteQueryBuilder, Value as Bound,
};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::statement::Statement;

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// The statement in the words of this database.
    pub(crate) fn build(self, statement: &impl QueryStatementWriter) -> Statement {
        let (sql, values) = match self {
            Self::Sqlite => statement.build_any(&SqliteQueryBuilder),
            Self::Postgres => statement.build_any(&PostgresQueryBuilder),
        };
        Statement::dynamic(sql, values)
    }

    /// A UUID: text on SQLite, native on PostgreSQL.
    pub(crate) fn uuid(self, uuid: impl Into<Option<Uuid>>) -> Bound {
        match (self, uuid.into()) {
            (Self::Sqlite, uuid) => Bound::String(uuid.map(|uuid| uuid.to_string())),
            (Self::Postgres, uuid) => Bound::Uuid(uuid),
        }
    }

    /// A moment: RFC 3339 text on SQLite, native on PostgreSQL.
    pub(crate) fn timestamp(self, moment: impl Into<Option<Timestamp>>) -> Bound {
        match (self, moment.into()) {
            (Self::Sqlite, moment) => Bound::String(moment.map(clock::format)),
            (Self::Postgres, moment) => Bound::ChronoDateTimeUtc(moment),
        }
    }

    /// JSON: text on SQLite, JSONB on PostgreSQL.
    pub(crate) fn json(self, json: Option<&Json>) -> Bound {
        match self {
            Self::Sqlite => Bound::String(json.map(ToString::to_string)),
            Self::Postgres => Bound::Json(json.map(|json| Box::new(json.clone()))),
        }
    }

    /// A value of a field, with the type of its column also where it is null.
    pub(crate) fn bind(self, kind: FieldType, value: &Value) -> Bound {
        match kind {
            FieldType::String | FieldType::Text | FieldType::Hash => {
                Bound::String(value.as_text().map(ToOwned::to_owned))
            }
            FieldType::Integer => Bound::Int(match value {
                Value::Integer(n) => i32::try_from(*n).ok(),
                _ => None,
            }),
            FieldType::BigInteger => Bound::BigInt(match value {
                Value::Integer(n) => Some(*n),
                _ => None,
            }),
            FieldType::Float => Bound::Double(match value {
                Value::Float(n) => Some(*n),
                _ => None,
            }),
            FieldType::Boolean => Bound::Bool(match value {
                Value::Boolean(b) => Some(*b),
                _ => None,
            }),
            FieldType::Uuid => self.uuid(value.as_uuid()),
            FieldType::Timestamp => self.timestamp(match value {
                Value::Timestamp(moment) => Some(*moment),
                _ => None,
            }),
            FieldType::Json => self.json(match value {
                Value::Json(json) => Some(json),
                _ => None,
            }),
        }
    }

    /// The ids of the access rows of the user in this row, as a JSON array.
    pub(crate) const fn access_rows(self) -> &'static str {
        match self {
            Self::Sqlite => {
                r#"(SELECT json_group_array(a."id" ORDER BY a."sort", a."id") FROM "access" a WHERE a."user" = "users"."id")"#
            }
            Self::Postgres => {
                r#"(SELECT COALESCE(jsonb_agg(a."id" ORDER BY a."sort", a."id"), '[]'::jsonb) FROM "access" a WHERE a."user" = "users"."id")"#
            }
        }
    }

    /// Keeps other transactions away from the rows that decide who administers.
    ///
    /// SQLite has one writer at a time and needs nothing.
    pub(crate) const fn lock_administration(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some(r#"SELECT "id" FROM "counters" WHERE "id" = 1 FOR UPDATE"#),
        }
    }

    /// Lets a claim pass over rows that another node is claiming.
    pub(crate) const fn skip_locked(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => "FOR UPDATE OF d SKIP LOCKED",
        }
    }

    /// Whether the text of the column has the piece at that place, letters as they are.
    pub(crate) fn has(
        self,
        column: Expr,
        place: roster_domain::filter::Place,
        piece: &str,
    ) -> Expr {
        use roster_domain::filter::Place;
        let piece = Bound::from(piece);
        let sql = match (self, place) {
            (Self::Sqlite, Place::Anywhere) => "instr(?, ?) > 0",
            (Self::Sqlite, Place::Start) => "substr(?, 1, length(?)) = ?",
            (Self::Sqlite, Place::End) => "(length(?) = 0 OR substr(?, -length(?)) = ?)",
            (Self::Postgres, Place::Anywhere) => "strpos($1, $2) > 0",
            (Self::Postgres, Place::Start) => "starts_with($1, $2)",
            (Self::Postgres, Place::End) => "right($1, length($2)) = $3",
        };
        let piece = || Expr::val(piece.clone());
        let arguments = match (self, place) {
            (Self::Sqlite, Place::Start) | (Self::Postgres, Place::End) => {
                vec![column, piece(), piece()]
            }
            (Self::Sqlite, Place::End) => vec![piece(), column, piece(), piece()],
            _ => vec![column, piece()],
        };
        Expr::cust_with_exprs(sql, arguments)
    }

    /// The same with letters in either case, beyond ASCII too.
    pub(crate) fn has_folded(
        self,
        column: Expr,
        place: roster_domain::filter::Place,
        piece: &str,
    ) -> Expr {
        use roster_domain::filter::Place;
        match self {
            Self::Sqlite => {
                let (head, tail) = match place {
                    Place::Anywhere => ("", ""),
                    Place::Start => ("^", ""),
                    Place::End => ("", r"\z"),
                };
                let pattern = format!("(?is){head}{}{tail}", escape_regex(piece));
                Expr::cust_with_exprs("? REGEXP ?", [column, Expr::val(pattern)])
            }
            Self::Postgres => {
                let (head, tail) = match place {
                    Place::Anywhere => ("%", "%"),
                    Place::Start => ("", "%"),
                    Place::End => ("%", ""),
                };
                let pattern = format!("{head}{}{tail}", escape_like(piece));
                // The columns are COLLATE "C", which folds ASCII only.
                Expr::cust_with_exprs(
                    r#"$1 COLLATE "und-x-icu" ILIKE $2 COLLATE "und-x-icu""#,
                    [column, Expr::val(pattern)],
                )
            }
        }
    }
}

fn escape_like(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

fn escape_regex(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_punctuation() {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

//! Every difference between SQLite and PostgreSQL, each with a name.

mod inside;

pub(crate) use inside::Part;

use roster_domain::{Field, FieldType, Function, Key, Timestamp, Value, clock};
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

    /// The key of a record.
    pub(crate) fn key(self, key: Key) -> Bound {
        match key {
            Key::Uuid(uuid) => self.uuid(uuid),
            Key::Serial(number) => Bound::BigInt(Some(number)),
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
    pub(crate) fn bind(self, kind: FieldType, value: &Value) -> Expr {
        let text = |text: Option<String>| Bound::String(text);
        let bound = match kind {
            FieldType::String | FieldType::Text | FieldType::Csv | FieldType::Hash => {
                text(value.as_text().map(ToOwned::to_owned))
            }
            // One type for all: a prepared statement takes the one that its text was sent with.
            FieldType::Integer | FieldType::Serial | FieldType::BigInteger => {
                Bound::BigInt(value.as_integer())
            }
            FieldType::Float => Bound::Double(match value {
                Value::Float(n) => Some(*n),
                _ => None,
            }),
            FieldType::Decimal => {
                let decimal = match value {
                    Value::Decimal(decimal) => Some(*decimal),
                    _ => None,
                };
                return match self {
                    Self::Sqlite => Expr::val(Bound::BigInt(decimal.map(|n| n.unscaled))),
                    Self::Postgres => {
                        let digits = text(decimal.map(|n| n.to_string()));
                        Expr::cust_with_exprs("CAST($1 AS numeric)", [Expr::val(digits)])
                    }
                };
            }
            FieldType::Boolean => Bound::Bool(match value {
                Value::Boolean(b) => Some(*b),
                _ => None,
            }),
            FieldType::Date => match (self, value) {
                (Self::Postgres, Value::Date(day)) => Bound::ChronoDate(Some(*day)),
                (Self::Postgres, _) => Bound::ChronoDate(None),
                (Self::Sqlite, value) => text(written(value)),
            },
            FieldType::Time => match (self, value) {
                (Self::Postgres, Value::Time(time)) => Bound::ChronoTime(Some(*time)),
                (Self::Postgres, _) => Bound::ChronoTime(None),
                (Self::Sqlite, value) => text(written(value)),
            },
            FieldType::DateTime => match (self, value) {
                (Self::Postgres, Value::DateTime(moment)) => Bound::ChronoDateTime(Some(*moment)),
                (Self::Postgres, _) => Bound::ChronoDateTime(None),
                (Self::Sqlite, value) => text(written(value)),
            },
            FieldType::Uuid => self.uuid(value.as_uuid()),
            FieldType::Timestamp => self.timestamp(match value {
                Value::Timestamp(moment) => Some(*moment),
                _ => None,
            }),
            FieldType::Json | FieldType::Alias => self.json(match value {
                Value::Json(json) => Some(json),
                _ => None,
            }),
        };
        Expr::val(bound)
    }

    /// Whether the column has one of these values: one parameter, however many they are.
    pub(crate) fn is_among(self, column: Expr, kind: FieldType, values: &[Value]) -> Expr {
        let list = Expr::val(self.json(Some(&self.listed(kind, values))));
        match self {
            Self::Sqlite => {
                Expr::cust_with_exprs("? IN (SELECT value FROM json_each(?))", [column, list])
            }
            Self::Postgres => Expr::cust_with_exprs(
                format!(
                    "$1 = ANY(ARRAY(SELECT CAST(jsonb_array_elements_text($2) AS {})))",
                    Self::native(kind)
                ),
                [column, list],
            ),
        }
    }

    fn listed(self, kind: FieldType, values: &[Value]) -> Json {
        let one = |value: &Value| match (self, value) {
            (Self::Sqlite, Value::Decimal(decimal)) => Json::from(decimal.unscaled),
            (_, Value::BigInteger(number)) => Json::from(*number),
            (_, Value::Csv(text)) => Json::from(text.as_str()),
            _ => value.to_json(),
        };
        debug_assert!(kind != FieldType::Json, "JSON is not compared");
        values.iter().map(one).collect()
    }

    /// The type of a column on PostgreSQL, without what belongs to its definition alone.
    pub(crate) const fn native(kind: FieldType) -> &'static str {
        match kind {
            FieldType::String | FieldType::Text | FieldType::Csv | FieldType::Hash => "text",
            FieldType::Integer => "integer",
            FieldType::Serial | FieldType::BigInteger => "bigint",
            FieldType::Float => "double precision",
            FieldType::Decimal => "numeric",
            FieldType::Boolean => "boolean",
            FieldType::Date => "date",
            FieldType::Time => "time",
            FieldType::DateTime => "timestamp",
            FieldType::Timestamp => "timestamptz",
            FieldType::Json | FieldType::Alias => "jsonb",
            FieldType::Uuid => "uuid",
        }
    }

    /// The definition of the column of a custom field: nullable, without default.
    pub(crate) fn definition(self, field: &Field) -> String {
        match (self, field.kind) {
            (Self::Sqlite, kind) => match kind {
                FieldType::Integer
                | FieldType::Serial
                | FieldType::BigInteger
                | FieldType::Decimal
                | FieldType::Boolean => "INTEGER",
                FieldType::Float => "REAL",
                _ => "TEXT",
            }
            .to_owned(),
            (Self::Postgres, FieldType::Decimal) => {
                format!("numeric({}, {})", field.decimal.0, field.decimal.1)
            }
            (Self::Postgres, kind) if kind.is_text() || kind == FieldType::Hash => {
                "text COLLATE \"C\"".to_owned()
            }
            (Self::Postgres, kind) => Self::native(kind).to_owned(),
        }
    }

    /// What is read of a column, so that it can be decoded.
    pub(crate) fn read(self, kind: FieldType, value: Expr) -> Expr {
        match (self, kind) {
            (Self::Postgres, FieldType::Decimal) => {
                Expr::cust_with_exprs("CAST($1 AS text)", [value])
            }
            _ => value,
        }
    }

    /// A function of a value; of a list it is the caller's business.
    pub(crate) fn call(self, function: Function, kind: FieldType, value: Expr) -> Expr {
        let sql = match (self, function) {
            (Self::Sqlite, Function::Count) => {
                "CASE json_type(?) WHEN 'array' THEN json_array_length(?) ELSE CASE WHEN ? IS NULL THEN NULL ELSE 0 END END".to_owned()
            }
            (Self::Postgres, Function::Count) => {
                "CAST(CASE WHEN jsonb_typeof($1) = 'array' THEN jsonb_array_length($2) WHEN $3 IS NULL THEN NULL ELSE 0 END AS bigint)".to_owned()
            }
            (Self::Sqlite, function) => {
                let part = match function {
                    Function::Year => "Y",
                    Function::Month => "m",
                    Function::Week => "V",
                    Function::Day => "d",
                    Function::Weekday => "w",
                    Function::Hour => "H",
                    Function::Minute => "M",
                    Function::Second | Function::Count => "S",
                };
                format!("CAST(strftime('%{part}', ?) AS INTEGER)")
            }
            (Self::Postgres, function) => {
                let part = match function {
                    Function::Weekday => "DOW",
                    function => function.as_str(),
                };
                let zone = match kind {
                    FieldType::Timestamp => " AT TIME ZONE 'UTC'",
                    _ => "",
                };
                format!("CAST(FLOOR(EXTRACT({part} FROM $1{zone})) AS bigint)")
            }
        };
        let times = if function == Function::Count { 3 } else { 1 };
        Expr::cust_with_exprs(sql, std::iter::repeat_n(value, times))
    }

    /// The values of the only column of a statement as a JSON array; an empty one for none.
    pub(crate) const fn collected(self) -> &'static str {
        match self {
            Self::Sqlite => "(SELECT json_group_array(listed.id) FROM ? AS listed)",
            Self::Postgres => {
                "(SELECT COALESCE(jsonb_agg(listed.id), '[]'::jsonb) FROM $1 AS listed)"
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

/// A value as the wire has it, for what SQLite keeps as text.
fn written(value: &Value) -> Option<String> {
    match value.to_json() {
        Json::String(text) => Some(text),
        _ => None,
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

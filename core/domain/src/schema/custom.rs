//! Custom fields and relations of users, as they are kept.

use serde_json::{Map, Value as Json};

use crate::field::{Demands, Special};
use crate::value::Decimal;
use crate::{Collection, Field, FieldType, Value};

/// A custom field of users, as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub field: String,
    /// What it holds.
    pub kind: FieldType,
    /// What the column may contain: `max_length`, `numeric_precision`, `numeric_scale`,
    /// `default_value`, `is_nullable`, `is_unique`, `is_indexed`.
    pub schema: Map<String, Json>,
    /// What the wire calls `meta`; nothing for a column without it.
    pub meta: Option<Map<String, Json>>,
}

impl Definition {
    /// The field it defines.
    pub fn field(&self) -> Field {
        let flag = |map: &Map<String, Json>, name: &str| map.get(name).and_then(Json::as_bool);
        let number = |name: &str| self.schema.get(name).and_then(Json::as_u64);
        let none = Map::new();
        let meta = self.meta.as_ref().unwrap_or(&none);
        let specials = self.specials();
        let is_concealed = self.kind == FieldType::Hash || specials.contains(&"conceal");
        let precision = number("numeric_precision").and_then(|n| u32::try_from(n).ok());
        let scale = number("numeric_scale").and_then(|n| u32::try_from(n).ok());
        let precision = precision.unwrap_or(10).clamp(1, Decimal::PRECISION);
        let mut field = Field {
            max_length: match self.kind {
                FieldType::String | FieldType::Csv => {
                    number("max_length").and_then(|n| usize::try_from(n).ok())
                }
                _ => None,
            },
            decimal: (precision, scale.unwrap_or(5).min(precision)),
            is_nullable: flag(&self.schema, "is_nullable").unwrap_or(true),
            is_concealed,
            is_unique: flag(&self.schema, "is_unique").unwrap_or(false),
            is_searchable: !is_concealed && flag(meta, "searchable").unwrap_or(true),
            is_custom: true,
            demands: Some(Box::new(Demands {
                required: flag(meta, "required").unwrap_or(false),
                readonly: flag(meta, "readonly").unwrap_or(false),
                choices: choices(meta),
                validation: meta
                    .get("validation")
                    .filter(|json| json.is_object())
                    .cloned(),
                validation_message: meta
                    .get("validation_message")
                    .and_then(Json::as_str)
                    .map(ToOwned::to_owned),
                default_now: self.defaults_to_now(),
                specials: specials
                    .iter()
                    .filter_map(|word| Special::parse(word))
                    .collect(),
            })),
            ..Field::new(&self.field, self.kind)
        };
        let default = self.schema.get("default_value").unwrap_or(&Json::Null);
        // `now()` and its like are filled in when a record is made.
        field.default = field.parse(default).unwrap_or(Value::Null);
        field
    }

    /// The words of `meta.special`.
    pub fn specials(&self) -> Vec<&str> {
        let words = self.meta.as_ref().and_then(|meta| meta.get("special"));
        let words = words.and_then(Json::as_array).map(Vec::as_slice);
        words
            .unwrap_or_default()
            .iter()
            .filter_map(Json::as_str)
            .collect()
    }

    /// Whether the default is the present moment.
    fn defaults_to_now(&self) -> bool {
        let default = self.schema.get("default_value").and_then(Json::as_str);
        default.is_some_and(|text| {
            text.eq_ignore_ascii_case("now()") || text.eq_ignore_ascii_case("current_timestamp")
        })
    }
}

fn choices(meta: &Map<String, Json>) -> Option<Vec<Json>> {
    let options = meta.get("options")?;
    if options.get("allowOther").and_then(Json::as_bool) == Some(true) {
        return None;
    }
    let list = options.get("choices")?.as_array()?;
    let value = |choice: &Json| choice.get("value").unwrap_or(choice).clone();
    Some(list.iter().map(value).collect())
}

/// What happens to a user when the record they point at is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDelete {
    /// They point nowhere.
    SetNull,
    /// They are deleted, too.
    Cascade,
    /// The record cannot be deleted.
    Refuse,
}

impl OnDelete {
    /// The words on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SetNull => "SET NULL",
            Self::Cascade => "CASCADE",
            Self::Refuse => "NO ACTION",
        }
    }

    /// The action of those words.
    pub fn parse(words: &str) -> Option<Self> {
        match words.to_ascii_uppercase().as_str() {
            "SET NULL" => Some(Self::SetNull),
            "CASCADE" => Some(Self::Cascade),
            "NO ACTION" | "RESTRICT" => Some(Self::Refuse),
            _ => None,
        }
    }
}

/// A custom relation: a field of users that holds the key of another record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// Its number.
    pub id: i64,
    /// The field of users.
    pub field: String,
    /// Where it leads.
    pub to: Collection,
    /// What happens when the record is deleted.
    pub on_delete: OnDelete,
    /// The field of the other side that lists the users.
    pub one_field: Option<String>,
    /// The field of users that orders them.
    pub sort_field: Option<String>,
    /// Whether a user taken out of the list is deleted.
    pub deletes: bool,
}

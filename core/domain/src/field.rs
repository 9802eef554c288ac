//! The definition of a field.

mod parse;

use serde_json::Value as Json;

use crate::{Collection, Value};

/// What kind of value a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldType {
    /// Text of limited length.
    String,
    /// Text.
    Text,
    /// A whole number of 32 bits.
    Integer,
    /// A whole number that the database counts up: the key of some collections.
    Serial,
    /// A whole number of 64 bits; text on the wire, as JSON numbers lose digits beyond 2^53.
    BigInteger,
    /// A number.
    Float,
    /// A decimal number of fixed scale; text on the wire.
    Decimal,
    /// Yes or no.
    Boolean,
    /// A day.
    Date,
    /// A time of day.
    Time,
    /// A day and a time without a zone.
    DateTime,
    /// A moment in UTC.
    Timestamp,
    /// Any JSON.
    Json,
    /// A list of texts without commas.
    Csv,
    /// A UUID.
    Uuid,
    /// A secret, kept as its hash.
    Hash,
    /// No value of its own: the records of another collection that point here.
    Alias,
}

impl FieldType {
    /// Those that a custom field may have, in the order of the wire's error text.
    pub const CUSTOM: [Self; 16] = [
        Self::BigInteger,
        Self::Boolean,
        Self::Date,
        Self::DateTime,
        Self::Decimal,
        Self::Float,
        Self::Integer,
        Self::Json,
        Self::String,
        Self::Text,
        Self::Time,
        Self::Timestamp,
        Self::Uuid,
        Self::Hash,
        Self::Csv,
        Self::Alias,
    ];

    /// The word on the wire, such as `bigInteger`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Text => "text",
            Self::Integer | Self::Serial => "integer",
            Self::BigInteger => "bigInteger",
            Self::Float => "float",
            Self::Decimal => "decimal",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Time => "time",
            Self::DateTime => "dateTime",
            Self::Timestamp => "timestamp",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Uuid => "uuid",
            Self::Hash => "hash",
            Self::Alias => "alias",
        }
    }

    /// The type of that word, for a custom field.
    pub fn parse_word(word: &str) -> Option<Self> {
        Self::CUSTOM.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Whether its values are text that can be searched.
    pub const fn is_text(self) -> bool {
        matches!(self, Self::String | Self::Text | Self::Csv)
    }

    /// Whether its values are numbers.
    pub const fn is_number(self) -> bool {
        matches!(
            self,
            Self::Integer | Self::Serial | Self::BigInteger | Self::Float | Self::Decimal
        )
    }

    pub(crate) const fn expected(self) -> &'static str {
        match self {
            Self::String | Self::Text | Self::Hash => "a string",
            Self::Integer => "an integer of 32 bits",
            Self::Serial | Self::BigInteger => "an integer of 64 bits",
            Self::Float => "a number",
            Self::Decimal => "a decimal number within the precision and scale of the field",
            Self::Boolean => "a boolean",
            Self::Date => "a date such as 2026-01-31",
            Self::Time => "a time such as 10:11:12",
            Self::DateTime => "a date and time such as 2026-01-31T10:11:12",
            Self::Timestamp => "a timestamp such as 2026-01-31T10:11:12Z",
            Self::Json => "JSON",
            Self::Csv => "an array of strings without commas",
            Self::Uuid => "a UUID",
            Self::Alias => "records of the related collection",
        }
    }
}

/// What kind of JSON this is, in words.
pub fn describe(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(n) if n.is_f64() => "a number with a fraction",
        Json::Number(_) => "an integer",
        Json::String(text) if text.contains('\0') => "a string with the character U+0000",
        Json::String(_) => "a string",
        Json::Array(_) => "an array",
        Json::Object(_) => "an object",
    }
}

/// How a field leads to records of another collection, or of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// Its value is the key of one record.
    One {
        /// Where the record is.
        to: Collection,
    },
    /// It stands for the records whose `field` holds this one's key.
    Many {
        /// Where the records are.
        from: Collection,
        /// Their field that points here.
        field: String,
        /// Their field that orders them.
        sort: Option<String>,
        /// What becomes of one that is taken out of the list.
        on_deselect: OnDeselect,
    },
}

/// What becomes of a record that is taken out of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDeselect {
    /// It stays, and points nowhere.
    Nullify,
    /// It is deleted.
    Delete,
}

/// What a field does by itself when a record is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the wire's")]
pub enum Special {
    Uuid,
    DateCreated,
    DateUpdated,
    UserCreated,
    UserUpdated,
    RoleCreated,
    RoleUpdated,
}

impl Special {
    const ALL: [(Self, &'static str); 7] = [
        (Self::Uuid, "uuid"),
        (Self::DateCreated, "date-created"),
        (Self::DateUpdated, "date-updated"),
        (Self::UserCreated, "user-created"),
        (Self::UserUpdated, "user-updated"),
        (Self::RoleCreated, "role-created"),
        (Self::RoleUpdated, "role-updated"),
    ];

    /// The special of that word, if it is one that does something.
    pub fn parse(word: &str) -> Option<Self> {
        let known = Self::ALL.into_iter().find(|(_, name)| *name == word);
        known.map(|(special, _)| special)
    }
}

/// What a custom field demands beyond its type.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Demands {
    /// A record cannot be made without a value.
    pub required: bool,
    /// Callers cannot write it; hooks and specials can.
    pub readonly: bool,
    /// The values it takes; every element has to be one of them for a list.
    pub choices: Option<Vec<Json>>,
    /// A rule over the values that are written, as the wire has it.
    pub validation: Option<Json>,
    /// What is said when the rule is broken.
    pub validation_message: Option<String>,
    /// Whether it holds the present moment when nothing is said.
    pub default_now: bool,
    /// What it does by itself.
    pub specials: Vec<Special>,
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "each says something else of a field"
)]
/// A field of a collection.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name, on the wire and in the database.
    pub name: String,
    /// What it holds.
    pub kind: FieldType,
    /// The longest text it takes, in characters.
    pub max_length: Option<usize>,
    /// All digits of a decimal, and those after the point.
    pub decimal: (u32, u32),
    /// Whether it may hold nothing.
    pub is_nullable: bool,
    /// What it holds when nothing is said.
    pub default: Value,
    /// Whether its values never leave.
    pub is_concealed: bool,
    /// Whether no two records hold the same value.
    pub is_unique: bool,
    /// Whether a search looks into it.
    pub is_searchable: bool,
    /// Whether somebody added it to the built-in ones.
    pub is_custom: bool,
    /// Where it leads.
    pub link: Option<Link>,
    /// What it demands beyond its type; built-in fields demand nothing.
    pub demands: Option<Box<Demands>>,
}

impl Field {
    /// A nullable field without default or limit.
    pub fn new(name: &str, kind: FieldType) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            max_length: None,
            decimal: (10, 5),
            is_nullable: true,
            default: Value::Null,
            is_concealed: false,
            is_unique: false,
            is_searchable: true,
            is_custom: false,
            link: None,
            demands: None,
        }
    }

    /// A field that holds the key of a record of another collection.
    pub fn one(name: &str, to: Collection) -> Self {
        let link = Some(Link::One { to });
        Self {
            link,
            ..Self::new(name, FieldType::Uuid)
        }
    }

    /// A field that stands for the records of another collection that point here.
    pub fn many(
        name: &str,
        from: Collection,
        field: &str,
        sort: Option<&str>,
        on_deselect: OnDeselect,
    ) -> Self {
        let link = Some(Link::Many {
            from,
            field: field.to_owned(),
            sort: sort.map(ToOwned::to_owned),
            on_deselect,
        });
        Self {
            link,
            ..Self::new(name, FieldType::Alias)
        }
    }

    /// Whether it has a column of its own.
    pub const fn is_stored(&self) -> bool {
        !matches!(self.kind, FieldType::Alias)
    }

    /// Where it leads, for a field that holds a key.
    pub const fn leads_to(&self) -> Option<Collection> {
        match self.link {
            Some(Link::One { to }) => Some(to),
            _ => None,
        }
    }

    /// Whether its values are replaced by a hash before they are stored.
    pub const fn is_hashed(&self) -> bool {
        matches!(self.kind, FieldType::Hash)
    }
}

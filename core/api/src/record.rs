//! What the document says about records, drawn from the live schema.

use std::borrow::Cow;
use std::marker::PhantomData;

use poem_openapi::registry::{MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::types::Type;
use roster_domain::field::Column;
use roster_domain::value::MASK;
use roster_domain::{Field, FieldType, Schema};
use serde_json::{Map, Value as Json, json};

/// The name of the users collection among the schemas of the document.
pub(crate) const USERS: &str = "Users";
/// The name of the settings among them.
pub(crate) const SETTINGS: &str = "Settings";

/// A record, in the document. Its fields are known only at run time, so the framework is told a
/// name, and [`schema_of`] what it means.
pub(crate) struct Record<N>(PhantomData<fn() -> N>);

/// The name of a collection among the schemas of the document.
pub(crate) trait Named {
    /// The name.
    const NAME: &'static str;
}

/// The name of the users collection.
pub(crate) struct UsersName;

/// The name of the settings.
pub(crate) struct SettingsName;

/// A user.
pub(crate) type User = Record<UsersName>;

/// The settings.
pub(crate) type Settings = Record<SettingsName>;

impl Named for UsersName {
    const NAME: &'static str = USERS;
}

impl Named for SettingsName {
    const NAME: &'static str = SETTINGS;
}

impl<N: Named> Type for Record<N> {
    /// A body may be left out: it is an object without keys then.
    const IS_REQUIRED: bool = false;

    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        N::NAME.into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Reference(N::NAME.to_owned())
    }

    fn register(registry: &mut Registry) {
        registry.create_schema::<Self, _>(N::NAME.to_owned(), |_| MetaSchema::new("object"));
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

/// The fields of a collection as a schema of the document.
pub(crate) fn schema_of(schema: &Schema, description: &str) -> Json {
    let fields = schema.fields().iter();
    let properties: Map<_, _> = fields
        .map(|field| (field.name.clone(), property(field)))
        .collect();
    json!({"type": "object", "description": description, "properties": properties})
}

fn property(field: &Field) -> Json {
    if field.column == Column::AccessRows {
        return json!({
            "type": "array",
            "items": {"type": "string", "format": "uuid"},
            "readOnly": true,
            "description": "The ids of the access rows that attach policies.",
        });
    }
    let mut property = match field.kind {
        FieldType::String | FieldType::Text => json!({"type": "string"}),
        FieldType::Integer => json!({"type": "integer", "format": "int32"}),
        FieldType::BigInteger => json!({"type": "integer", "format": "int64"}),
        FieldType::Float => json!({"type": "number", "format": "double"}),
        FieldType::Boolean => json!({"type": "boolean"}),
        FieldType::Timestamp => json!({"type": "string", "format": "date-time"}),
        FieldType::Uuid => json!({"type": "string", "format": "uuid"}),
        FieldType::Hash => json!({"type": "string", "format": "password"}),
        // Without a type a schema takes any JSON, null included.
        FieldType::Json => return json!({"description": "Any JSON."}),
    };
    if field.is_nullable {
        property["nullable"] = true.into();
    }
    if let Some(limit) = field.max_length {
        property["maxLength"] = limit.into();
    }
    if field.is_concealed {
        property["format"] = "password".into();
        let description = format!(
            "A secret that is never shown: where there is one it reads as `{MASK}`, and that is ignored when it is sent back."
        );
        property["description"] = description.into();
    } else if !field.default.is_null() {
        property["default"] = field.default.to_json();
    }
    property
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_a_user_is_described() {
        let schema = Schema::users();

        let described = schema_of(&schema, "A user.");

        let properties = described["properties"].as_object().unwrap();
        assert_eq!(properties.len(), schema.fields().len());
        assert_eq!(
            properties["id"],
            json!({"type": "string", "format": "uuid"})
        );
        assert_eq!(
            properties["first_name"],
            json!({"type": "string", "nullable": true, "maxLength": 50})
        );
        assert_eq!(
            properties["status"],
            json!({"type": "string", "maxLength": 16, "default": "active"})
        );
        assert_eq!(properties["policies"]["readOnly"], true);
    }

    #[test]
    fn secrets_are_marked_and_have_neither_default_nor_example() {
        let described = schema_of(&Schema::users(), "A user.");

        for secret in ["password", "token", "tfa_secret"] {
            let property = &described["properties"][secret];
            assert_eq!(property["format"], "password", "{secret}");
            assert!(property.get("default").is_none(), "{secret}");
            assert!(property.get("example").is_none(), "{secret}");
        }
    }
}

//! What the document says about records, drawn from the live schema.

use std::borrow::Cow;
use std::marker::PhantomData;

use poem_openapi::registry::{MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::types::Type;
use roster_domain::field::Link;
use roster_domain::value::MASK;
use roster_domain::{Collection, Field, FieldType, Schema};
use serde_json::{Map, Value as Json, json};

/// A record, in the document. Its fields are known only at run time, so the framework is told a
/// name, and [`schema_of`] what it means.
pub(crate) struct Record<N>(PhantomData<fn() -> N>);

/// The name of a collection among the schemas of the document.
pub(crate) trait Named {
    /// The name.
    const NAME: &'static str;
}

macro_rules! named {
    ($($marker:ident, $alias:ident, $name:literal, $collection:ident, $says:literal;)+) => {
        $(
            /// The name of a collection.
            pub(crate) struct $marker;

            /// A record of it.
            pub(crate) type $alias = Record<$marker>;

            impl Named for $marker {
                const NAME: &'static str = $name;
            }
        )+

        /// Every collection with its name among the schemas of the document, and what is said of it.
        pub(crate) const NAMED: &[(Collection, &str, &str)] = &[
            $((Collection::$collection, $name, $says),)+
        ];
    };
}

named! {
    UsersName, User, "Users", Users, "A user. Which fields are there depends on what was asked for and on the caller's rights.";
    RolesName, Role, "Roles", Roles, "A role: users have one, and roles form a tree.";
    PoliciesName, Policy, "Policies", Policies, "A policy: permissions and flags that hold where it is attached.";
    AccessName, Access, "Access", Access, "An attachment of a policy to a role, to a user or to everybody without a role.";
    PermissionsName, Permission, "Permissions", Permissions, "A permission of a policy: an action on a collection, on which records, with which fields.";
    ActivityName, Activity, "Activity", Activity, "Something that happened.";
    RevisionsName, Revision, "Revisions", Revisions, "What a record has become by a change.";
    FilesName, File, "Files", Files, "A picture of a user.";
    SettingsName, Settings, "Settings", Settings, "The settings of the project.";
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
    let mut properties: Map<_, _> = fields
        .map(|field| (field.name.clone(), property(field)))
        .collect();
    if schema.collection() == Collection::Permissions {
        let system = json!({
            "type": "boolean",
            "readOnly": true,
            "description": "True for the rules that come with the app. They are in lists alone, and have neither an id nor a policy.",
        });
        properties.insert("system".to_owned(), system);
    }
    json!({"type": "object", "description": description, "properties": properties})
}

fn property(field: &Field) -> Json {
    if let Some(Link::Many { from, .. }) = &field.link {
        return json!({
            "type": "array",
            "items": {},
            "description": format!("The ids of records of `{from}`, or the records where their fields are asked for."),
        });
    }
    let mut property = match field.kind {
        FieldType::String | FieldType::Text => json!({"type": "string"}),
        FieldType::Integer => json!({"type": "integer", "format": "int32"}),
        FieldType::Serial => json!({"type": "integer", "format": "int64"}),
        FieldType::BigInteger => json!({"type": "string", "pattern": "^-?[0-9]{1,19}$"}),
        FieldType::Float => json!({"type": "number", "format": "double"}),
        FieldType::Decimal => json!({"type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?$"}),
        FieldType::Boolean => json!({"type": "boolean"}),
        FieldType::Date => json!({"type": "string", "format": "date"}),
        FieldType::Time => json!({"type": "string", "pattern": "^[0-9]{2}:[0-9]{2}:[0-9]{2}$"}),
        FieldType::DateTime => json!({
            "type": "string",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}$",
        }),
        FieldType::Timestamp => json!({"type": "string", "format": "date-time"}),
        FieldType::Csv => json!({"type": "array", "items": {"type": "string"}}),
        FieldType::Uuid => json!({"type": "string", "format": "uuid"}),
        FieldType::Hash => json!({"type": "string", "format": "password"}),
        // Without a type a schema takes any JSON, null included.
        FieldType::Json | FieldType::Alias => return json!({"description": "Any JSON."}),
    };
    if let Some(Link::One { to }) = &field.link {
        let description =
            format!("The id of a record of `{to}`, or the record where its fields are asked for.");
        let mut key = property;
        if field.is_nullable {
            key["nullable"] = true.into();
        }
        return json!({"anyOf": [key, {"type": "object", "additionalProperties": true}], "description": description});
    }
    if field.is_nullable {
        property["nullable"] = true.into();
    }
    if let Some(note) = field
        .demands
        .as_ref()
        .and_then(|demands| demands.choices.clone())
    {
        let is_list = matches!(field.kind, FieldType::Csv | FieldType::Json);
        if !is_list && !field.is_nullable {
            property["enum"] = note.into();
        }
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
        assert_eq!(properties["policies"]["type"], "array");
        assert!(properties["role"]["anyOf"].is_array());
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

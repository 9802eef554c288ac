//! From the text of a cell to the JSON that its field takes.

use roster_domain::{Code, Error, Field, FieldType, Problem, Result, Schema};
use serde_json::{Map, Value as Json};

/// The body that a line says: an empty cell says nothing of its field.
pub(super) fn body(
    names: &[String],
    cells: &csv::StringRecord,
    users: &Schema,
) -> Result<Map<String, Json>> {
    let (mut body, mut problems) = (Map::new(), Vec::new());
    for (name, cell) in names.iter().zip(cells).filter(|(_, cell)| !cell.is_empty()) {
        let Some(field) = users.field(name) else {
            continue;
        };
        match value(field, cell) {
            Ok(json) => drop(body.insert(name.clone(), json)),
            Err(problem) => problems.push(*problem),
        }
    }
    Error::of(problems).map_or(Ok(body), Err)
}

/// What is no number or the like stays text, for the field to say what it expected.
fn value(field: &Field, cell: &str) -> Result<Json, Box<Problem>> {
    let text = || Json::String(cell.to_owned());
    let parsed = || serde_json::from_str::<Json>(cell.trim()).ok();
    Ok(match field.kind {
        FieldType::Integer | FieldType::Serial | FieldType::Float => {
            parsed().filter(Json::is_number).unwrap_or_else(text)
        }
        FieldType::Boolean => match cell.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" => Json::Bool(true),
            "false" | "0" | "no" => Json::Bool(false),
            _ => text(),
        },
        FieldType::Csv => cell.split(',').map(|part| part.trim().to_owned()).collect(),
        FieldType::Json | FieldType::Alias => parsed().ok_or_else(|| {
            let reason = format!("field `{}`: expected JSON", field.name);
            Box::new(
                Problem::new(Code::InvalidPayload)
                    .saying(format!("Invalid payload. {reason}."))
                    .with("field", field.name.clone())
                    .with("reason", reason),
            )
        })?,
        FieldType::String
        | FieldType::Text
        | FieldType::BigInteger
        | FieldType::Decimal
        | FieldType::Date
        | FieldType::Time
        | FieldType::DateTime
        | FieldType::Timestamp
        | FieldType::Uuid
        | FieldType::Hash => text(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cell_is_what_its_field_takes() {
        for (kind, cell, expected) in [
            (FieldType::String, "12", json!("12")),
            (FieldType::Integer, "12", json!(12)),
            (FieldType::Integer, "twelve", json!("twelve")),
            (FieldType::Float, "1.5", json!(1.5)),
            (FieldType::Boolean, "Yes", json!(true)),
            (FieldType::Boolean, "0", json!(false)),
            (FieldType::Csv, "a, b", json!(["a", "b"])),
            (FieldType::Json, r#"{"a":[1]}"#, json!({"a": [1]})),
            (
                FieldType::BigInteger,
                "9007199254740993",
                json!("9007199254740993"),
            ),
        ] {
            let field = Field::new("x", kind);
            assert_eq!(value(&field, cell).ok(), Some(expected), "{kind:?} {cell}");
        }
        assert!(value(&Field::new("x", FieldType::Json), "{").is_err());
    }
}

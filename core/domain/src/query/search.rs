//! `search`: a filter over every field that may be looked into (contract/query.md §5).

use serde_json::Value as Json;
use uuid::Uuid;

use super::Ask;
use crate::filter::{Case, Filter, Operand, Pattern, Place, Test};
use crate::{Error, FieldType, Result, Value};

/// The longest text that is searched for, in characters.
const LONGEST: usize = 1_000;

pub(super) fn filter(ask: &Ask<'_>, json: &Json) -> Result<Filter> {
    let text = match json {
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        _ => return Err(Error::invalid_query("\"search\" must be a string")),
    };
    let text = text.trim();
    if text.is_empty() || text.contains('\0') {
        return Ok(Filter::Nothing);
    }
    if text.chars().count() > LONGEST {
        return Err(Error::invalid_query(format!(
            "\"search\" takes at most {LONGEST} characters"
        )));
    }
    let fields = ask.schema()?.fields().iter();
    let searched = fields.filter(|field| {
        field.is_searchable
            && field.is_stored()
            && !field.is_concealed
            && ask.grant.allows(&field.name)
    });
    let looked_for = searched.filter_map(|field| {
        let wanted = match field.kind {
            kind if kind.is_text() => Test::Has(Pattern {
                text: text.to_owned(),
                place: Place::Anywhere,
                case: Case::Folded,
            }),
            kind if kind.is_number() => {
                let number: Json = serde_json::from_str(text).ok().filter(Json::is_number)?;
                let value = match (kind, &number) {
                    (FieldType::Decimal, _) => field.parse(&Json::String(text.to_owned())),
                    _ => field.parse(&number),
                };
                Test::Equals(value.ok()?)
            }
            FieldType::Uuid if text.len() == 36 => {
                Test::Equals(Value::Uuid(Uuid::parse_str(text).ok()?))
            }
            _ => return None,
        };
        Some(Filter::Field(Operand::field(&field.name), wanted))
    });
    Ok(Filter::any(looked_for))
}

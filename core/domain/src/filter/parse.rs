//! JSON → [`Filter`], checked against the fields' types (contract/query.md §4).

use serde_json::{Map, Value as Json};

use super::{Case, Filter, Pattern, Place, Test};
use crate::{Error, Field, FieldType, Result, Schema, Value};

/// How large a filter may be, checked before anything runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How deep `_and` and `_or` may nest.
    pub depth: usize,
    /// How many tests there may be in all.
    pub tests: usize,
    /// How many operands `_in` and `_nin` take.
    pub operands: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 16,
            tests: 200,
            operands: 1_000,
        }
    }
}

/// Reads a filter over the fields of a schema.
///
/// # Errors
/// `INVALID_QUERY` for a malformed filter or an operator the field's type does not take,
/// `FORBIDDEN` for a field that does not exist.
pub fn parse(schema: &Schema, json: &Json, limits: Limits) -> Result<Filter> {
    let mut parser = Parser {
        schema,
        limits,
        tests: 0,
    };
    parser.object(json, 0)
}

struct Parser<'a> {
    schema: &'a Schema,
    limits: Limits,
    tests: usize,
}

impl Parser<'_> {
    fn object(&mut self, json: &Json, depth: usize) -> Result<Filter> {
        let Json::Object(map) = json else {
            return Err(Error::invalid_query("Invalid filter object"));
        };
        if depth > self.limits.depth {
            let reason = format!("filter is nested deeper than {} levels", self.limits.depth);
            return Err(Error::invalid_query(reason));
        }
        let mut all = Filter::Everything;
        for (key, value) in map {
            let part = match key.as_str() {
                "_and" => self.list(value, depth, Filter::And)?,
                "_or" => self.list(value, depth, Filter::Or)?,
                name => self.field(name, value)?,
            };
            all = all.and(part);
        }
        Ok(all)
    }

    fn list(
        &mut self,
        json: &Json,
        depth: usize,
        make: fn(Vec<Filter>) -> Filter,
    ) -> Result<Filter> {
        let Json::Array(parts) = json else {
            return Err(Error::invalid_query("Invalid filter object"));
        };
        if parts.is_empty() {
            return Ok(Filter::Everything);
        }
        let parts = parts.iter().map(|part| self.object(part, depth + 1));
        Ok(make(parts.collect::<Result<_>>()?))
    }

    fn field(&mut self, name: &str, json: &Json) -> Result<Filter> {
        if name.starts_with('_') {
            let reason = format!(
                "Invalid filter key \"{name}\" on \"{}\"",
                self.schema.collection()
            );
            return Err(Error::invalid_query(reason));
        }
        let Some(field) = self.schema.field(name).filter(|field| field.is_writable()) else {
            return Err(Error::forbidden_fields(
                self.schema.collection().as_str(),
                &[name.to_owned()],
            ));
        };
        let tests = match json {
            Json::Object(map) => self.tests(field, map)?,
            value => vec![self.test(field, "_eq", value)?],
        };
        let parts = tests
            .into_iter()
            .map(|test| Filter::Field(name.to_owned(), test));
        Ok(parts.fold(Filter::Everything, Filter::and))
    }

    fn tests(&mut self, field: &Field, map: &Map<String, Json>) -> Result<Vec<Test>> {
        map.iter()
            .map(|(operator, value)| self.test(field, operator, value))
            .collect()
    }

    fn test(&mut self, field: &Field, operator: &str, json: &Json) -> Result<Test> {
        self.tests += 1;
        if self.tests > self.limits.tests {
            let reason = format!("filter has more than {} tests", self.limits.tests);
            return Err(Error::invalid_query(reason));
        }
        if !takes(field, operator) {
            return Err(Error::invalid_query(refusal(field, operator)));
        }
        let one = || operand(field, operator, json);
        Ok(match operator {
            "_eq" if json.is_null() => Test::Null,
            "_neq" if json.is_null() => Test::NotNull,
            "_eq" => Test::Equals(one()?),
            "_neq" => Test::Differs(one()?),
            "_lt" => Test::Less(one()?),
            "_lte" => Test::LessOrEqual(one()?),
            "_gt" => Test::Greater(one()?),
            "_gte" => Test::GreaterOrEqual(one()?),
            "_in" => Test::OneOf(self.operands(field, operator, json)?),
            "_nin" => Test::NoneOf(self.operands(field, operator, json)?),
            "_between" | "_nbetween" => self.range(field, operator, json)?,
            "_null" | "_nnull" | "_empty" | "_nempty" => presence(operator, json)?,
            _ => pattern(operator, json)?,
        })
    }

    fn operands(&self, field: &Field, operator: &str, json: &Json) -> Result<Vec<Value>> {
        let list: Vec<Json> = match json {
            Json::Array(list) if list.is_empty() => {
                let reason = format!("\"{operator}\" has to be an array of values");
                return Err(Error::invalid_query(reason));
            }
            Json::Array(list) => list.clone(),
            Json::String(text) if text.is_empty() => Vec::new(),
            Json::String(text) => text.split(',').map(Json::from).collect(),
            Json::Null => Vec::new(),
            single => vec![single.clone()],
        };
        if list.len() > self.limits.operands {
            let reason = format!(
                "\"{operator}\" takes at most {} values",
                self.limits.operands
            );
            return Err(Error::invalid_query(reason));
        }
        let values = list.iter().filter(|json| !json.is_null());
        values.map(|json| operand(field, operator, json)).collect()
    }

    fn range(&self, field: &Field, operator: &str, json: &Json) -> Result<Test> {
        let values = self.operands(field, operator, json)?;
        let [low, high] = <[Value; 2]>::try_from(values)
            .map_err(|_| Error::invalid_query(format!("\"{operator}\" takes two values")))?;
        Ok(match operator {
            "_between" => Test::Between(low, high),
            _ => Test::Outside(low, high),
        })
    }
}

fn refusal(field: &Field, operator: &str) -> String {
    if field.is_concealed {
        format!("Field with \"conceal\" special does not allow the \"{operator}\" filter operator")
    } else {
        let kind = field.kind.as_str();
        format!("\"{kind}\" field type does not contain the \"{operator}\" filter operator")
    }
}

const EQUALITY: [&str; 2] = ["_eq", "_neq"];
const ORDER: [&str; 6] = ["_lt", "_lte", "_gt", "_gte", "_between", "_nbetween"];
const LISTS: [&str; 2] = ["_in", "_nin"];
const NULLS: [&str; 2] = ["_null", "_nnull"];
const EMPTIES: [&str; 2] = ["_empty", "_nempty"];

/// Whether the type of the field takes the operator (contract/query.md §4.1).
fn takes(field: &Field, operator: &str) -> bool {
    let among = |sets: &[&[&str]]| sets.iter().any(|set| set.contains(&operator));
    if field.is_concealed {
        return among(&[&NULLS, &EMPTIES]);
    }
    match field.kind {
        FieldType::String | FieldType::Text => {
            among(&[&EQUALITY, &LISTS, &NULLS, &EMPTIES]) || split(operator).is_some()
        }
        FieldType::Hash => among(&[&NULLS, &EMPTIES]),
        FieldType::Uuid => among(&[&EQUALITY, &NULLS, &LISTS]),
        FieldType::Json => among(&[&NULLS]),
        FieldType::Boolean => among(&[&EQUALITY, &NULLS]),
        FieldType::Integer | FieldType::BigInteger | FieldType::Float | FieldType::Timestamp => {
            among(&[&EQUALITY, &ORDER, &LISTS, &NULLS])
        }
    }
}

/// Reads a value to compare with. Query strings carry text, so numbers and booleans may be text.
fn operand(field: &Field, operator: &str, json: &Json) -> Result<Value> {
    let read = match (field.kind, json) {
        (_, Json::String(text)) if text.is_empty() => {
            return Err(Error::invalid_query(format!(
                "You can't filter for an empty string in \"{operator}\". Use \"_empty\" or \"_nempty\" instead"
            )));
        }
        (_, Json::Array(_) | Json::Object(_)) => {
            return Err(Error::invalid_query(format!(
                "The filter value for \"{operator}\" has to be a string, number, or boolean"
            )));
        }
        (FieldType::String | FieldType::Text, Json::Number(n)) => Json::String(n.to_string()),
        (FieldType::String | FieldType::Text, Json::Bool(b)) => Json::String(b.to_string()),
        (
            FieldType::Integer | FieldType::BigInteger | FieldType::Float | FieldType::Boolean,
            Json::String(text),
        ) => serde_json::from_str(text.trim()).unwrap_or(Json::Null),
        (_, other) => other.clone(),
    };
    match field.kind.parse(&read) {
        Ok(value) if !value.is_null() => Ok(value),
        Ok(_) => Err(Error::invalid_query("Invalid numeric value")),
        Err((expected, got)) => {
            let reason = format!(
                "\"{operator}\" on field `{}`: expected {expected}, got {got}",
                field.name
            );
            Err(Error::invalid_query(reason))
        }
    }
}

fn presence(operator: &str, json: &Json) -> Result<Test> {
    let applies = match json {
        Json::Bool(applies) => *applies,
        Json::Null => true,
        Json::String(text) if text.is_empty() || text == "true" => true,
        Json::String(text) if text == "false" => false,
        _ => {
            return Err(Error::invalid_query(format!(
                "\"{operator}\" has to be a boolean"
            )));
        }
    };
    Ok(match (operator, applies) {
        ("_null", true) | ("_nnull", false) => Test::Null,
        ("_nnull", true) | ("_null", false) => Test::NotNull,
        ("_empty", true) | ("_nempty", false) => Test::Empty,
        _ => Test::NotEmpty,
    })
}

/// `_nistarts_with` → not, folded, at the start.
fn split(operator: &str) -> Option<(bool, Case, Place)> {
    Some(match operator {
        "_contains" => (false, Case::Sensitive, Place::Anywhere),
        "_ncontains" => (true, Case::Sensitive, Place::Anywhere),
        "_icontains" => (false, Case::Folded, Place::Anywhere),
        "_starts_with" => (false, Case::Sensitive, Place::Start),
        "_nstarts_with" => (true, Case::Sensitive, Place::Start),
        "_istarts_with" => (false, Case::Folded, Place::Start),
        "_nistarts_with" => (true, Case::Folded, Place::Start),
        "_ends_with" => (false, Case::Sensitive, Place::End),
        "_nends_with" => (true, Case::Sensitive, Place::End),
        "_iends_with" => (false, Case::Folded, Place::End),
        "_niends_with" => (true, Case::Folded, Place::End),
        _ => return None,
    })
}

fn pattern(operator: &str, json: &Json) -> Result<Test> {
    let text = match json {
        Json::String(text) if !text.contains('\0') => text.clone(),
        Json::Number(n) => n.to_string(),
        Json::Bool(b) => b.to_string(),
        _ => {
            return Err(Error::invalid_query(format!(
                "The filter value for \"{operator}\" has to be a string, number, or boolean"
            )));
        }
    };
    let Some((negated, case, place)) = split(operator) else {
        return Err(Error::invalid_query(format!(
            "unknown filter operator \"{operator}\""
        )));
    };
    let pattern = Pattern { text, place, case };
    Ok(if negated {
        Test::HasNot(pattern)
    } else {
        Test::Has(pattern)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(json: &Json) -> Result<Filter> {
        parse(&Schema::users(), json, Limits::default())
    }

    #[test]
    fn operators_are_bound_to_types() {
        assert!(read(&json!({"email": {"_contains": "x"}, "last_access": {"_gt": "2026-01-01T00:00:00Z"}})).is_ok());
        for bad in [
            json!({"password": {"_eq": "x"}}),
            json!({"password": {"_contains": "x"}}),
            json!({"tags": {"_eq": "x"}}),
            json!({"role": {"_eq": "not a uuid"}}),
            json!({"email": {"_foo": 1}}),
            json!({"email": {"_eq": ""}}),
            json!({"email": {"_in": []}}),
            json!({"last_access": {"_gt": "yesterday"}}),
            json!({"nope": {"_eq": 1}}),
            json!({"_eq": 1}),
            json!({"_or": {}}),
            json!([1]),
        ] {
            assert!(read(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn depth_and_width_are_bounded() {
        let mut deep = json!({"title": {"_eq": "x"}});
        for _ in 0..20 {
            deep = json!({ "_and": [deep] });
        }
        let wide = json!({ "_or": vec![json!({"title": "x"}); 201] });

        assert!(read(&deep).is_err());
        assert!(read(&wide).is_err());
    }
}

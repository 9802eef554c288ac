//! JSON → [`Filter`], checked against the fields' types (contract/query.md §4).

mod level;
mod operators;
mod target;

use serde_json::{Map, Value as Json};

pub(crate) use self::level::check_function;
use self::level::{Level, function};
use self::operators::{bare, is_lost, pattern, presence};
use self::target::Target;
use super::{Filter, Operand, Test};
use crate::field::Link;
use crate::variables::Variables;
use crate::{Collection, Error, Field, FieldType, Grant, JsonPath, Model, Result, Value};

/// How large a filter may be, checked before anything runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How deep `_and`, `_or` and relations may nest.
    pub depth: usize,
    /// How many relations may follow one another.
    pub relations: usize,
    /// How many tests there may be in all.
    pub tests: usize,
    /// How many operands `_in` and `_nin` take.
    pub operands: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 16,
            relations: 10,
            tests: 200,
            operands: 1_000,
        }
    }
}

/// What a filter is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uses {
    /// To select records.
    Selection,
    /// To judge the values of a write: `_regex` and `_submitted` are known, too.
    Validation,
}

/// Reads filters.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    /// The fields.
    pub model: &'a Model,
    /// What variables stand for.
    pub variables: &'a Variables,
    /// Whose fields may be looked at; all of them for a rule.
    pub grant: Option<&'a Grant>,
    /// What the filter is for.
    pub uses: Uses,
    /// How large it may be.
    pub limits: Limits,
}

impl Reader<'_> {
    /// Reads a filter over the fields of a collection.
    ///
    /// # Errors
    /// `INVALID_QUERY` for a malformed filter or an operator the field's type does not take,
    /// `FORBIDDEN` for a field that does not exist or may not be looked at.
    pub fn read(&self, collection: Collection, json: &Json) -> Result<Filter> {
        let schema = self.model.schema(collection);
        let schema = schema.ok_or_else(|| Error::forbidden_collection(collection.as_str()))?;
        let mut parser = Parser {
            reader: self,
            tests: 0,
        };
        parser.object(&Level::root(schema, self.grant), json, 0)
    }

    /// Reads the name of a value: `email`, `role.name`, `year(last_access)`.
    ///
    /// # Errors
    /// `INVALID_QUERY` for an unknown function, `FORBIDDEN` for a field that does not exist or may
    /// not be looked at.
    pub fn operand(&self, collection: Collection, text: &str) -> Result<Operand> {
        let schema = self.model.schema(collection);
        let schema = schema.ok_or_else(|| Error::forbidden_collection(collection.as_str()))?;
        let mut level = Level::root(schema, self.grant);
        let mut names: Vec<&str> = match text.split_once('(') {
            Some((before, _)) => {
                let start = before.rfind('.').map_or(0, |dot| dot + 1);
                let mut path: Vec<&str> = text[..start].split_terminator('.').collect();
                path.push(&text[start..]);
                path
            }
            None => text.split('.').collect(),
        };
        let last = names.pop().unwrap_or_default();
        if names.len() > self.limits.relations {
            return Err(Error::invalid_query("Max relational depth exceeded"));
        }
        for name in names {
            let field = level.field(name)?;
            let to = field.leads_to().ok_or_else(|| level.forbidden(name))?;
            level = level.step(self.model, name, to)?;
        }
        if let Some((name, inside)) = JsonPath::split(last)? {
            JsonPath::check(level.field(name)?)?;
            return Ok(Operand {
                inside: Some(inside),
                ..level.operand(name, None)
            });
        }
        let (function, name) = function(last)?;
        let field = level.field(name)?;
        if let Some(function) = function {
            check_function(function, field)?;
        } else if !field.is_stored() {
            return Err(level.forbidden(name));
        }
        Ok(level.operand(name, function))
    }
}

struct Parser<'a> {
    reader: &'a Reader<'a>,
    tests: usize,
}

impl Parser<'_> {
    fn object(&mut self, level: &Level<'_>, json: &Json, depth: usize) -> Result<Filter> {
        let Json::Object(map) = json else {
            return Err(Error::invalid_query("Invalid filter object"));
        };
        let limits = self.reader.limits;
        if depth > limits.depth || level.path.len() > limits.relations {
            let reason = format!("filter is nested deeper than {} levels", limits.depth);
            return Err(Error::invalid_query(reason));
        }
        let mut all = Vec::with_capacity(map.len());
        for (key, value) in map {
            all.push(match key.as_str() {
                "_and" => self.list(level, value, depth, Filter::And)?,
                "_or" => self.list(level, value, depth, Filter::Or)?,
                name => self.entry(level, name, value, depth)?,
            });
        }
        Ok(joined(all))
    }

    fn list(
        &mut self,
        level: &Level<'_>,
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
        let parts = parts.iter().map(|part| self.object(level, part, depth + 1));
        Ok(make(parts.collect::<Result<_>>()?))
    }

    fn entry(
        &mut self,
        level: &Level<'_>,
        name: &str,
        json: &Json,
        depth: usize,
    ) -> Result<Filter> {
        if name.starts_with('_') {
            let reason = format!(
                "Invalid filter key \"{name}\" on \"{}\"",
                level.schema.collection()
            );
            return Err(Error::invalid_query(reason));
        }
        if let Some((field, inside)) = JsonPath::split(name)? {
            JsonPath::check(level.field(field)?)?;
            let operand = Operand {
                inside: Some(inside),
                ..level.operand(field, None)
            };
            return self.tests(&Target::Inside { name, operand }, json);
        }
        let (function, name) = function(name)?;
        let field = level.field(name)?;
        let operand = level.operand(name, function);
        if let Some(function) = function {
            check_function(function, field)?;
            let number = Field::new(name, FieldType::BigInteger);
            return self.tests(&Target::of(&number, operand), json);
        }
        match (&field.link, json) {
            (Some(Link::One { to }), Json::Object(map)) => self.one(level, field, *to, map, depth),
            (Some(Link::Many { from, .. }), json) => self.many(level, field, *from, json, depth),
            _ => self.tests(&Target::of(field, operand), json),
        }
    }

    /// Operators look at the key, everything else at the record it leads to.
    fn one(
        &mut self,
        level: &Level<'_>,
        field: &Field,
        to: Collection,
        map: &Map<String, Json>,
        depth: usize,
    ) -> Result<Filter> {
        let is_operator = |key: &str| key.starts_with('_') && key != "_and" && key != "_or";
        let mut all = Vec::new();
        let mut nested = Map::new();
        for (key, value) in map {
            if is_operator(key) {
                let target = Target::of(field, level.operand(&field.name, None));
                all.push(self.test(&target, key, value)?);
            } else {
                nested.insert(key.clone(), value.clone());
            }
        }
        if !nested.is_empty() {
            let next = level.step(self.reader.model, &field.name, to)?;
            all.push(self.object(&next, &Json::Object(nested), depth + 1)?);
        }
        Ok(joined(all))
    }

    fn many(
        &mut self,
        level: &Level<'_>,
        field: &Field,
        from: Collection,
        json: &Json,
        depth: usize,
    ) -> Result<Filter> {
        let Json::Object(map) = json else {
            return Err(Error::invalid_query("Invalid filter object"));
        };
        let next = level.into(self.reader.model, &field.name, from)?;
        let operand = level.operand(&field.name, None);
        if !map.keys().any(|key| key == "_some" || key == "_none") {
            let filter = self.object(&next, json, depth + 1)?;
            return Ok(Filter::Some(operand, Box::new(filter)));
        }
        let mut all = Vec::new();
        for (key, value) in map {
            let filter = || Ok::<_, Error>(Box::new(self.object(&next, value, depth + 1)?));
            let mut filter = filter;
            all.push(match key.as_str() {
                "_some" => Filter::Some(operand.clone(), filter()?),
                "_none" => Filter::None(operand.clone(), filter()?),
                other => {
                    let reason = format!("\"{other}\" cannot stand beside \"_some\" or \"_none\"");
                    return Err(Error::invalid_query(reason));
                }
            });
        }
        Ok(joined(all))
    }

    fn tests(&mut self, target: &Target<'_>, json: &Json) -> Result<Filter> {
        match json {
            Json::Object(map) => {
                let tests = map
                    .iter()
                    .map(|(operator, value)| self.test(target, operator, value));
                Ok(joined(tests.collect::<Result<_>>()?))
            }
            value => self.test(target, "_eq", value),
        }
    }

    fn test(&mut self, target: &Target<'_>, operator: &str, json: &Json) -> Result<Filter> {
        self.tests += 1;
        if self.tests > self.reader.limits.tests {
            let reason = format!("filter has more than {} tests", self.reader.limits.tests);
            return Err(Error::invalid_query(reason));
        }
        let operand = target.operand().clone();
        if self.reader.uses == Uses::Validation {
            match (operator, json) {
                ("_regex", Json::String(pattern)) => {
                    return Ok(Filter::Field(
                        operand,
                        Test::Matches(bare(pattern).to_owned()),
                    ));
                }
                ("_submitted", json) => {
                    let wanted = json.as_bool().unwrap_or(true);
                    return Ok(Filter::Field(operand, Test::Submitted(wanted)));
                }
                _ => {}
            }
        }
        target.check(operator)?;
        let variables = self.reader.variables;
        let resolved = match json {
            Json::String(text) => variables.resolve(text),
            Json::Array(items) => Some(items.iter().map(|item| variables.fill(item)).collect()),
            _ => None,
        };
        if resolved
            .as_ref()
            .is_some_and(|to| is_lost(operator, json, to))
        {
            // A variable that stands for nothing passes nothing (security bar 56).
            return Ok(match self.reader.uses {
                Uses::Selection => Filter::Nothing,
                Uses::Validation => Filter::Field(operand, Test::OneOf(Vec::new())),
            });
        }
        let json = resolved.as_ref().unwrap_or(json);
        let one = || target.read(operator, json);
        let ordered = || target.ordered(operator, json);
        let test = match operator {
            "_eq" if json.is_null() => Test::Null,
            "_neq" if json.is_null() => Test::NotNull,
            "_eq" => Test::Equals(one()?),
            "_neq" => Test::Differs(one()?),
            "_lt" => Test::Less(ordered()?),
            "_lte" => Test::LessOrEqual(ordered()?),
            "_gt" => Test::Greater(ordered()?),
            "_gte" => Test::GreaterOrEqual(ordered()?),
            "_in" => Test::OneOf(self.operands(target, operator, json)?),
            "_nin" => Test::NoneOf(self.operands(target, operator, json)?),
            "_between" | "_nbetween" => self.range(target, operator, json)?,
            "_null" | "_nnull" | "_empty" | "_nempty" => presence(operator, json)?,
            _ => pattern(operator, json)?,
        };
        Ok(Filter::Field(operand, test))
    }

    fn operands(&self, target: &Target<'_>, operator: &str, json: &Json) -> Result<Vec<Value>> {
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
        if list.len() > self.reader.limits.operands {
            let reason = format!(
                "\"{operator}\" takes at most {} values",
                self.reader.limits.operands
            );
            return Err(Error::invalid_query(reason));
        }
        let values = list.iter().filter(|json| !json.is_null());
        values.map(|json| target.read(operator, json)).collect()
    }

    fn range(&self, target: &Target<'_>, operator: &str, json: &Json) -> Result<Test> {
        let values = self.operands(target, operator, json)?;
        target.check_range(operator, &values)?;
        let [low, high] = <[Value; 2]>::try_from(values)
            .map_err(|_| Error::invalid_query(format!("\"{operator}\" takes two values")))?;
        Ok(match operator {
            "_between" => Test::Between(low, high),
            _ => Test::Outside(low, high),
        })
    }
}

fn joined(mut parts: Vec<Filter>) -> Filter {
    match parts.len() {
        0 => Filter::Everything,
        1 => parts.remove(0),
        _ => Filter::And(parts),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(json: &Json) -> Result<Filter> {
        let (model, variables) = (Model::built_in(), Variables::default());
        let reader = Reader {
            model: &model,
            variables: &variables,
            grant: None,
            uses: Uses::Selection,
            limits: Limits::default(),
        };
        reader.read(Collection::Users, json)
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
            json!({"role": {"nope": {"_eq": 1}}}),
            json!({"role.name": {"_eq": "x"}}),
            json!({"year(email)": {"_eq": 1}}),
            json!({"foo(last_access)": {"_eq": 1}}),
            json!({"policies": {"_eq": "x"}}),
            json!({"title": {"_regex": "x"}}),
            json!({"json(auth_data)": {"_eq": 1}}),
            json!({"json(auth_data.a)": {"_gt": false}}),
            json!({"json(email.a)": {"_eq": 1}}),
            json!({"_eq": 1}),
            json!({"_or": {}}),
            json!([1]),
        ] {
            assert!(read(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_range_that_begins_or_ends_with_nothing_has_nothing_in_it() {
        for operator in ["_between", "_nbetween"] {
            let range = json!(["$CURRENT_USER.last_access", "2026-01-01T00:00:00Z"]);
            let filter = read(&json!({"last_access": {operator: range}}));
            assert_eq!(filter.expect("a filter"), Filter::Nothing, "{operator}");
        }
        assert!(
            read(&json!({"last_access": {"_between": [null, "2026-01-01T00:00:00Z"]}})).is_err()
        );
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

//! `fields`, `alias` and `deep`: the tree of what is selected (contract/query.md §3).

mod wanted;

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use self::wanted::Wanted;
pub(super) use self::wanted::aliases;
use super::{Ask, Budget, DEEP, Direction, Filter, Query, Sort};
use crate::field::Link;
use crate::filter::{Operand, check_function};
use crate::{Error, FieldType, Function, Grant, JsonPath, Projection, Result, Schema};

/// How many relations may follow one another.
const DEEPEST: usize = 10;

/// What is selected of the records of one level.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection {
    /// Their own fields, and lists as keys.
    pub projection: Arc<Projection>,
    /// Values of functions.
    pub computed: Vec<Computed>,
    /// Records that fields lead to.
    pub nested: Vec<Nested>,
    /// Whether nothing is left but the key.
    pub is_bare: bool,
}

/// A value of a function.
#[derive(Debug, Clone, PartialEq)]
pub struct Computed {
    /// What it is called in the answer.
    pub name: Arc<str>,
    /// The value.
    pub operand: Operand,
    /// What is taken out of it, where it is JSON.
    pub path: Option<JsonPath>,
}

/// Records that a field leads to.
#[derive(Debug, Clone, PartialEq)]
pub struct Nested {
    /// What they are called in the answer.
    pub name: Arc<str>,
    /// The position of the field.
    pub field: usize,
    /// What is selected of them, and which.
    pub query: Box<Query>,
}

impl Selection {
    /// The key alone.
    pub(super) fn keys(schema: &Arc<Schema>) -> Self {
        let key = schema.position("id").into_iter().collect();
        Self {
            projection: Arc::new(Projection::of(schema, key)),
            computed: Vec::new(),
            nested: Vec::new(),
            is_bare: false,
        }
    }

    /// The key alone, sent without its name.
    pub(super) fn bare(schema: &Arc<Schema>) -> Self {
        Self {
            is_bare: true,
            ..Self::keys(schema)
        }
    }

    /// Every field with a column that may be seen.
    pub(super) fn stored(schema: &Arc<Schema>, grant: &Grant) -> Self {
        let visible = grant.visible(schema).into_iter();
        let stored = visible.filter(|index| schema.fields()[*index].is_stored());
        Self {
            projection: Arc::new(Projection::of(schema, stored.collect())),
            ..Self::keys(schema)
        }
    }

    /// The columns of a table of such records: dots lead into nested records, lists are one column.
    pub fn columns(&self) -> Vec<String> {
        if self.is_bare {
            return Vec::new();
        }
        let own = self.projection.fields().map(|field| field.name.clone());
        let computed = self.computed.iter().map(|one| one.name.to_string());
        let mut columns: Vec<String> = own.chain(computed).collect();
        for nested in &self.nested {
            let field = &self.projection.schema().fields()[nested.field];
            let below = nested.query.selection.columns();
            if field.kind == FieldType::Alias || below.is_empty() {
                columns.push(nested.name.to_string());
            } else {
                let below = below
                    .into_iter()
                    .map(|name| format!("{}.{name}", nested.name));
                columns.extend(below);
            }
        }
        columns
    }

    /// The fields of the level that were asked for.
    pub(super) fn requested(&self) -> Vec<&str> {
        if self.is_bare {
            return Vec::new();
        }
        let fields = self.projection.schema().fields();
        let own = self.projection.fields().map(|field| field.name.as_str());
        let computed = self.computed.iter().map(|one| one.operand.root());
        let nested = self
            .nested
            .iter()
            .map(|one| fields[one.field].name.as_str());
        own.chain(computed).chain(nested).collect()
    }
}

pub(super) fn parse(
    ask: &Ask<'_>,
    words: &[String],
    alias: &Map<String, Json>,
    deep: &Map<String, Json>,
    depth: usize,
    budget: &mut Budget,
) -> Result<Selection> {
    if depth > DEEPEST {
        return Err(Error::invalid_query("Max relational depth exceeded"));
    }
    let mut wanted = Wanted::of(words);
    if words.is_empty() {
        wanted.is_all = true;
    }
    let schema = ask.schema()?;
    let mut level = LevelParser {
        ask,
        schema,
        alias,
        deep,
        depth,
        positions: Vec::new(),
        computed: Vec::new(),
        nested: Vec::new(),
    };
    if wanted.is_all {
        let visible = ask.grant.visible(schema).into_iter();
        level.positions = visible.filter(|index| level.is_listed(*index)).collect();
    }
    let mut bad = Vec::new();
    for name in &wanted.leaves {
        level.leaf(name, &mut bad, budget)?;
    }
    for (name, words) in &wanted.children {
        if name == "*" {
            level.everywhere(words, budget)?;
        } else {
            level.child(name, words, &mut bad, budget)?;
        }
    }
    if !bad.is_empty() {
        return Err(Error::forbidden_fields(schema.collection().as_str(), &bad));
    }
    level.finish(budget)
}

struct LevelParser<'a> {
    ask: &'a Ask<'a>,
    schema: &'a Arc<Schema>,
    alias: &'a Map<String, Json>,
    deep: &'a Map<String, Json>,
    depth: usize,
    positions: Vec<usize>,
    computed: Vec<Computed>,
    nested: Vec<Nested>,
}

impl LevelParser<'_> {
    /// Whether a list can be shown at all: records that may not be read are left out.
    fn is_listed(&self, index: usize) -> bool {
        match &self.schema.fields()[index].link {
            Some(Link::Many { from, .. }) => self.ask.grant.related(*from).is_some(),
            _ => true,
        }
    }

    fn leaf(&mut self, name: &str, bad: &mut Vec<String>, budget: &mut Budget) -> Result<()> {
        if let Some((field, path)) = JsonPath::split(name)? {
            let known = self.schema.field(field);
            match known.filter(|_| self.ask.grant.allows(field)) {
                None => bad.push(field.to_owned()),
                Some(known) => {
                    JsonPath::check(known)?;
                    self.computed.push(Computed {
                        name: JsonPath::name(name).into(),
                        operand: Operand::field(field),
                        path: Some(path),
                    });
                }
            }
            return Ok(());
        }
        if let Some((function, word, argument)) = Function::split(name) {
            let function = function.ok_or_else(|| {
                Error::invalid_query(format!("Invalid function specified \"{word}\""))
            })?;
            let field = self.schema.field(argument);
            let Some(field) = field.filter(|_| self.ask.grant.allows(argument)) else {
                bad.push(argument.to_owned());
                return Ok(());
            };
            check_function(function, field)?;
            let readable = match &field.link {
                Some(Link::Many { from, .. }) => self.ask.grant.related(*from).is_some(),
                _ => true,
            };
            if readable {
                let operand = Operand {
                    function: Some(function),
                    ..Operand::field(argument)
                };
                let name = format!("{argument}_{}", function.as_str()).into();
                self.computed.push(Computed {
                    name,
                    operand,
                    path: None,
                });
            }
            return Ok(());
        }
        if let Some(field) = self.alias.get(name).and_then(Json::as_str) {
            let field = field.to_owned();
            // An alias of a field that leads nowhere is left out (contract/query.md §3).
            let leads = self
                .schema
                .field(&field)
                .is_some_and(|field| field.link.is_some());
            return if leads {
                self.relation(name, &field, &["id".to_owned()], bad, budget)
            } else {
                Ok(())
            };
        }
        match self.schema.position(name) {
            Some(index) if self.ask.grant.allows(name) => {
                let is_list = self.schema.fields()[index].kind == FieldType::Alias;
                if is_list && self.deep.contains_key(name) {
                    return self.relation(name, name, &[], bad, budget);
                }
                if self.is_listed(index) {
                    self.positions.push(index);
                }
            }
            _ => bad.push(name.to_owned()),
        }
        Ok(())
    }

    fn child(
        &mut self,
        name: &str,
        words: &[String],
        bad: &mut Vec<String>,
        budget: &mut Budget,
    ) -> Result<()> {
        let field = self
            .alias
            .get(name)
            .and_then(Json::as_str)
            .unwrap_or(name)
            .to_owned();
        self.relation(name, &field, words, bad, budget)
    }

    /// `*.*`: what the words ask for of every record that a visible field leads to.
    fn everywhere(&mut self, words: &[String], budget: &mut Budget) -> Result<()> {
        let visible = self.ask.grant.visible(self.schema);
        for index in visible {
            let field = &self.schema.fields()[index];
            if field.link.is_none() {
                self.positions.push(index);
                continue;
            }
            let name = field.name.clone();
            self.relation(&name, &name, words, &mut Vec::new(), budget)?;
        }
        Ok(())
    }

    fn relation(
        &mut self,
        name: &str,
        field: &str,
        words: &[String],
        bad: &mut Vec<String>,
        budget: &mut Budget,
    ) -> Result<()> {
        let position = self
            .schema
            .position(field)
            .filter(|_| self.ask.grant.allows(field));
        let Some(index) = position else {
            bad.push(field.to_owned());
            return Ok(());
        };
        let (to, by) = match &self.schema.fields()[index].link {
            Some(Link::One { to }) => (*to, None),
            Some(Link::Many { from, sort, .. }) => (*from, sort.clone()),
            None => {
                bad.push(
                    words
                        .first()
                        .map_or_else(|| field.to_owned(), |word| format!("{field}.{word}")),
                );
                return Ok(());
            }
        };
        // What leads to records that may not be read at all is left out.
        let Some(grant) = self.ask.grant.related(to) else {
            return Ok(());
        };
        let ask = Ask {
            grant: &grant,
            ..*self.ask
        };
        let mut parameters = match self.deep.get(name).or_else(|| self.deep.get(field)) {
            Some(Json::Object(map)) => map.clone(),
            Some(_) => return Err(Error::invalid_query("\"deep\" has to be an object")),
            None => Map::new(),
        };
        if parameters.contains_key("_aggregate") || parameters.contains_key("_group") {
            let reason = "\"deep\" takes neither \"_aggregate\" nor \"_group\"";
            return Err(Error::invalid_query(reason));
        }
        let names: Json = words.to_vec().into();
        parameters.entry("_fields").or_insert(names);
        let mut query = Query::level(&ask, &parameters, &DEEP, self.depth + 1, budget)?;
        // Lists that have an order come in it.
        if let (true, Some(by)) = (query.sort.is_empty(), by) {
            query.sort.push(Sort {
                operand: Operand::field(by),
                direction: Direction::Ascending,
            });
        }
        self.nested.retain(|known| *known.name != *name);
        self.nested.push(Nested {
            name: name.into(),
            field: index,
            query: Box::new(query),
        });
        Ok(())
    }

    fn finish(self, budget: &mut Budget) -> Result<Selection> {
        let Self {
            schema,
            mut positions,
            computed,
            nested,
            ..
        } = self;
        let fields = schema.fields();
        // The record itself takes the place of its key.
        positions.retain(|index| {
            let name = fields[*index].name.as_str();
            nested.iter().all(|one| &*one.name != name)
        });
        budget.spend(positions.len() + computed.len() + nested.len())?;
        if positions.is_empty() && computed.is_empty() && nested.is_empty() {
            return Ok(Selection::bare(schema));
        }
        Ok(Selection {
            projection: Arc::new(Projection::of(schema, positions)),
            computed,
            nested,
            is_bare: false,
        })
    }
}

impl Nested {
    /// Which records, beside the condition of being related.
    pub const fn filter(&self) -> &Filter {
        &self.query.filter
    }
}

//! What a read asks for: fields, filter, search, sort, page, aggregates (contract/query.md).

mod group;
mod search;
mod select;
mod words;

use std::sync::Arc;

use serde_json::{Map, Value as Json};

pub use group::{Aggregate, Group, Grouping, Operation};
pub use select::{Computed, Nested, Selection};

use self::words::{decode, is_blank, limit, meta, number, words};

use crate::filter::{self, Filter, Operand, Reader, Uses};
use crate::variables::Variables;
use crate::{Collection, Error, Grant, Model, Result, Schema};

/// The parameters of a request, decoded but not yet understood.
pub type Parameters = Map<String, Json>;

/// A query over one collection, and over those its fields lead to.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    grant: Grant,
    rows: Grant,
    /// Which fields.
    pub selection: Selection,
    /// Which records.
    pub filter: Filter,
    /// In which order; the id is always the last key.
    pub sort: Vec<Sort>,
    /// How many at most; `None` for all.
    pub limit: Option<u64>,
    /// How many are left out at the start.
    pub offset: u64,
    /// Which counts are wanted beside the records.
    pub meta: Meta,
    /// What the records are grouped by and what is said of each group, instead of the records.
    pub grouping: Option<Grouping>,
}

/// One key of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort {
    /// The value.
    pub operand: Operand,
    /// The direction.
    pub direction: Direction,
}

/// A direction of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The smallest first.
    Ascending,
    /// The largest first.
    Descending,
}

/// Which counts are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Meta {
    /// Of the records the principal may read.
    pub total_count: bool,
    /// Of those that also pass the filter.
    pub filter_count: bool,
}

/// The limits on pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageLimits {
    /// The page size when none is asked for; `None` for all.
    pub default: Option<u64>,
    /// The largest page size; `None` for no limit.
    pub max: Option<u64>,
}

impl PageLimits {
    /// No limits.
    pub const NONE: Self = Self {
        default: None,
        max: None,
    };
}

/// What parameters are understood with.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    /// The fields.
    pub model: &'a Model,
    /// What may be read.
    pub grant: &'a Grant,
    /// What variables stand for.
    pub variables: &'a Variables,
    /// The limits on pages.
    pub pages: PageLimits,
}

impl Ask<'_> {
    fn schema(&self) -> Result<&Arc<Schema>> {
        let collection = self.collection();
        let schema = self.model.schema(collection);
        schema.ok_or_else(|| Error::forbidden_collection(collection.as_str()))
    }

    fn collection(&self) -> Collection {
        self.grant.collection()
    }

    fn reader(&self) -> Reader<'_> {
        Reader {
            model: self.model,
            variables: self.variables,
            grant: Some(self.grant),
            uses: Uses::Selection,
            limits: filter::Limits::default(),
        }
    }
}

impl Query {
    /// The stored fields of the records that pass a filter.
    pub fn stored(schema: &Arc<Schema>, grant: &Grant, filter: Filter) -> Self {
        Self::of(grant, Selection::stored(schema, grant), filter)
    }

    /// The keys of the records that pass a filter.
    pub fn keys(schema: &Arc<Schema>, grant: &Grant, filter: Filter) -> Self {
        Self::of(grant, Selection::keys(schema), filter)
    }

    fn of(grant: &Grant, selection: Selection, filter: Filter) -> Self {
        Self {
            grant: grant.clone(),
            rows: grant.clone(),
            selection,
            filter,
            sort: Vec::new(),
            limit: None,
            offset: 0,
            meta: Meta::default(),
            grouping: None,
        }
    }

    /// Understands the parameters under a read grant.
    ///
    /// # Errors
    /// `INVALID_QUERY` for malformed values, `FORBIDDEN` for fields that are unknown or not granted.
    pub fn parse(ask: &Ask<'_>, parameters: &Parameters) -> Result<Self> {
        let names = Names {
            fields: "fields",
            filter: "filter",
            search: "search",
            sort: "sort",
            limit: "limit",
            offset: "offset",
            page: "page",
            alias: "alias",
            deep: Some("deep"),
        };
        let mut query = Self::level(ask, parameters, &names, 0, &mut Budget::default())?;
        let given = |name: &str| parameters.get(name).filter(|json| !is_blank(json));
        query.meta = meta(given("meta"))?;
        let (aggregate, group) = grouped(parameters);
        if aggregate.is_some() || group.is_some() {
            let sort = words("sort", given("sort"))?;
            let made = Grouping::parse(ask, aggregate, group, &sort)?;
            let looked_at: Vec<&str> = made.fields().collect();
            query.rows = ask.grant.showing(looked_at);
            query.grouping = Some(made);
        }
        Ok(query)
    }

    /// One level of the tree; names differ between the top and what is nested.
    fn level(
        ask: &Ask<'_>,
        parameters: &Parameters,
        names: &Names,
        depth: usize,
        budget: &mut Budget,
    ) -> Result<Self> {
        let given = |name: &str| parameters.get(name).filter(|json| !is_blank(json));
        let asks_for_groups = grouped(parameters) != (None, None);
        let is_grouped = depth == 0 && asks_for_groups;
        let reader = ask.reader();
        let mut filter = match given(names.filter) {
            Some(json) => reader.read(ask.collection(), &decode("filter", json)?)?,
            None => Filter::Everything,
        };
        if let Some(json) = given(names.search) {
            filter = filter.and(search::filter(ask, json)?);
        }
        let sort = if is_grouped {
            Vec::new()
        } else {
            sorts(ask, &words("sort", given(names.sort))?)?
        };
        let limit = limit(given(names.limit), ask.pages)?;
        let offset = number("offset", given(names.offset), 0)?;
        let page = number("page", given(names.page), 0)?;
        let offset = match (page, limit) {
            (Some(page), Some(limit)) if page >= 1 => {
                (page - 1).unsigned_abs().saturating_mul(limit)
            }
            _ => offset.unwrap_or(0).unsigned_abs(),
        };
        let alias = match given(names.alias) {
            Some(json) => select::aliases(&decode("alias", json)?)?,
            None => Map::new(),
        };
        let deep = match names.deep.map(given) {
            Some(Some(json)) => object("deep", decode("deep", json)?)?,
            Some(None) => Map::new(),
            // Inside of `deep`, what has no underscore is about the level below.
            None => parameters
                .iter()
                .filter(|(name, _)| !name.starts_with('_'))
                .map(|(name, json)| (name.clone(), json.clone()))
                .collect(),
        };
        let wanted = words("fields", given(names.fields))?;
        // An empty list, as against none at all, asks for nothing but the keys.
        let nothing =
            matches!(parameters.get(names.fields), Some(Json::Array(list)) if list.is_empty());
        let selection = if is_grouped {
            Selection::keys(ask.schema()?)
        } else if nothing {
            Selection::bare(ask.schema()?)
        } else {
            select::parse(ask, &wanted, &alias, &deep, depth, budget)?
        };
        let rows = ask.grant.showing(selection.requested());
        // Both databases count in 64 bits with a sign.
        let offset = offset.min(i64::MAX.unsigned_abs());
        Ok(Self {
            rows,
            sort,
            limit,
            offset,
            ..Self::of(ask.grant, selection, filter)
        })
    }

    /// What may be read: the grant for counting.
    pub const fn grant(&self) -> &Grant {
        &self.grant
    }

    /// What may be read of the fields that were asked for: the grant for records.
    pub const fn rows(&self) -> &Grant {
        &self.rows
    }

    /// The collection.
    pub const fn collection(&self) -> Collection {
        self.grant.collection()
    }
}

/// What the parameters are called at one level.
struct Names {
    fields: &'static str,
    filter: &'static str,
    search: &'static str,
    sort: &'static str,
    limit: &'static str,
    offset: &'static str,
    page: &'static str,
    alias: &'static str,
    deep: Option<&'static str>,
}

/// The names of a level inside of `deep`.
const DEEP: Names = Names {
    fields: "_fields",
    filter: "_filter",
    search: "_search",
    sort: "_sort",
    limit: "_limit",
    offset: "_offset",
    page: "_page",
    alias: "_alias",
    deep: None,
};

/// How much a query may still select.
struct Budget(usize);

impl Default for Budget {
    fn default() -> Self {
        Self(2_000)
    }
}

impl Budget {
    fn spend(&mut self, fields: usize) -> Result<()> {
        self.0 = self.0.checked_sub(fields).ok_or_else(|| {
            Error::invalid_query("\"fields\" selects more than 2000 fields in all")
        })?;
        Ok(())
    }
}

fn sorts(ask: &Ask<'_>, words: &[String]) -> Result<Vec<Sort>> {
    if words.len() > 50 {
        return Err(Error::invalid_query("\"sort\" takes at most 50 fields"));
    }
    words
        .iter()
        .map(|word| {
            let (name, direction) = direction(word);
            let operand = ask.reader().operand(ask.collection(), name)?;
            refuse_concealed(ask, &operand, "sorted by")?;
            Ok(Sort { operand, direction })
        })
        .collect()
}

fn direction(word: &str) -> (&str, Direction) {
    match word.strip_prefix('-') {
        Some(name) => (name, Direction::Descending),
        None => (word, Direction::Ascending),
    }
}

/// Secrets are not ordered, grouped or counted by.
fn refuse_concealed(ask: &Ask<'_>, operand: &Operand, what: &str) -> Result<()> {
    let mut schema = Some(ask.schema()?);
    for step in &operand.path {
        let to = schema.and_then(|schema| schema.field(step)?.leads_to());
        schema = to.and_then(|to| ask.model.schema(to));
    }
    let field = schema.and_then(|schema| schema.field(&operand.field));
    match field {
        Some(field) if field.is_concealed => Err(Error::invalid_query(format!(
            "field `{}` is concealed and cannot be {what}",
            field.name
        ))),
        _ => Ok(()),
    }
}

fn object(name: &str, json: Json) -> Result<Map<String, Json>> {
    match json {
        Json::Object(map) => Ok(map),
        _ => Err(Error::invalid_query(format!(
            "\"{name}\" has to be an object"
        ))),
    }
}

/// What is said of `aggregate` and of `groupBy`; one that names nothing is none.
fn grouped(parameters: &Parameters) -> (Option<&Json>, Option<&Json>) {
    let names_something = |json: &&Json| match json {
        Json::Array(list) => !list.is_empty(),
        Json::Object(map) => !map.is_empty(),
        json => !is_blank(json),
    };
    let given = |name: &str| parameters.get(name).filter(names_something);
    (given("aggregate"), given("groupBy").or(given("group")))
}

#[cfg(test)]
mod tests;

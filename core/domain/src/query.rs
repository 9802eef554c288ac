//! What a read asks for: fields, filter, sort, page.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::filter::{self, Filter};
use crate::{Error, Grant, Projection, Result, Schema};

/// The parameters of a request, decoded but not yet understood.
pub type Parameters = Map<String, Json>;

/// A query over one collection.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Which fields.
    pub projection: Arc<Projection>,
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
}

/// One key of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort {
    /// The field.
    pub field: String,
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

/// Parameters that belong to the query language and are not answered yet.
const NOT_YET: [&str; 6] = ["search", "aggregate", "groupBy", "deep", "alias", "export"];

impl Query {
    /// Every field of every record.
    pub fn all(schema: &Arc<Schema>) -> Self {
        Self {
            projection: Arc::new(Projection::all(schema)),
            filter: Filter::Everything,
            sort: Vec::new(),
            limit: None,
            offset: 0,
            meta: Meta::default(),
        }
    }

    /// Understands the parameters under a read grant.
    ///
    /// # Errors
    /// `INVALID_QUERY` for malformed values, `FORBIDDEN` for fields that are unknown or not granted.
    pub fn parse(
        schema: &Arc<Schema>,
        grant: &Grant,
        parameters: &Parameters,
        pages: PageLimits,
    ) -> Result<Self> {
        let given = |name: &str| parameters.get(name).filter(|json| !is_blank(json));
        if let Some(name) = NOT_YET.into_iter().find(|name| given(name).is_some()) {
            return Err(Error::invalid_query(format!(
                "\"{name}\" is not supported yet"
            )));
        }
        let filter = match given("filter") {
            Some(json) => {
                filter::parse(schema, &decode("filter", json)?, filter::Limits::default())?
            }
            None => Filter::Everything,
        };
        let sort = words("sort", given("sort"))?
            .iter()
            .map(|word| Sort::parse(word))
            .collect();
        let query = Self {
            projection: Arc::new(projection(schema, grant, given("fields"))?),
            filter,
            sort,
            limit: limit(given("limit"), pages)?,
            offset: 0,
            meta: meta(given("meta"))?,
        };
        query.check(schema, grant)?;
        let offset = number("offset", given("offset"), 0)?;
        let page = number("page", given("page"), 0)?;
        let offset = match (page, query.limit) {
            (Some(page), Some(limit)) if page >= 1 => {
                (page - 1).unsigned_abs().saturating_mul(limit)
            }
            _ => offset.unwrap_or(0).unsigned_abs(),
        };
        // Both databases count in 64 bits with a sign.
        Ok(Self {
            offset: offset.min(i64::MAX.unsigned_abs()),
            ..query
        })
    }

    /// Filtering and sorting need the same right as reading.
    fn check(&self, schema: &Schema, grant: &Grant) -> Result<()> {
        let sorted = self.sort.iter().map(|sort| sort.field.as_str());
        let bad: Vec<String> = sorted
            .chain(self.filter.fields())
            .filter(|name| {
                !grant.allows(name) || schema.field(name).is_none_or(|field| !field.is_writable())
            })
            .map(ToOwned::to_owned)
            .collect();
        if !bad.is_empty() {
            return Err(Error::forbidden_fields(schema.collection().as_str(), &bad));
        }
        let concealed = |sort: &&Sort| schema.field(&sort.field).is_some_and(|f| f.is_concealed);
        self.sort.iter().find(concealed).map_or(Ok(()), |sort| {
            Err(Error::invalid_query(format!(
                "field `{}` is concealed and cannot be sorted by",
                sort.field
            )))
        })
    }
}

impl Sort {
    fn parse(word: &str) -> Self {
        match word.strip_prefix('-') {
            Some(field) => Self {
                field: field.to_owned(),
                direction: Direction::Descending,
            },
            None => Self {
                field: word.to_owned(),
                direction: Direction::Ascending,
            },
        }
    }
}

fn is_blank(json: &Json) -> bool {
    match json {
        Json::Null => true,
        Json::String(text) => text.is_empty(),
        _ => false,
    }
}

/// `filter` and its like are JSON text in a query string, JSON itself in a body.
fn decode(name: &str, json: &Json) -> Result<Json> {
    match json {
        Json::String(text) => serde_json::from_str(text)
            .map_err(|_| Error::invalid_query(format!("Invalid JSON for {name} object"))),
        other => Ok(other.clone()),
    }
}

/// A list: comma-separated text, or an array of such.
fn words(name: &str, json: Option<&Json>) -> Result<Vec<String>> {
    let split = |text: &str| {
        text.split(',')
            .map(|word| word.trim().to_owned())
            .collect::<Vec<_>>()
    };
    let all: Vec<String> = match json {
        None => Vec::new(),
        Some(Json::String(text)) => split(text),
        Some(Json::Array(list)) => {
            let texts = list.iter().map(|json| json.as_str().map(split));
            texts
                .collect::<Option<Vec<_>>>()
                .map(|lists| lists.concat())
                .ok_or_else(|| {
                    Error::invalid_query(format!("\"{name}\" has to be a list of names"))
                })?
        }
        Some(_) => {
            return Err(Error::invalid_query(format!(
                "\"{name}\" has to be a list of names"
            )));
        }
    };
    Ok(all.into_iter().filter(|word| !word.is_empty()).collect())
}

fn projection(schema: &Arc<Schema>, grant: &Grant, json: Option<&Json>) -> Result<Projection> {
    let names = words("fields", json)?;
    if names.is_empty() {
        return Ok(Projection::of(schema, grant.visible(schema)));
    }
    let mut fields = Vec::new();
    let mut bad = Vec::new();
    for name in names {
        match schema.position(&name) {
            _ if name == "*" => fields.extend(grant.visible(schema)),
            Some(index) if grant.allows(&name) => fields.push(index),
            _ => bad.push(name),
        }
    }
    if bad.is_empty() {
        Ok(Projection::of(schema, fields))
    } else {
        Err(Error::forbidden_fields(schema.collection().as_str(), &bad))
    }
}

fn number(name: &str, json: Option<&Json>, least: i64) -> Result<Option<i64>> {
    let Some(json) = json else { return Ok(None) };
    let number: serde_json::Number = match json {
        Json::Number(number) => Some(number.clone()),
        Json::String(text) => serde_json::from_str(text.trim()).ok(),
        _ => None,
    }
    .ok_or_else(|| Error::invalid_query(format!("\"{name}\" must be a number")))?;
    let integer = number
        .as_i64()
        .ok_or_else(|| Error::invalid_query(format!("\"{name}\" must be an integer")))?;
    if integer < least {
        let reason = format!("\"{name}\" must be greater than or equal to {least}");
        return Err(Error::invalid_query(reason));
    }
    Ok(Some(integer))
}

fn limit(json: Option<&Json>, pages: PageLimits) -> Result<Option<u64>> {
    match number("limit", json, -1)? {
        None => Ok(match (pages.default, pages.max) {
            (Some(default), Some(max)) => Some(default.min(max)),
            (default, max) => default.or(max),
        }),
        Some(-1) => Ok(pages.max),
        Some(limit) => {
            let limit = limit.unsigned_abs();
            match pages.max {
                Some(max) if limit > max => Err(Error::invalid_query(format!(
                    "\"limit\" must be less than or equal to {max}"
                ))),
                _ => Ok(Some(limit)),
            }
        }
    }
}

fn meta(json: Option<&Json>) -> Result<Meta> {
    let mut meta = Meta::default();
    for word in words("meta", json)? {
        match word.as_str() {
            "*" => {
                meta = Meta {
                    total_count: true,
                    filter_count: true,
                }
            }
            "total_count" => meta.total_count = true,
            "filter_count" => meta.filter_count = true,
            _ => {
                return Err(Error::invalid_query(
                    "\"meta[0]\" must be one of [total_count, filter_count]",
                ));
            }
        }
    }
    Ok(meta)
}

#[cfg(test)]
mod tests;

//! Single parameters: lists of names, numbers, JSON in text.

use serde_json::Value as Json;

use super::{Meta, PageLimits};
use crate::{Error, Result};

pub(super) fn is_blank(json: &Json) -> bool {
    match json {
        Json::Null => true,
        Json::String(text) => text.is_empty(),
        _ => false,
    }
}

/// `filter` and its like are JSON text in a query string, JSON itself in a body.
pub(super) fn decode(name: &str, json: &Json) -> Result<Json> {
    match json {
        Json::String(text) => serde_json::from_str(text)
            .map_err(|_| Error::invalid_query(format!("Invalid JSON for {name} object"))),
        other => Ok(other.clone()),
    }
}

/// A list: comma-separated text, or an array of such.
pub(super) fn words(name: &str, json: Option<&Json>) -> Result<Vec<String>> {
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

pub(super) fn number(name: &str, json: Option<&Json>, least: i64) -> Result<Option<i64>> {
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

pub(super) fn limit(json: Option<&Json>, pages: PageLimits) -> Result<Option<u64>> {
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

pub(super) fn meta(json: Option<&Json>) -> Result<Meta> {
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

//! Query strings: `a=b`, `a[]=b` and `a[b][_c]=d` become a tree of texts.
//!
//! Values stay text; what is JSON inside of them is decoded by those who know what it means.

use std::borrow::Cow;
use std::collections::BTreeMap;

use roster_domain::query::Parameters;
use roster_domain::{Error, Result};
use serde_json::{Map, Value as Json};

/// How many brackets a name may have.
const MAX_DEPTH: usize = 10;
/// The largest index of an array.
const MAX_INDEX: u32 = 500;
/// How many pairs a query may have.
const MAX_PAIRS: usize = 1_000;
/// How long a query may be, in bytes.
const MAX_LENGTH: usize = 65_536;

/// A name inside of brackets. Indexes come before names, in their order.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Index(u32),
    Name(String),
}

/// Texts, or a level of brackets.
#[derive(Debug)]
enum Node {
    Text(String),
    Level(BTreeMap<Key, Node>),
}

/// Decodes a query string.
///
/// # Errors
/// `INVALID_QUERY` where it is too long, too deep, not UTF-8, or gives one name both a value and
/// a level of brackets.
pub(crate) fn parse(query: &str) -> Result<Parameters> {
    if query.len() > MAX_LENGTH {
        return Err(Error::invalid_query(format!(
            "it is longer than {MAX_LENGTH} bytes"
        )));
    }
    let mut root = Map::new();
    let mut levels: BTreeMap<String, Node> = BTreeMap::new();
    for (count, pair) in query.split('&').filter(|pair| !pair.is_empty()).enumerate() {
        if count == MAX_PAIRS {
            return Err(Error::invalid_query(format!(
                "it has more than {MAX_PAIRS} parameters"
            )));
        }
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name)?, decode(value)?.into_owned());
        let (base, brackets) = split(&name);
        if base.is_empty() {
            continue;
        }
        if brackets.is_empty() && !root.contains_key(base) && !levels.contains_key(base) {
            root.insert(base.to_owned(), Json::String(value));
            continue;
        }
        // The name is there already, or has brackets: the slower way.
        let node = match levels.remove(base) {
            Some(node) => node,
            None => match root.remove(base) {
                Some(Json::String(text)) => Node::Text(text),
                _ => Node::Level(BTreeMap::new()),
            },
        };
        let node = node.put(base, brackets, value)?;
        levels.insert(base.to_owned(), node);
    }
    root.extend(
        levels
            .into_iter()
            .map(|(name, node)| (name, node.into_json())),
    );
    Ok(root)
}

/// The first value of a name that has no brackets.
///
/// # Errors
/// `INVALID_QUERY` where it is not UTF-8.
pub(crate) fn first<'a>(query: &'a str, wanted: &str) -> Result<Option<Cow<'a, str>>> {
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if decode(name)? == wanted {
            return decode(value).map(Some);
        }
    }
    Ok(None)
}

/// The pairs of a query string or a form, as they are; each name once.
///
/// # Errors
/// `INVALID_QUERY` where it is too long, not UTF-8, or gives a name twice.
pub(crate) fn pairs(query: &str) -> Result<BTreeMap<String, String>> {
    if query.len() > MAX_LENGTH {
        return Err(Error::invalid_query(format!(
            "it is longer than {MAX_LENGTH} bytes"
        )));
    }
    let mut pairs = BTreeMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decode(name)?.into_owned();
        if pairs.contains_key(&name) {
            return Err(Error::invalid_query(format!(
                "parameter `{name}` is there more than once"
            )));
        }
        pairs.insert(name, decode(value)?.into_owned());
    }
    Ok(pairs)
}

impl Node {
    fn put(self, base: &str, brackets: &str, value: String) -> Result<Self> {
        let mut keys = Vec::new();
        for key in brackets.split_terminator(']') {
            if keys.len() == MAX_DEPTH {
                let reason = format!("parameter `{base}` is deeper than {MAX_DEPTH} levels");
                return Err(Error::invalid_query(reason));
            }
            keys.push(key.strip_prefix('[').unwrap_or(key));
        }
        if keys.is_empty() {
            keys.push("");
        }
        self.put_at(base, &keys, value)
    }

    fn put_at(self, base: &str, keys: &[&str], value: String) -> Result<Self> {
        let Some((key, rest)) = keys.split_first() else {
            return Ok(Self::Text(value));
        };
        let mut level = match self {
            Self::Level(level) => level,
            // A second value turns a text into a list.
            Self::Text(text) => BTreeMap::from([(Key::Index(0), Self::Text(text))]),
        };
        let key = match key_of(base, key)? {
            Some(key) => key,
            None => next_index(base, &level)?,
        };
        let is_mixed = match level.first_key_value() {
            Some((Key::Index(_), _)) => matches!(key, Key::Name(_)),
            Some((Key::Name(_), _)) => matches!(key, Key::Index(_)),
            None => false,
        };
        if is_mixed {
            let reason = format!("parameter `{base}` mixes values, lists and named values");
            return Err(Error::invalid_query(reason));
        }
        let child = match level.remove(&key) {
            // The same place twice is a list, as for a plain name.
            Some(child) if rest.is_empty() => child.put_at(base, &[""], value)?,
            Some(child) => child.put_at(base, rest, value)?,
            None => Self::Level(BTreeMap::new()).put_at(base, rest, value)?,
        };
        level.insert(key, child);
        Ok(Self::Level(level))
    }

    fn into_json(self) -> Json {
        match self {
            Self::Text(text) => Json::String(text),
            Self::Level(level) => match level.first_key_value() {
                Some((Key::Name(_), _)) => {
                    let named = level.into_iter().filter_map(|(key, node)| match key {
                        Key::Name(name) => Some((name, node.into_json())),
                        Key::Index(_) => None,
                    });
                    Json::Object(named.collect())
                }
                _ => Json::Array(level.into_values().map(Self::into_json).collect()),
            },
        }
    }
}

/// The key inside one pair of brackets; `None` for `[]`.
fn key_of(base: &str, text: &str) -> Result<Option<Key>> {
    if text.is_empty() {
        return Ok(None);
    }
    let is_index =
        text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    match text.parse::<u32>() {
        Ok(index) if is_index && index <= MAX_INDEX => Ok(Some(Key::Index(index))),
        _ if is_index => Err(index_too_large(base)),
        _ => Ok(Some(Key::Name(text.to_owned()))),
    }
}

fn next_index(base: &str, level: &BTreeMap<Key, Node>) -> Result<Key> {
    match level.last_key_value() {
        Some((Key::Index(index), _)) if *index < MAX_INDEX => Ok(Key::Index(index + 1)),
        Some((Key::Index(_), _)) => Err(index_too_large(base)),
        // Among names it is refused, as any index is.
        None | Some((Key::Name(_), _)) => Ok(Key::Index(0)),
    }
}

fn index_too_large(base: &str) -> Error {
    Error::invalid_query(format!("parameter `{base}` has an index over {MAX_INDEX}"))
}

/// The name before the brackets, and the brackets; a name whose brackets are not in order has
/// none.
fn split(name: &str) -> (&str, &str) {
    let Some(start) = name.find('[').filter(|start| *start > 0) else {
        return (name, "");
    };
    let (base, brackets) = name.split_at(start);
    let is_in_order = brackets.ends_with(']')
        && brackets
            .split_terminator(']')
            .all(|part| part.starts_with('[') && !part[1..].contains('['));
    if is_in_order {
        (base, brackets)
    } else {
        (name, "")
    }
}

/// Decodes `+` and `%41`; a percent sign without two hexadecimal digits stays as it is.
fn decode(text: &str) -> Result<Cow<'_, str>> {
    if !text.bytes().any(|byte| byte == b'+' || byte == b'%') {
        return Ok(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        rest = tail;
        match (byte, tail) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, tail @ ..])
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                bytes.push(digit(*high) << 4 | digit(*low));
                rest = tail;
            }
            _ => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes)
        .map(Cow::Owned)
        .map_err(|_| Error::invalid_query("it is not UTF-8"))
}

const fn digit(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'f' => byte - b'a' + 10,
        _ => byte - b'A' + 10,
    }
}

#[cfg(test)]
mod tests;

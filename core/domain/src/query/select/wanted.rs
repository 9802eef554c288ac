//! The words of `fields` and `alias`, before it is known what there is.

use serde_json::{Map, Value as Json};

use crate::{Error, Result};

/// What is wanted of one level, before it is known what there is.
#[derive(Default)]
pub(super) struct Wanted {
    pub(super) is_all: bool,
    pub(super) leaves: Vec<String>,
    pub(super) children: Vec<(String, Vec<String>)>,
}

impl Wanted {
    pub(super) fn of(words: &[String]) -> Self {
        let mut wanted = Self::default();
        for word in words {
            // The dot of `role.year(created)` is before the bracket.
            let dot = word
                .find('.')
                .filter(|dot| word.find('(').is_none_or(|open| *dot < open));
            let Some(dot) = dot else {
                if word == "*" {
                    wanted.is_all = true;
                } else {
                    wanted.leaves.push(word.clone());
                }
                continue;
            };
            let (name, rest) = (&word[..dot], word[dot + 1..].to_owned());
            match wanted.children.iter_mut().find(|(known, _)| known == name) {
                Some((_, words)) => words.push(rest),
                None => wanted.children.push((name.to_owned(), vec![rest])),
            }
        }
        wanted
    }
}

pub(in crate::query) fn aliases(json: &Json) -> Result<Map<String, Json>> {
    let Json::Object(map) = json else {
        return Err(Error::invalid_query("\"alias\" has to be an object"));
    };
    for (name, field) in map {
        if name.contains('.') {
            let reason = "\"alias\" key can't contain a period character `.`";
            return Err(Error::invalid_query(reason));
        }
        match field.as_str() {
            Some(field) if !field.contains('.') => {}
            _ => {
                let reason = "\"alias\" value can't contain a period character `.`";
                return Err(Error::invalid_query(reason));
            }
        }
    }
    Ok(map.clone())
}

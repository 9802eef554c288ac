//! Reading a file row by row, on a thread of its own, no further ahead than is needed.

use std::cell::Cell;
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::rc::Rc;
use std::sync::Arc;

use roster_domain::error::field as problem;
use roster_domain::field::describe;
use roster_domain::{Error, Result, Schema};
use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde_json::{Map, Value as Json};
use tokio::sync::mpsc::{self, Receiver, Sender};

use super::cells;
use super::options::{ImportFormat, ImportOptions, not_allowed};

/// How long one row may be, in bytes.
const LONGEST_ROW: u64 = 1024 * 1024;
/// How many rows wait at most.
const AHEAD: usize = 64;

/// One row of a file.
pub(super) struct Row {
    /// Its number; 1 is the first.
    pub(super) number: u64,
    /// What it says, or why it cannot be read.
    pub(super) body: Result<Map<String, Json>>,
}

/// A row, or why there are no more.
pub(super) type Next = Result<Row>;

/// The rows of a file.
pub(super) fn read(file: File, options: &ImportOptions, users: &Arc<Schema>) -> Receiver<Next> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    let (options, users) = (options.clone(), Arc::clone(users));
    tokio::task::spawn_blocking(move || {
        let left = Rc::new(Cell::new(LONGEST_ROW));
        let source = Bounded {
            source: BufReader::new(file),
            left: Rc::clone(&left),
        };
        let mut rows = Rows {
            sender,
            left,
            number: 0,
        };
        let read = match options.format {
            ImportFormat::Json => rows.json(source),
            ImportFormat::Csv { delimiter } => rows.csv(source, delimiter, &options, &users),
        };
        if let Err(error) = read {
            // It fails where nobody is there to be told.
            drop(rows.sender.blocking_send(Err(error)));
        }
    });
    receiver
}

/// A source that ends in an error where one row is too long.
struct Bounded {
    source: BufReader<File>,
    left: Rc<Cell<u64>>,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.get();
        if left == 0 {
            let message = format!("a row is longer than {LONGEST_ROW} bytes");
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        let most = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let read = self.source.read(&mut buffer[..most])?;
        self.left.set(left - read as u64);
        Ok(read)
    }
}

struct Rows {
    sender: Sender<Next>,
    left: Rc<Cell<u64>>,
    number: u64,
}

/// Nobody wants further rows.
struct Gone;

impl Rows {
    fn send(&mut self, body: Result<Map<String, Json>>) -> Result<(), Gone> {
        self.left.set(LONGEST_ROW);
        let number = self.number;
        self.sender
            .blocking_send(Ok(Row { number, body }))
            .map_err(|_| Gone)
    }

    fn json(&mut self, source: Bounded) -> Result<()> {
        let mut parser = serde_json::Deserializer::from_reader(source);
        let read = (&mut parser).deserialize_any(Array(self));
        let read = read.and_then(|()| parser.end());
        read.map_err(|error| Error::invalid_payload(format!("the file cannot be read: {error}")))
    }

    fn csv(
        &mut self,
        source: Bounded,
        delimiter: u8,
        options: &ImportOptions,
        users: &Schema,
    ) -> Result<()> {
        let unread =
            |error: csv::Error| Error::invalid_payload(format!("the file cannot be read: {error}"));
        let mut lines = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .from_reader(source);
        let header = lines.headers().map_err(unread)?.clone();
        let names = columns(&header, options, users)?;
        self.left.set(LONGEST_ROW);
        let mut record = csv::StringRecord::new();
        loop {
            let body = match lines.read_record(&mut record) {
                Ok(false) => return Ok(()),
                Ok(true) => cells::body(&names, &record, users),
                // The next row may be fine after one of another length or of no text.
                Err(error) if matches!(error.kind(), csv::ErrorKind::Io(_)) => {
                    return Err(unread(error));
                }
                Err(error) => Err(Error::invalid_payload(error.to_string())),
            };
            self.number += 1;
            if self.send(body).is_err() {
                return Ok(());
            }
        }
    }
}

/// The fields that a header names: each known, allowed and named once.
fn columns(
    header: &csv::StringRecord,
    options: &ImportOptions,
    users: &Schema,
) -> Result<Vec<String>> {
    let names: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
    if names.iter().all(String::is_empty) {
        return Err(Error::invalid_payload("the file has no header"));
    }
    let mut problems = Vec::new();
    for (index, name) in names.iter().enumerate() {
        if users.field(name).is_none() {
            problems.push(problem::unknown(users.collection().as_str(), name));
        } else if !options.may_set(name) {
            problems.push(not_allowed(name));
        } else if names[..index].contains(name) {
            problems.push(problem::failed(
                name,
                "unique",
                "The header names it twice.",
            ));
        }
    }
    Error::of(problems).map_or(Ok(names), Err)
}

/// An array whose elements are sent one by one.
struct Array<'r>(&'r mut Rows);

impl<'de> Visitor<'de> for Array<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while let Some(element) = elements.next_element_seed(Element)? {
            let body = match element {
                Json::Object(map) => Ok(map),
                other => Err(Error::invalid_payload(format!(
                    "expected an object, got {}",
                    describe(&other)
                ))),
            };
            self.0.number += 1;
            if self.0.send(body).is_err() {
                return Err(serde::de::Error::custom("nobody wants further rows"));
            }
        }
        Ok(())
    }
}

struct Element;

impl<'de> DeserializeSeed<'de> for Element {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        serde::Deserialize::deserialize(deserializer)
    }
}

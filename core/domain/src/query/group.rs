//! `aggregate` and `groupBy` (contract/query.md §6).

use serde_json::Value as Json;

use super::{Ask, Direction, decode, direction, object, refuse_concealed, words};
use crate::filter::Operand;
use crate::{Error, Field, FieldType, Function, Result, Value};

/// What records are grouped by, and what is said of each group.
#[derive(Debug, Clone, PartialEq)]
pub struct Grouping {
    /// What the records of a group have in common.
    pub groups: Vec<Group>,
    /// What is said of each group.
    pub aggregates: Vec<Aggregate>,
    /// In which order the groups come: positions among the groups, then among the aggregates.
    pub sort: Vec<(usize, Direction)>,
}

/// A value that the records of a group have in common.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// What it is called in the answer.
    pub name: String,
    /// The value.
    pub operand: Operand,
    /// What stands for the value: the field, or an integer for a function.
    pub field: Field,
}

/// What is said of a group.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    /// How it is worked out.
    pub operation: Operation,
    /// Over which values; nothing for the records themselves.
    pub operand: Option<Operand>,
    /// What stands for the values.
    pub field: Field,
}

/// How an aggregate is worked out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the wire's")]
pub enum Operation {
    Count,
    CountDistinct,
    Sum,
    SumDistinct,
    Avg,
    AvgDistinct,
    Min,
    Max,
}

impl Operation {
    const ALL: [(Self, &'static str); 9] = [
        (Self::Count, "count"),
        (Self::CountDistinct, "countDistinct"),
        (Self::Sum, "sum"),
        (Self::SumDistinct, "sumDistinct"),
        (Self::Avg, "avg"),
        (Self::AvgDistinct, "avgDistinct"),
        (Self::Min, "min"),
        (Self::Max, "max"),
        (Self::Count, "countAll"),
    ];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        let known = Self::ALL
            .into_iter()
            .find(|(operation, _)| *operation == self);
        known.map_or("", |(_, name)| name)
    }

    const fn needs_number(self) -> bool {
        matches!(
            self,
            Self::Sum | Self::SumDistinct | Self::Avg | Self::AvgDistinct
        )
    }

    const fn needs_order(self) -> bool {
        matches!(self, Self::Min | Self::Max)
    }
}

/// The most aggregates and groups of one query.
const MOST: usize = 50;

impl Grouping {
    pub(super) fn parse(
        ask: &Ask<'_>,
        aggregate: Option<&Json>,
        group: Option<&Json>,
        sort: &[String],
    ) -> Result<Self> {
        let mut aggregates = Vec::new();
        if let Some(json) = aggregate {
            for (name, fields) in &object("aggregate", decode("aggregate", json)?)? {
                let known = Operation::ALL.into_iter().find(|(_, known)| known == name);
                let Some((operation, _)) = known else {
                    let reason = format!("unknown aggregate \"{name}\"");
                    return Err(Error::invalid_query(reason));
                };
                let fields = match words("aggregate", Some(fields))? {
                    fields if fields.is_empty() => vec!["*".to_owned()],
                    fields => fields,
                };
                for field in fields {
                    aggregates.push(Aggregate::parse(ask, operation, &field)?);
                }
            }
        }
        let groups = words("groupBy", group)?;
        let groups = groups.iter().map(|name| Group::parse(ask, name));
        let groups = groups.collect::<Result<Vec<_>>>()?;
        if groups.is_empty() && aggregates.is_empty() {
            let reason = "\"groupBy\" and \"aggregate\" name nothing";
            return Err(Error::invalid_query(reason));
        }
        if groups.len() + aggregates.len() > MOST {
            let reason = format!("at most {MOST} groups and aggregates can be asked for");
            return Err(Error::invalid_query(reason));
        }
        let mut grouping = Self {
            groups,
            aggregates,
            sort: Vec::new(),
        };
        grouping.sort = sort
            .iter()
            .map(|word| grouping.key(word))
            .collect::<Result<_>>()?;
        Ok(grouping)
    }

    /// A key of the order: the name of a group, or `count` or `count.id` of an aggregate.
    fn key(&self, word: &str) -> Result<(usize, Direction)> {
        let (name, direction) = direction(word);
        let is_group = |group: &Group| group.name == name || written(&group.operand) == name;
        let is_aggregate = |aggregate: &Aggregate| {
            let operation = aggregate.operation.as_str();
            match &aggregate.operand {
                None => name == operation,
                Some(operand) => name == format!("{operation}.{}", operand.field),
            }
        };
        let group = self.groups.iter().position(is_group);
        let aggregate = || self.aggregates.iter().position(is_aggregate);
        let position = group.or_else(|| aggregate().map(|index| index + self.groups.len()));
        let position = position.ok_or_else(|| {
            let reason = format!("groups cannot be sorted by \"{name}\", which is none of them");
            Error::invalid_query(reason)
        })?;
        Ok((position, direction))
    }

    /// The fields that are looked at.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        let groups = self.groups.iter().map(|group| group.operand.root());
        let operands = self
            .aggregates
            .iter()
            .filter_map(|one| one.operand.as_ref());
        groups.chain(operands.map(Operand::root))
    }
}

fn written(operand: &Operand) -> String {
    match operand.function {
        Some(function) => format!("{}({})", function.as_str(), operand.field),
        None => operand.field.clone(),
    }
}

impl Group {
    fn parse(ask: &Ask<'_>, text: &str) -> Result<Self> {
        let (operand, field) = plain(ask, text, "grouped by")?;
        let name = match operand.function {
            Some(function) => format!("{}_{}", operand.field, function.as_str()),
            None => operand.field.clone(),
        };
        if field.kind == FieldType::Json {
            let reason = format!("field `{}` holds JSON and cannot be grouped by", field.name);
            return Err(Error::invalid_query(reason));
        }
        Ok(Self {
            name,
            operand,
            field,
        })
    }
}

impl Aggregate {
    fn parse(ask: &Ask<'_>, operation: Operation, text: &str) -> Result<Self> {
        if text == "*" {
            if operation != Operation::Count {
                let reason = format!("\"{}\" needs the name of a field", operation.as_str());
                return Err(Error::invalid_query(reason));
            }
            return Ok(Self {
                operation,
                operand: None,
                field: Field::new("*", FieldType::Serial),
            });
        }
        let (operand, field) = plain(ask, text, "aggregated")?;
        let fits = if operation.needs_number() {
            field.kind.is_number()
        } else if operation.needs_order() {
            !matches!(field.kind, FieldType::Json | FieldType::Boolean)
        } else {
            field.kind != FieldType::Json || operation == Operation::Count
        };
        if !fits {
            let (word, kind) = (operation.as_str(), field.kind.as_str());
            let reason = format!(
                "\"{word}\" does not take field `{}` of type {kind}",
                field.name
            );
            return Err(Error::invalid_query(reason));
        }
        Ok(Self {
            operation,
            operand: Some(operand),
            field,
        })
    }

    /// What a value of it looks like.
    pub fn result(&self) -> Field {
        let kind = match self.operation {
            Operation::Count | Operation::CountDistinct => FieldType::Serial,
            Operation::Avg | Operation::AvgDistinct => FieldType::Float,
            Operation::Sum | Operation::SumDistinct => match self.field.kind {
                FieldType::Float => FieldType::Float,
                FieldType::Decimal => FieldType::Decimal,
                _ => FieldType::Serial,
            },
            Operation::Min | Operation::Max => self.field.kind,
        };
        Field {
            kind,
            default: Value::Null,
            ..self.field.clone()
        }
    }
}

/// A field of the collection itself, or a function of one.
fn plain(ask: &Ask<'_>, text: &str, what: &str) -> Result<(Operand, Field)> {
    let operand = ask.reader().operand(ask.collection(), text)?;
    refuse_concealed(ask, &operand, what)?;
    let field = match operand.function {
        _ if !operand.path.is_empty() || operand.inside.is_some() => None,
        Some(Function::Count) => None,
        Some(_) => Some(Field::new(&operand.field, FieldType::Serial)),
        None => ask.schema()?.field(&operand.field).cloned(),
    };
    let field =
        field.ok_or_else(|| Error::invalid_query(format!("\"{text}\" cannot be {what}")))?;
    Ok((operand, field))
}

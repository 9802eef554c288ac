//! Where in the tree of relations a name stands, and what may be seen there.

use super::super::Operand;
use crate::{Collection, Error, Field, Function, Grant, Model, Result, Schema};

/// Where in the tree of relations the parser is.
pub(super) struct Level<'a> {
    pub(super) schema: &'a Schema,
    grant: Option<Grant>,
    pub(super) path: Vec<String>,
}

impl<'a> Level<'a> {
    pub(super) fn root(schema: &'a Schema, grant: Option<&Grant>) -> Self {
        Self {
            schema,
            grant: grant.cloned(),
            path: Vec::new(),
        }
    }

    pub(super) fn field(&self, name: &str) -> Result<&'a Field> {
        let visible = self.grant.as_ref().is_none_or(|grant| grant.allows(name));
        let field = self.schema.field(name).filter(|_| visible);
        field.ok_or_else(|| self.forbidden(name))
    }

    pub(super) fn forbidden(&self, name: &str) -> Error {
        Error::forbidden_fields(self.schema.collection().as_str(), &[name.to_owned()])
    }

    /// The record that a field of this level leads to.
    pub(super) fn step<'m>(
        &self,
        model: &'m Model,
        name: &str,
        to: Collection,
    ) -> Result<Level<'m>> {
        let mut path = self.path.clone();
        path.push(name.to_owned());
        Ok(Level {
            path,
            ..self.into(model, name, to)?
        })
    }

    /// The records that a field of this level leads to, seen for themselves.
    pub(super) fn into<'m>(
        &self,
        model: &'m Model,
        name: &str,
        to: Collection,
    ) -> Result<Level<'m>> {
        let schema = model.schema(to).ok_or_else(|| self.forbidden(name))?;
        let grant = match &self.grant {
            None => None,
            Some(grant) => Some(grant.related(to).ok_or_else(|| self.forbidden(name))?),
        };
        Ok(Level {
            schema,
            grant,
            path: Vec::new(),
        })
    }

    pub(super) fn operand(&self, field: &str, function: Option<Function>) -> Operand {
        Operand {
            path: self.path.clone(),
            field: field.to_owned(),
            function,
            inside: None,
        }
    }
}

/// Splits `year(last_access)`.
pub(super) fn function(text: &str) -> Result<(Option<Function>, &str)> {
    match Function::split(text) {
        None => Ok((None, text)),
        Some((Some(function), _, argument)) => Ok((Some(function), argument)),
        Some((None, name, _)) => Err(unknown_function(name)),
    }
}

fn unknown_function(name: &str) -> Error {
    Error::invalid_query(format!("Invalid function specified \"{name}\""))
}

/// Refuses a function that does not take the values of a field.
pub(crate) fn check_function(function: Function, field: &Field) -> Result<()> {
    if function.takes(field) {
        Ok(())
    } else {
        Err(unknown_function(function.as_str()))
    }
}

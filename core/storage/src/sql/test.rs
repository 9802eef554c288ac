//! Tests of values.

use roster_domain::filter::{Case, Operand, Pattern, Test};
use roster_domain::{Error, FieldType, Result, Value};
use sea_query::{Expr, ExprTrait, Func};

use super::{Scope, Sql, nothing};
use crate::dialect::Part;

impl Sql<'_> {
    pub(super) fn test(&self, scope: &Scope<'_>, operand: &Operand, test: &Test) -> Result<Expr> {
        if operand.inside.is_some() {
            return self.inside(scope, operand, test);
        }
        let kind = self.kind(scope.schema, operand)?;
        let value = self.value(scope, operand)?;
        let bound = |value: &Value| self.dialect.bind(kind, value);
        let blank = || Expr::cust("''");
        Ok(match test {
            Test::Equals(other) => value.eq(bound(other)),
            Test::Differs(other) => value.ne(bound(other)),
            Test::Less(other) => value.lt(bound(other)),
            Test::LessOrEqual(other) => value.lte(bound(other)),
            Test::Greater(other) => value.gt(bound(other)),
            Test::GreaterOrEqual(other) => value.gte(bound(other)),
            Test::Between(low, high) => value.between(bound(low), bound(high)),
            Test::Outside(low, high) => value.not_between(bound(low), bound(high)),
            Test::OneOf(values) => match values.as_slice() {
                [] => nothing(),
                [one] => value.eq(bound(one)),
                values => self.dialect.is_among(value, kind, values),
            },
            Test::NoneOf(values) => match values.as_slice() {
                [] => value.is_not_null(),
                [one] => value.ne(bound(one)),
                values => self.dialect.is_among(value, kind, values).not(),
            },
            Test::Empty if has_empty(kind) => value.clone().is_null().or(value.eq(blank())),
            Test::NotEmpty if has_empty(kind) => value.clone().is_not_null().and(value.ne(blank())),
            Test::Null | Test::Empty => value.is_null(),
            Test::NotNull | Test::NotEmpty => value.is_not_null(),
            Test::Has(pattern) => self.has(value, pattern),
            Test::HasNot(pattern) => self.has(value, pattern).not(),
            // Only rules over written values know these; they never reach a statement.
            Test::Matches(_) | Test::Submitted(_) => nothing(),
        })
    }

    fn has(&self, value: Expr, pattern: &Pattern) -> Expr {
        match pattern.case {
            Case::Sensitive => self.dialect.has(value, pattern.place, &pattern.text),
            Case::Folded => self.dialect.has_folded(value, pattern.place, &pattern.text),
        }
    }

    /// A test of a value inside of JSON. Whatever is of another type than what it is compared with
    /// is neither equal nor in any order with it, and differs.
    fn inside(&self, scope: &Scope<'_>, operand: &Operand, test: &Test) -> Result<Expr> {
        let part = |part| self.part(scope, operand, Some(part));
        let is_there = || Ok::<_, Error>(surely(part(Part::Presence)?));
        let of = |value: &Value| part(Part::of(value)?);
        let bound = |value: &Value| {
            let kind = Part::of(value)?.kind();
            Ok::<_, Error>(self.dialect.bind(kind, value))
        };
        Ok(match test {
            Test::Equals(other) => of(other)?.eq(bound(other)?),
            Test::Differs(other) => is_there()?.and(surely(of(other)?.eq(bound(other)?)).not()),
            Test::Less(other) => of(other)?.lt(bound(other)?),
            Test::LessOrEqual(other) => of(other)?.lte(bound(other)?),
            Test::Greater(other) => of(other)?.gt(bound(other)?),
            Test::GreaterOrEqual(other) => of(other)?.gte(bound(other)?),
            Test::Between(low, high) => of(low)?.between(bound(low)?, bound(high)?),
            Test::Outside(low, high) => of(low)?.not_between(bound(low)?, bound(high)?),
            Test::OneOf(values) => self.among(scope, operand, values)?,
            Test::NoneOf(values) => {
                let among = self.among(scope, operand, values)?;
                is_there()?.and(surely(among).not())
            }
            Test::Null => is_there()?.not(),
            Test::NotNull => is_there()?,
            Test::Empty => {
                let blank = part(Part::Text)?.eq(Expr::cust("''"));
                is_there()?.not().or(surely(blank))
            }
            Test::NotEmpty => {
                let blank = part(Part::Text)?.eq(Expr::cust("''"));
                is_there()?.and(surely(blank).not())
            }
            Test::Has(pattern) => self.has(part(Part::Text)?, pattern),
            Test::HasNot(pattern) => self.has(part(Part::Text)?, pattern).not(),
            Test::Matches(_) | Test::Submitted(_) => nothing(),
        })
    }

    fn among(&self, scope: &Scope<'_>, operand: &Operand, values: &[Value]) -> Result<Expr> {
        let mut any = nothing();
        for part in [Part::Text, Part::Number, Part::Boolean] {
            let is_of = |value: &&Value| Part::of(value).is_ok_and(|other| other == part);
            let own: Vec<Value> = values.iter().filter(is_of).cloned().collect();
            if own.is_empty() {
                continue;
            }
            let value = self.part(scope, operand, Some(part))?;
            any = any.or(self.dialect.is_among(value, part.kind(), &own));
        }
        Ok(any)
    }
}

/// The condition, false where it is unknown.
fn surely(condition: Expr) -> Expr {
    Func::coalesce([condition, nothing()]).into()
}

/// Whether the type has an empty text beside null.
const fn has_empty(kind: FieldType) -> bool {
    kind.is_text() || matches!(kind, FieldType::Hash)
}

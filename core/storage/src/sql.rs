//! Filters, values and selections as SQL, with every grant on the way put in.
//!
//! A [`Scope`] is a row that a statement looks at. Where it has a guard, what the statement says
//! about the row is said by the caller, and a field counts as null wherever the caller may not see
//! it; the conditions of the grants themselves are read without one.

mod order;
mod test;

use std::cell::Cell;

use roster_domain::access::Visibility;
use roster_domain::field::Link;
use roster_domain::filter::Operand;
use roster_domain::{
    Collection, Error, Field, FieldType, Filter, Function, Grant, Model, Result, Schema,
};
use sea_query::{
    Alias, Cond, Expr, ExprTrait, NullOrdering, Order, Query, SelectStatement, SubQueryStatement,
};

use crate::dialect::{Dialect, Part};

/// What makes parts of one statement.
pub(crate) struct Sql<'a> {
    pub(crate) dialect: Dialect,
    pub(crate) model: &'a Model,
    tables: Cell<usize>,
}

/// A row that the statement looks at.
#[derive(Clone)]
pub(crate) struct Scope<'a> {
    /// What the statement calls the row.
    table: String,
    schema: &'a Schema,
    guard: Option<Grant>,
}

impl<'a> Scope<'a> {
    /// The row of the statement itself.
    pub(crate) fn root(schema: &'a Schema, guard: Option<&Grant>) -> Self {
        Self {
            table: schema.collection().table().to_owned(),
            schema,
            guard: guard.cloned(),
        }
    }

    /// The same row, looked at by a rule.
    fn unguarded(&self) -> Self {
        Self {
            guard: None,
            ..self.clone()
        }
    }

    /// A column of the row, whoever asks.
    pub(crate) fn column(&self, name: &str) -> Expr {
        Expr::col((Alias::new(&self.table), Alias::new(name)))
    }
}

fn nothing() -> Expr {
    Expr::cust("1 = 0")
}

/// The only value of a statement.
fn scalar(select: SelectStatement) -> Expr {
    Expr::from(SubQueryStatement::from(select))
}

fn everything() -> Expr {
    Expr::cust("1 = 1")
}

impl<'a> Sql<'a> {
    pub(crate) const fn new(dialect: Dialect, model: &'a Model) -> Self {
        Self {
            dialect,
            model,
            tables: Cell::new(0),
        }
    }

    fn schema(&self, collection: Collection) -> Result<&'a Schema> {
        let schema = self.model.schema(collection);
        schema
            .map(|schema| &**schema)
            .ok_or_else(|| Error::internal(format!("`{collection}` has no table")))
    }

    /// The rows that a field of this one leads to, under a name of their own; nothing where they
    /// may not be read.
    fn next(&self, scope: &Scope<'_>, to: Collection) -> Result<Option<Scope<'a>>> {
        let guard = match &scope.guard {
            None => None,
            Some(grant) => match grant.related(to) {
                Some(grant) => Some(grant),
                None => return Ok(None),
            },
        };
        let number = self.tables.get() + 1;
        self.tables.set(number);
        Ok(Some(Scope {
            table: format!("t{number}"),
            schema: self.schema(to)?,
            guard,
        }))
    }

    /// `SELECT … FROM <collection>`, with the rows that the guard of the scope reaches.
    fn rows(&self, scope: &Scope<'_>) -> Result<SelectStatement> {
        let mut select = Query::select();
        let table = scope.schema.collection().table();
        if scope.table == table {
            select.from(Alias::new(table));
        } else {
            select.from_as(Alias::new(table), Alias::new(&scope.table));
        }
        if let Some(grant) = &scope.guard {
            select.cond_where(self.condition(&scope.unguarded(), grant.filter())?);
        }
        Ok(select)
    }

    /// What the caller may see of a value that stands for a field of this row.
    pub(crate) fn seen(&self, scope: &Scope<'_>, field: &Field, value: Expr) -> Result<Expr> {
        let Some(grant) = &scope.guard else {
            return Ok(value);
        };
        Ok(match grant.visibility(&field.name) {
            Visibility::Always => value,
            // A null of its type, which is no constant: PostgreSQL does not order by those.
            Visibility::Never => Expr::case(nothing(), value).into(),
            Visibility::When(filter) => {
                let condition = self.condition(&scope.unguarded(), &filter)?;
                Expr::case(condition, value).into()
            }
        })
    }

    /// The value of a field of this row as it is compared.
    pub(crate) fn field(&self, scope: &Scope<'_>, field: &Field) -> Result<Expr> {
        self.seen(scope, field, scope.column(&field.name))
    }

    /// What is selected for a field. Of a concealed one only whether there is something: secrets
    /// do not leave the database. Of a list the keys of its records.
    pub(crate) fn selected(
        &self,
        scope: &Scope<'_>,
        field: &Field,
        limit: Option<u64>,
    ) -> Result<Expr> {
        let value = match &field.link {
            Some(Link::Many {
                from,
                field: back,
                sort,
                ..
            }) => {
                let Some(next) = self.next(scope, *from)? else {
                    return Ok(Expr::cust("NULL"));
                };
                let mut select = self.rows(&next)?;
                select
                    .expr_as(next.column("id"), Alias::new("id"))
                    .and_where(
                        next.column(back)
                            .equals((Alias::new(&scope.table), Alias::new("id"))),
                    );
                if let Some(sort) = sort.as_deref().and_then(|sort| next.schema.field(sort)) {
                    select.order_by_expr_with_nulls(
                        self.field(&next, sort)?,
                        Order::Asc,
                        NullOrdering::First,
                    );
                }
                select.order_by_expr(next.column("id"), Order::Asc);
                if let Some(limit) = limit {
                    select.limit(limit);
                }
                let listed = scalar(select);
                Expr::cust_with_exprs(self.dialect.collected(), [listed])
            }
            // A literal, so that the text of a statement has no value but those of its conditions.
            _ if field.is_concealed => scope.column(&field.name).ne(Expr::cust("''")),
            _ => self.dialect.read(field.kind, scope.column(&field.name)),
        };
        self.seen(scope, field, value)
    }

    /// The value that an operand leads to, seen from this row.
    pub(crate) fn value(&self, scope: &Scope<'_>, operand: &Operand) -> Result<Expr> {
        self.part(scope, operand, None)
    }

    /// The same; of a value inside of JSON, a part that has a type.
    fn part(&self, scope: &Scope<'_>, operand: &Operand, part: Option<Part>) -> Result<Expr> {
        let field = |name: &str| {
            let field = scope.schema.field(name);
            field.ok_or_else(|| Error::internal(format!("field `{name}` is gone")))
        };
        if let Some(step) = operand.path.first() {
            let key = field(step)?;
            let to = key.leads_to();
            let to = to.ok_or_else(|| Error::internal(format!("field `{step}` leads nowhere")))?;
            let Some(next) = self.next(scope, to)? else {
                return Ok(Expr::cust("NULL"));
            };
            let mut select = self.rows(&next)?;
            select
                .expr(self.part(&next, &operand.rest(), part)?)
                .and_where(next.column("id").eq(self.field(scope, key)?));
            return Ok(scalar(select));
        }
        let last = field(&operand.field)?;
        if let Some(inside) = &operand.inside {
            let part = part.ok_or_else(|| Error::internal("JSON without a type"))?;
            let value = self.dialect.inside(scope.column(&last.name), inside, part);
            return self.seen(scope, last, value);
        }
        match (operand.function, &last.link) {
            (Some(Function::Count), Some(Link::Many { .. })) => {
                let Some((mut select, _)) = self.listed(scope, last)? else {
                    return Ok(Expr::case(nothing(), 0).into());
                };
                select.expr(Expr::cust("COUNT(*)"));
                self.seen(scope, last, scalar(select))
            }
            (Some(function), _) => {
                let value = self.field(scope, last)?;
                Ok(self.dialect.call(function, last.kind, value))
            }
            (None, _) => self.field(scope, last),
        }
    }

    /// The records that a field of this row stands for.
    fn listed(
        &self,
        scope: &Scope<'_>,
        field: &Field,
    ) -> Result<Option<(SelectStatement, Scope<'a>)>> {
        let Some(Link::Many {
            from, field: back, ..
        }) = &field.link
        else {
            return Err(Error::internal(format!(
                "field `{}` is no list",
                field.name
            )));
        };
        let Some(next) = self.next(scope, *from)? else {
            return Ok(None);
        };
        // Who may see the list may know what is in it, whether or not the way back is shown.
        let mut select = self.rows(&next)?;
        select.and_where(next.column(back).eq(scope.column("id")));
        Ok(Some((select, next)))
    }

    /// The condition of a filter.
    pub(crate) fn condition(&self, scope: &Scope<'_>, filter: &Filter) -> Result<Cond> {
        let one = |expr| Cond::all().add(expr);
        Ok(match filter {
            Filter::Everything => Cond::all(),
            Filter::Nothing => one(nothing()),
            Filter::And(parts) => {
                let mut all = Cond::all();
                for part in parts {
                    all = all.add(self.condition(scope, part)?);
                }
                all
            }
            Filter::Or(parts) => {
                let mut any = Cond::any();
                for part in parts {
                    // An empty part holds for everything; sea-query would leave it out.
                    any = match part {
                        Filter::Everything => any.add(everything()),
                        part => {
                            let condition = self.condition(scope, part)?;
                            if condition.is_empty() {
                                any.add(everything())
                            } else {
                                any.add(condition)
                            }
                        }
                    };
                }
                any
            }
            Filter::Field(operand, test) => one(self.test(scope, operand, test)?),
            Filter::Some(operand, inner) => one(self.exists(scope, operand, inner)?),
            Filter::None(operand, inner) => one(self.exists(scope, operand, inner)?.not()),
        })
    }

    /// Without its limit SQLite 3.51 makes a join of it, and `OFFSET` skips what was joined.
    fn exists(&self, scope: &Scope<'_>, operand: &Operand, inner: &Filter) -> Result<Expr> {
        let name = operand.root();
        let field = scope.schema.field(name);
        let field = field.ok_or_else(|| Error::internal(format!("field `{name}` is gone")))?;
        if operand.path.is_empty() {
            let Some((mut select, next)) = self.listed(scope, field)? else {
                return Ok(nothing());
            };
            select
                .expr(Expr::cust("1"))
                .cond_where(self.condition(&next, inner)?)
                .limit(1);
            // A hidden list is like an empty one, never unknown: `NOT` would tell what is in it.
            let exists = Expr::exists(select);
            let seen = self.seen(scope, field, exists.clone())?;
            let or_not = |seen| sea_query::Func::coalesce([seen, nothing()]).into();
            return Ok(if seen == exists { exists } else { or_not(seen) });
        }
        let to = field.leads_to();
        let to = to.ok_or_else(|| Error::internal(format!("field `{name}` leads nowhere")))?;
        let Some(next) = self.next(scope, to)? else {
            return Ok(nothing());
        };
        let mut select = self.rows(&next)?;
        select
            .expr(Expr::cust("1"))
            .and_where(next.column("id").eq(self.field(scope, field)?))
            .and_where(self.exists(&next, &operand.rest(), inner)?)
            .limit(1);
        Ok(Expr::exists(select))
    }

    /// What an operand's value looks like.
    pub(crate) fn kind(&self, schema: &Schema, operand: &Operand) -> Result<FieldType> {
        let mut schema = schema;
        for step in &operand.path {
            let to = schema.field(step).and_then(Field::leads_to);
            schema =
                self.schema(to.ok_or_else(|| Error::internal("a path that leads nowhere"))?)?;
        }
        if operand.function.is_some() {
            return Ok(FieldType::BigInteger);
        }
        let field = schema.field(&operand.field);
        field
            .map(|field| field.kind)
            .ok_or_else(|| Error::internal(format!("field `{}` is gone", operand.field)))
    }

    /// Both conditions, the grant's and the caller's.
    pub(crate) fn reached(
        &self,
        schema: &'a Schema,
        grant: &Grant,
        filter: &Filter,
    ) -> Result<Cond> {
        let rule = Scope::root(schema, None);
        let asked = Scope::root(schema, Some(grant));
        Ok(Cond::all()
            .add(self.condition(&rule, grant.filter())?)
            .add(self.condition(&asked, filter)?))
    }
}

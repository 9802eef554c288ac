//! Writes of many records: what the document says about their bodies, and their answers.

use std::borrow::Cow;
use std::marker::PhantomData;

use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaResponses, MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::types::Type;
use roster_domain::Item;
use roster_engine::List;

use crate::envelope::{Done, Many, One, Written, inline};
use crate::error::Failure;

/// A body that the document describes and the engine checks.
pub(crate) struct Shape<D>(PhantomData<fn() -> D>);

/// What the document says about a body.
pub(crate) trait Described {
    /// Its schema.
    fn schema() -> MetaSchemaRef;

    /// Puts the schemas it refers to into the document.
    fn register(_: &mut Registry) {}
}

impl<D: Described> Type for Shape<D> {
    const IS_REQUIRED: bool = false;

    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "object".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        D::schema()
    }

    fn register(registry: &mut Registry) {
        D::register(registry);
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

/// One record or an array of them.
pub(crate) struct Records<S>(PhantomData<fn() -> S>);

/// [`Records`] as a body.
pub(crate) type OneOrMany<S> = Shape<Records<S>>;

impl<S: Type> Described for Records<S> {
    fn schema() -> MetaSchemaRef {
        one_of(vec![S::schema_ref(), list(S::schema_ref())])
    }

    fn register(registry: &mut Registry) {
        S::register(registry);
    }
}

/// The forms of an update of many.
pub(crate) struct ChangeForms<S>(PhantomData<fn() -> S>);

/// [`ChangeForms`] as a body.
pub(crate) type Changes<S> = Shape<ChangeForms<S>>;

impl<S: Type> Described for ChangeForms<S> {
    fn schema() -> MetaSchemaRef {
        let by = |name| object(vec![(name, selector(name)), ("data", S::schema_ref())]);
        one_of(vec![list(S::schema_ref()), by("keys"), by("query")])
    }

    fn register(registry: &mut Registry) {
        S::register(registry);
    }
}

/// The forms of a removal of many.
pub(crate) struct SelectionForms;

/// [`SelectionForms`] as a body.
pub(crate) type Selection = Shape<SelectionForms>;

impl Described for SelectionForms {
    fn schema() -> MetaSchemaRef {
        let by = |name| object(vec![(name, selector(name))]);
        one_of(vec![list(id()), by("keys"), by("query")])
    }
}

/// The page a user is on.
pub(crate) struct PageForm;

/// [`PageForm`] as a body.
pub(crate) type LastPage = Shape<PageForm>;

impl Described for PageForm {
    fn schema() -> MetaSchemaRef {
        let text = MetaSchema {
            max_length: Some(255),
            ..MetaSchema::new("string")
        };
        object(vec![("last_page", inline(text))])
    }
}

fn id() -> MetaSchemaRef {
    inline(MetaSchema::new_with_format("string", "uuid"))
}

fn list(items: MetaSchemaRef) -> MetaSchemaRef {
    inline(MetaSchema {
        items: Some(Box::new(items)),
        ..MetaSchema::new("array")
    })
}

fn selector(name: &str) -> MetaSchemaRef {
    match name {
        "keys" => list(id()),
        _ => inline(MetaSchema::new("object")),
    }
}

fn object(properties: Vec<(&'static str, MetaSchemaRef)>) -> MetaSchemaRef {
    inline(MetaSchema {
        required: properties.iter().map(|(name, _)| *name).collect(),
        properties,
        ..MetaSchema::new("object")
    })
}

fn one_of(forms: Vec<MetaSchemaRef>) -> MetaSchemaRef {
    inline(MetaSchema {
        any_of: forms,
        ..MetaSchema::ANY
    })
}

/// Several records, or 204 where they were written but may not be read.
pub(crate) struct WrittenMany<S>(Option<Many<S>>);

impl<S> WrittenMany<S> {
    /// Wraps the records, if there are any to be shown.
    pub(crate) fn of(list: Option<&List>) -> Result<Self, Failure> {
        list.map(Many::of).transpose().map(Self)
    }
}

impl<S> IntoResponse for WrittenMany<S> {
    fn into_response(self) -> Response {
        match self.0 {
            Some(many) => many.into_response(),
            None => Done.into_response(),
        }
    }
}

impl<S: Type> ApiResponse for WrittenMany<S> {
    fn meta() -> MetaResponses {
        let mut meta = Many::<S>::meta();
        meta.responses[0].description = "Done.";
        meta.responses
            .extend(Written::<S>::meta().responses.into_iter().skip(1));
        meta
    }

    fn register(registry: &mut Registry) {
        S::register(registry);
    }
}

/// A record for a record, records for an array.
pub(crate) enum WrittenAny<S> {
    /// One was sent.
    One(Written<S>),
    /// Several were sent.
    Many(WrittenMany<S>),
}

impl<S> WrittenAny<S> {
    /// Wraps a record, if there is one to be shown.
    pub(crate) fn one(item: Option<&Item>) -> Result<Self, Failure> {
        Written::of(item).map(Self::One)
    }

    /// Wraps the records, if there are any to be shown.
    pub(crate) fn many(list: Option<&List>) -> Result<Self, Failure> {
        WrittenMany::of(list).map(Self::Many)
    }
}

impl<S> IntoResponse for WrittenAny<S> {
    fn into_response(self) -> Response {
        match self {
            Self::One(one) => one.into_response(),
            Self::Many(many) => many.into_response(),
        }
    }
}

impl<S: Type> ApiResponse for WrittenAny<S> {
    fn meta() -> MetaResponses {
        let mut meta = One::<OneOrMany<S>>::meta();
        meta.responses
            .extend(Written::<S>::meta().responses.into_iter().skip(1));
        meta
    }

    fn register(registry: &mut Registry) {
        S::register(registry);
    }
}

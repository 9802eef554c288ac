//! `/fields`, `/relations`, `/collections`: what records have, and how they lead to one another.

use std::borrow::Cow;

use poem_openapi::OpenApi;
use poem_openapi::registry::{MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::types::Type;
use roster_engine::Engine;
use serde_json::Value as Json;

use crate::batch::{Described, Shape};
use crate::body::Body;
use crate::caller::Caller;
use crate::document::Tag;
use crate::envelope::{Done, One, inline};
use crate::error::Failure;
use crate::parameters::{Id, Second};

/// Any JSON object, in the document.
pub(crate) struct Object;

impl Type for Object {
    const IS_REQUIRED: bool = false;

    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "object".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        inline(MetaSchema::new("object"))
    }

    fn register(_: &mut Registry) {}

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

/// A list of any JSON objects, in the document.
pub(crate) type Objects = Shape<ObjectsForm>;

/// The form of [`Objects`].
pub(crate) struct ObjectsForm;

impl Described for ObjectsForm {
    fn schema() -> MetaSchemaRef {
        inline(MetaSchema {
            items: Some(Box::new(Object::schema_ref())),
            ..MetaSchema::new("array")
        })
    }
}

/// The resource.
pub(crate) struct FieldsApi {
    pub(crate) engine: Engine,
}

#[OpenApi(tag = "Tag::Fields")]
#[expect(
    clippy::unused_async,
    reason = "the framework takes async functions alone"
)]
impl FieldsApi {
    /// List all fields
    #[oai(path = "/fields", method = "get", operation_id = "listFields")]
    async fn list(&self, caller: Caller<'_>) -> Result<One<Objects>, Failure> {
        One::of(&self.engine.fields(&caller, None)?)
    }

    /// List the fields of a collection
    #[oai(
        path = "/fields/:collection",
        method = "get",
        operation_id = "listFieldsOfCollection"
    )]
    async fn of(
        &self,
        caller: Caller<'_>,
        /// The name of the collection.
        collection: Id<'_>,
    ) -> Result<One<Objects>, Failure> {
        One::of(&self.engine.fields(&caller, Some(&collection))?)
    }

    /// Add a custom field
    ///
    /// `field` is its name, `type` what it holds, `schema` what its column may contain, `meta` what
    /// it demands and how it is shown. For administrators.
    #[oai(
        path = "/fields/:collection",
        method = "post",
        operation_id = "createField"
    )]
    async fn create(
        &self,
        caller: Caller<'_>,
        /// `directus_users`.
        collection: Id<'_>,
        /// The field.
        body: Body<Object>,
    ) -> Result<One<Object>, Failure> {
        One::of(
            &self
                .engine
                .create_field(&caller, &collection, &body)
                .await?,
        )
    }

    /// Update custom fields
    ///
    /// An array of fields with their names. For administrators.
    #[oai(
        path = "/fields/:collection",
        method = "patch",
        operation_id = "updateFields"
    )]
    async fn update_many(
        &self,
        caller: Caller<'_>,
        /// `directus_users`.
        collection: Id<'_>,
        /// The fields.
        body: Body<Objects>,
    ) -> Result<One<Objects>, Failure> {
        One::of(
            &self
                .engine
                .update_fields(&caller, &collection, &body)
                .await?,
        )
    }

    /// Read a field
    #[oai(
        path = "/fields/:collection/:field",
        method = "get",
        operation_id = "readField"
    )]
    async fn read(
        &self,
        caller: Caller<'_>,
        /// The name of the collection.
        collection: Id<'_>,
        /// The name of the field.
        field: Second<'_>,
    ) -> Result<One<Object>, Failure> {
        One::of(&self.engine.field(&caller, &collection, &field)?)
    }

    /// Update a custom field
    ///
    /// For administrators.
    #[oai(
        path = "/fields/:collection/:field",
        method = "patch",
        operation_id = "updateField"
    )]
    async fn update(
        &self,
        caller: Caller<'_>,
        /// `directus_users`.
        collection: Id<'_>,
        /// The name of the field.
        field: Second<'_>,
        /// What to change.
        body: Body<Object>,
    ) -> Result<One<Object>, Failure> {
        let field = self
            .engine
            .update_field(&caller, &collection, &field, &body)
            .await?;
        One::of(&field)
    }

    /// Remove a custom field
    ///
    /// Its values go with it, and what permissions say of it. For administrators.
    #[oai(
        path = "/fields/:collection/:field",
        method = "delete",
        operation_id = "deleteField"
    )]
    async fn delete(
        &self,
        caller: Caller<'_>,
        /// `directus_users`.
        collection: Id<'_>,
        /// The name of the field.
        field: Second<'_>,
    ) -> Result<Done, Failure> {
        self.engine
            .delete_field(&caller, &collection, &field)
            .await?;
        Ok(Done)
    }

    /// List all relations
    #[oai(path = "/relations", method = "get", operation_id = "listRelations")]
    async fn relations(&self, caller: Caller<'_>) -> Result<One<Objects>, Failure> {
        One::of(&self.engine.relations(&caller, None)?)
    }

    /// Add a relation
    ///
    /// Makes a custom field of users, of type `uuid`, lead to records of another collection. For
    /// administrators.
    #[oai(path = "/relations", method = "post", operation_id = "createRelation")]
    async fn create_relation(
        &self,
        caller: Caller<'_>,
        /// `collection`, `field`, `related_collection`, `schema.on_delete` and `meta`.
        body: Body<Object>,
    ) -> Result<One<Object>, Failure> {
        One::of(&self.engine.create_relation(&caller, &body).await?)
    }

    /// List the relations of a collection
    #[oai(
        path = "/relations/:collection",
        method = "get",
        operation_id = "listRelationsOfCollection"
    )]
    async fn relations_of(
        &self,
        caller: Caller<'_>,
        /// The name of the collection.
        collection: Id<'_>,
    ) -> Result<One<Objects>, Failure> {
        One::of(&self.engine.relations(&caller, Some(&collection))?)
    }

    /// Read a relation
    #[oai(
        path = "/relations/:collection/:field",
        method = "get",
        operation_id = "readRelation"
    )]
    async fn relation(
        &self,
        caller: Caller<'_>,
        /// The name of the collection.
        collection: Id<'_>,
        /// The name of the field.
        field: Second<'_>,
    ) -> Result<One<Object>, Failure> {
        One::of(&self.engine.relation(&caller, &collection, &field)?)
    }

    /// Update a relation
    ///
    /// For administrators.
    #[oai(
        path = "/relations/:collection/:field",
        method = "patch",
        operation_id = "updateRelation"
    )]
    async fn update_relation(
        &self,
        caller: Caller<'_>,
        /// `directus_users`.
        collection: Id<'_>,
        /// The name of the field.
        field: Second<'_>,
        /// What to change.
        body: Body<Object>,
    ) -> Result<One<Object>, Failure> {
        let relation = self
            .engine
            .update_relation(&caller, &collection, &field, &body)
            .await?;
        One::of(&relation)
    }

    /// Remove a relation
    ///
    /// The field and its values stay. For administrators.
    #[oai(
        path = "/relations/:collection/:field",
        method = "delete",
        operation_id = "deleteRelation"
    )]
    async fn delete_relation(
        &self,
        caller: Caller<'_>,
        /// `directus_users`.
        collection: Id<'_>,
        /// The name of the field.
        field: Second<'_>,
    ) -> Result<Done, Failure> {
        self.engine
            .delete_relation(&caller, &collection, &field)
            .await?;
        Ok(Done)
    }

    /// List the collections
    #[oai(
        path = "/collections",
        method = "get",
        operation_id = "listCollections"
    )]
    async fn collections(&self, caller: Caller<'_>) -> Result<One<Objects>, Failure> {
        One::of(&self.engine.collections(&caller)?)
    }

    /// Read a collection
    #[oai(
        path = "/collections/:collection",
        method = "get",
        operation_id = "readCollection"
    )]
    async fn collection(
        &self,
        caller: Caller<'_>,
        /// The name of the collection.
        collection: Id<'_>,
    ) -> Result<One<Object>, Failure> {
        let found: Json = self.engine.collection(&caller, &collection)?;
        One::of(&found)
    }
}

//! Fields, relations, rights and small helpers.

use roster_domain::Result;
use roster_domain::query::Parameters;
use serde_json::Value as Json;

use crate::{Context, Engine, fields, rights, utilities};

impl Engine {
    /// The fields that the caller may know of, of one collection or of all.
    ///
    /// # Errors
    /// `FORBIDDEN`.
    pub fn fields(&self, cx: &Context, collection: Option<&str>) -> Result<Vec<Json>> {
        match collection {
            Some(collection) => fields::of(&self.inner, cx, collection),
            None => fields::list(&self.inner, cx),
        }
    }

    /// One field.
    ///
    /// # Errors
    /// `FORBIDDEN` for missing and forbidden ones alike.
    pub fn field(&self, cx: &Context, collection: &str, field: &str) -> Result<Json> {
        fields::one(&self.inner, cx, collection, field)
    }

    /// Changes several custom fields, one after another: an array of them with their names.
    ///
    /// # Errors
    /// See contract/fields.md §1.
    pub async fn update_fields(
        &self,
        cx: &Context,
        collection: &str,
        body: &Json,
    ) -> Result<Vec<Json>> {
        fields::update_many(&self.inner, cx, collection, body).await
    }

    /// The flags that one of the caller's policies sets.
    pub fn globals(&self, cx: &Context) -> Json {
        rights::globals(cx)
    }

    /// Everything the caller may do, by collection and action.
    ///
    /// # Errors
    /// `FORBIDDEN` for the public principal.
    pub fn my_permissions(&self, cx: &Context) -> Result<Json> {
        rights::mine(cx)
    }

    /// Whether the caller may change, remove and share a record, or any of a collection.
    ///
    /// # Errors
    /// `FORBIDDEN` for the public principal.
    pub async fn my_item_permissions(
        &self,
        cx: &Context,
        collection: &str,
        id: Option<&str>,
    ) -> Result<Json> {
        rights::of_item(&self.inner, cx, collection, id).await
    }

    /// The hash of `string`.
    ///
    /// # Errors
    /// `INVALID_PAYLOAD`; `FORBIDDEN` for the public principal.
    pub async fn generate_hash(&self, cx: &Context, body: &Json) -> Result<String> {
        utilities::generate_hash(&self.inner, cx, body).await
    }

    /// Whether `hash` is one of `string`.
    ///
    /// # Errors
    /// `INVALID_PAYLOAD`; `FORBIDDEN` for the public principal.
    pub async fn verify_hash(&self, cx: &Context, body: &Json) -> Result<bool> {
        utilities::verify_hash(&self.inner, cx, body).await
    }

    /// A random string of letters and digits.
    ///
    /// # Errors
    /// `INVALID_QUERY`; `FORBIDDEN` for the public principal.
    pub fn random_string(&self, cx: &Context, parameters: &Parameters) -> Result<String> {
        utilities::random_string(cx, parameters)
    }

    /// Adds a custom field to users.
    ///
    /// # Errors
    /// See contract/fields.md §1.
    pub async fn create_field(&self, cx: &Context, collection: &str, body: &Json) -> Result<Json> {
        fields::create(&self.inner, cx, collection, body).await
    }

    /// Changes a custom field.
    ///
    /// # Errors
    /// See contract/fields.md §1.
    pub async fn update_field(
        &self,
        cx: &Context,
        collection: &str,
        field: &str,
        body: &Json,
    ) -> Result<Json> {
        fields::update(&self.inner, cx, collection, field, body).await
    }

    /// Removes a custom field with its values.
    ///
    /// # Errors
    /// `FORBIDDEN` for built-in ones.
    pub async fn delete_field(&self, cx: &Context, collection: &str, field: &str) -> Result<()> {
        fields::delete(&self.inner, cx, collection, field).await
    }

    /// The relations that the caller may know of, of one collection or of all.
    ///
    /// # Errors
    /// `FORBIDDEN`.
    pub fn relations(&self, cx: &Context, collection: Option<&str>) -> Result<Vec<Json>> {
        fields::relations(cx, collection)
    }

    /// One relation.
    ///
    /// # Errors
    /// `FORBIDDEN` for missing and forbidden ones alike.
    pub fn relation(&self, cx: &Context, collection: &str, field: &str) -> Result<Json> {
        fields::relation(cx, collection, field)
    }

    /// Makes a field of users lead to other records.
    ///
    /// # Errors
    /// See contract/fields.md §7.
    pub async fn create_relation(&self, cx: &Context, body: &Json) -> Result<Json> {
        fields::create_relation(&self.inner, cx, body).await
    }

    /// Changes a relation that was added.
    ///
    /// # Errors
    /// See contract/fields.md §7.
    pub async fn update_relation(
        &self,
        cx: &Context,
        collection: &str,
        field: &str,
        body: &Json,
    ) -> Result<Json> {
        fields::update_relation(&self.inner, cx, collection, field, body).await
    }

    /// Takes a relation away that was added.
    ///
    /// # Errors
    /// `FORBIDDEN` for missing and built-in ones.
    pub async fn delete_relation(&self, cx: &Context, collection: &str, field: &str) -> Result<()> {
        fields::delete_relation(&self.inner, cx, collection, field).await
    }

    /// The collections that the caller may read.
    ///
    /// # Errors
    /// `FORBIDDEN`.
    pub fn collections(&self, cx: &Context) -> Result<Vec<Json>> {
        fields::collections(&self.inner, cx)
    }

    /// One collection.
    ///
    /// # Errors
    /// `FORBIDDEN`.
    pub fn collection(&self, cx: &Context, name: &str) -> Result<Json> {
        fields::collection(&self.inner, cx, name)
    }
}

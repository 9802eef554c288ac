//! Records of every collection.

use roster_domain::query::Parameters;
use roster_domain::{Collection, Item, Result};
use serde_json::Value as Json;

use crate::records::{self, List, Outline};
use crate::{Asset, Context, Engine, Upload, accounts, files};

impl Engine {
    /// Makes a record. `None` when the caller may make such records and not read them.
    ///
    /// # Errors
    /// See contract/users.md §4.1 and contract/access-control.md §5, and the codes of plugins.
    pub async fn create(
        &self,
        cx: &Context,
        collection: Collection,
        body: &Json,
        parameters: &Parameters,
    ) -> Result<Option<Item>> {
        records::write::create(&self.inner, cx, collection, body, parameters).await
    }

    /// Makes several records, all or none. `None` when the caller may not read them.
    ///
    /// # Errors
    /// As for [`Engine::create`], saying which item is at fault.
    pub async fn create_many(
        &self,
        cx: &Context,
        collection: Collection,
        bodies: &[Json],
        parameters: &Parameters,
    ) -> Result<Option<List>> {
        records::write::create_many(&self.inner, cx, collection, bodies, parameters).await
    }

    /// Changes many records, all or none: an array of records, or `keys` or `query` with `data`.
    ///
    /// # Errors
    /// As for [`Engine::update`], saying which item is at fault.
    pub async fn update_many(
        &self,
        cx: &Context,
        collection: Collection,
        body: &Json,
        parameters: &Parameters,
    ) -> Result<Option<List>> {
        accounts::check_acting(cx, body)?;
        records::write::update_many(&self.inner, cx, collection, body, parameters).await
    }

    /// Removes many records, all or none: an array of keys, `keys` or `query`.
    ///
    /// # Errors
    /// As for [`Engine::delete`].
    pub async fn delete_many(
        &self,
        cx: &Context,
        collection: Collection,
        body: &Json,
    ) -> Result<()> {
        records::write::delete_many(&self.inner, cx, collection, body).await
    }

    /// A page of records, the query being in the body.
    ///
    /// # Errors
    /// `INVALID_PAYLOAD`, and those of [`Engine::list`].
    pub async fn search(&self, cx: &Context, collection: Collection, body: &Json) -> Result<List> {
        records::read::search(&self.inner, cx, collection, body).await
    }

    /// A page of records, or groups of them.
    ///
    /// # Errors
    /// `FORBIDDEN`, `INVALID_QUERY`.
    pub async fn list(
        &self,
        cx: &Context,
        collection: Collection,
        parameters: &Parameters,
    ) -> Result<List> {
        records::read::list(&self.inner, cx, collection, parameters).await
    }

    /// What a list would have, without reading it.
    ///
    /// # Errors
    /// Those of [`Engine::list`].
    pub async fn outline(
        &self,
        cx: &Context,
        collection: Collection,
        parameters: &Parameters,
    ) -> Result<Outline> {
        records::read::outline(&self.inner, cx, collection, parameters).await
    }

    /// One record.
    ///
    /// # Errors
    /// `FORBIDDEN` for missing, forbidden and malformed keys alike; `INVALID_QUERY`.
    pub async fn read(
        &self,
        cx: &Context,
        collection: Collection,
        id: &str,
        parameters: &Parameters,
    ) -> Result<Item> {
        records::read::one(&self.inner, cx, collection, id, parameters).await
    }

    /// Changes a record. `None` when the caller may not read the result.
    ///
    /// # Errors
    /// See contract/users.md §4 and contract/access-control.md §6, and the codes of plugins.
    pub async fn update(
        &self,
        cx: &Context,
        collection: Collection,
        id: &str,
        body: &Json,
        parameters: &Parameters,
    ) -> Result<Option<Item>> {
        accounts::check_acting(cx, body)?;
        records::write::update(&self.inner, cx, collection, id, body, parameters).await
    }

    /// Removes a record.
    ///
    /// # Errors
    /// `FORBIDDEN` for missing, forbidden and malformed keys alike; the codes of plugins.
    pub async fn delete(&self, cx: &Context, collection: Collection, id: &str) -> Result<()> {
        records::write::delete(&self.inner, cx, collection, id).await
    }

    /// Whether the caller may send files at all: asked before anything is read of one.
    ///
    /// # Errors
    /// `FORBIDDEN`.
    pub fn permit_upload(&self, cx: &Context) -> Result<()> {
        files::permit(cx)
    }

    /// Makes a file from its content. `None` when the caller may make files and not read them.
    ///
    /// # Errors
    /// `UNSUPPORTED_MEDIA_TYPE` for anything but a picture, `CONTENT_TOO_LARGE`,
    /// `INVALID_PAYLOAD`, and those of [`Engine::create`].
    pub async fn upload(
        &self,
        cx: &Context,
        upload: Upload,
        parameters: &Parameters,
    ) -> Result<Option<Item>> {
        files::create(&self.inner, cx, upload, parameters).await
    }

    /// The content of a file, whole or resized; `known` is what the client has of it.
    ///
    /// # Errors
    /// `FORBIDDEN` for missing and forbidden files alike; `INVALID_QUERY`.
    pub async fn asset(
        &self,
        cx: &Context,
        id: &str,
        parameters: &Parameters,
        known: Option<&str>,
    ) -> Result<Asset> {
        files::read(&self.inner, cx, id, parameters, known).await
    }

    /// The size of the largest file, in bytes.
    pub fn largest_file(&self) -> usize {
        self.inner.settings.files.max_size
    }

    /// The caller. Without read permission the id alone.
    ///
    /// # Errors
    /// `INVALID_CREDENTIALS` for the public principal.
    pub async fn read_me(&self, cx: &Context, parameters: &Parameters) -> Result<Item> {
        records::read::me(&self.inner, cx, parameters).await
    }

    /// Changes the caller.
    ///
    /// # Errors
    /// As for [`Engine::update`]; `INVALID_CREDENTIALS` for the public principal.
    pub async fn update_me(
        &self,
        cx: &Context,
        body: &Json,
        parameters: &Parameters,
    ) -> Result<Item> {
        accounts::check_acting(cx, body)?;
        records::write::update_me(&self.inner, cx, body, parameters).await
    }

    /// The caller's role and its ancestors, the root first.
    ///
    /// # Errors
    /// `FORBIDDEN` for the public principal.
    pub async fn my_roles(&self, cx: &Context, parameters: &Parameters) -> Result<List> {
        records::read::my_roles(&self.inner, cx, parameters).await
    }
}

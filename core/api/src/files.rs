//! `/files` and `/assets`: pictures, what is known of them and what is in them.

use poem_openapi::OpenApi;
use roster_domain::Collection;
use roster_engine::Engine;

use crate::asset::{IfNoneMatch, Picture};
use crate::batch::{Changes, Selection, WrittenMany};
use crate::body::Body;
use crate::caller::{Caller, Visitor};
use crate::document::Tag;
use crate::envelope::{Done, One, Written};
use crate::error::Failure;
use crate::export::Listed;
use crate::parameters::{Id, Page, Query, Single, Transformed};
use crate::record::File;
use crate::upload::Form;

const FILES: Collection = Collection::Files;

/// The resource.
pub(crate) struct FilesApi {
    pub(crate) engine: Engine,
}

#[OpenApi(tag = "Tag::Files")]
impl FilesApi {
    /// List files
    ///
    /// Sends the records of the files that the caller may read.
    #[oai(path = "/files", method = "get", operation_id = "listFiles")]
    async fn list(&self, caller: Caller<'_>, query: Query<Page>) -> Result<Listed<File>, Failure> {
        Listed::answer(&self.engine, &caller, FILES, &query).await
    }

    /// Upload a file
    ///
    /// Takes one PNG, JPEG, GIF or WebP image; what it is, is found out from its content.
    #[oai(path = "/files", method = "post", operation_id = "uploadFile")]
    async fn upload(
        &self,
        caller: Caller<'_>,
        query: Query<Single>,
        /// The fields of the record, each a part, and the file.
        form: Form,
    ) -> Result<Written<File>, Failure> {
        if let Err(error) = self.engine.permit_upload(&caller) {
            form.discard().await;
            return Err(error.into());
        }
        let upload = form.read(self.engine.largest_file()).await?;
        let item = self.engine.upload(&caller, upload, &query).await?;
        Written::of(item.as_ref())
    }

    /// Update files
    ///
    /// Changes the records of several files, all of them or none: an array of records with their
    /// ids, or `keys` or `query` for which, with `data` for what.
    #[oai(path = "/files", method = "patch", operation_id = "updateFiles")]
    async fn update_many(
        &self,
        caller: Caller<'_>,
        query: Query<Single>,
        /// What to change.
        body: Body<Changes<File>>,
    ) -> Result<WrittenMany<File>, Failure> {
        let list = self
            .engine
            .update_many(&caller, FILES, &body, &query)
            .await?;
        WrittenMany::of(list.as_ref())
    }

    /// Delete files
    ///
    /// Deletes several files with their content, all of them or none: an array of ids, `keys` or
    /// `query`.
    #[oai(path = "/files", method = "delete", operation_id = "deleteFiles")]
    async fn delete_many(
        &self,
        caller: Caller<'_>,
        /// Which files.
        body: Body<Selection>,
    ) -> Result<Done, Failure> {
        self.engine.delete_many(&caller, FILES, &body).await?;
        Ok(Done)
    }

    /// Read a file's record
    ///
    /// A file that does not exist and one that the caller may not see give the same refusal.
    #[oai(path = "/files/:id", method = "get", operation_id = "readFile")]
    async fn read(
        &self,
        caller: Caller<'_>,
        query: Query<Single>,
        /// The id of the file.
        id: Id<'_>,
    ) -> Result<One<File>, Failure> {
        One::of(&self.engine.read(&caller, FILES, &id, &query).await?)
    }

    /// Update a file's record
    ///
    /// Its content stays: for another one, upload another file.
    #[oai(path = "/files/:id", method = "patch", operation_id = "updateFile")]
    async fn update(
        &self,
        caller: Caller<'_>,
        query: Query<Single>,
        /// The id of the file.
        id: Id<'_>,
        /// The fields to change.
        body: Body<File>,
    ) -> Result<Written<File>, Failure> {
        let item = self
            .engine
            .update(&caller, FILES, &id, &body, &query)
            .await?;
        Written::of(item.as_ref())
    }

    /// Delete a file
    ///
    /// Its content goes with it, and users whose avatar it was have none.
    #[oai(path = "/files/:id", method = "delete", operation_id = "deleteFile")]
    async fn delete(
        &self,
        caller: Caller<'_>,
        /// The id of the file.
        id: Id<'_>,
    ) -> Result<Done, Failure> {
        self.engine.delete(&caller, FILES, &id).await?;
        Ok(Done)
    }

    /// Read a file
    ///
    /// Sends what is in a file, whole, or resized where `width` or `height` is given. For whoever
    /// may read its record, and for who uploaded it.
    #[oai(path = "/assets/:id", method = "get", operation_id = "readAsset")]
    async fn asset(
        &self,
        visitor: Visitor<'_>,
        query: Query<Transformed>,
        /// The id of the file.
        id: Id<'_>,
        known: IfNoneMatch,
    ) -> Result<Picture, Failure> {
        let asset = self
            .engine
            .asset(&visitor, &id, &query, known.as_deref())
            .await?;
        Ok(Picture::new(asset, query.contains_key("download")))
    }
}

//! The fields of every collection, as they are at an epoch.

use std::sync::{Arc, PoisonError, RwLock};

use roster_domain::{Model, Projection, Result, Schema};
use roster_storage::{fields, unguarded};
use tokio::sync::Mutex;

use crate::Inner;

/// The newest model this node has seen.
pub(crate) struct Models {
    newest: RwLock<Arc<Known>>,
    /// One request reads the fields anew; the others wait for it.
    reading: Mutex<()>,
}

struct Known {
    model: Arc<Model>,
    stored: Vec<Arc<Projection>>,
}

impl Known {
    fn of(model: Model) -> Self {
        let stored = roster_domain::Collection::ALL
            .into_iter()
            .filter_map(|collection| model.schema(collection))
            .map(|schema| Arc::new(Projection::stored(schema)));
        Self {
            stored: stored.collect(),
            model: Arc::new(model),
        }
    }
}

impl Models {
    pub(crate) fn new(statuses: &[String]) -> Self {
        // Epoch 0 is never current: the first request reads the fields.
        let nothing = Model::new(0, Vec::new(), Vec::new(), statuses);
        Self {
            newest: RwLock::new(Arc::new(Known::of(nothing))),
            reading: Mutex::new(()),
        }
    }

    fn newest(&self) -> Arc<Known> {
        let newest = self.newest.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&newest)
    }
}

impl Inner {
    /// The fields as they are now.
    pub(crate) async fn model(&self) -> Result<Arc<Model>> {
        let (_, epoch) = unguarded::epochs(&self.store).await?;
        self.model_at(epoch).await
    }

    /// The fields at an epoch that was just read, or at a later one.
    pub(crate) async fn model_at(&self, epoch: i64) -> Result<Arc<Model>> {
        let is_fresh = |known: &Known| known.model.epoch() >= epoch.unsigned_abs();
        let known = self.models.newest();
        if is_fresh(&known) {
            return Ok(Arc::clone(&known.model));
        }
        let _reading = self.models.reading.lock().await;
        let known = self.models.newest();
        if is_fresh(&known) {
            return Ok(Arc::clone(&known.model));
        }
        let model = fields::model(&self.store, &self.settings.users.statuses).await?;
        let known = Arc::new(Known::of(model));
        let model = Arc::clone(&known.model);
        let mut newest = self
            .models
            .newest
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *newest = known;
        Ok(model)
    }

    /// Every field of a schema that has a column: made once for each.
    pub(crate) fn stored_fields(&self, schema: &Arc<Schema>) -> Arc<Projection> {
        let known = self.models.newest();
        let same = |projection: &&Arc<Projection>| Arc::ptr_eq(projection.schema(), schema);
        let found = known.stored.iter().find(same).map(Arc::clone);
        found.unwrap_or_else(|| Arc::new(Projection::stored(schema)))
    }
}

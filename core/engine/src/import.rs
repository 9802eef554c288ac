//! Taking users in from a file: CSV with a header, or a JSON array of objects.
//!
//! Rows are written some at a time, each batch in a transaction of its own and through the pipeline
//! of every other write. A batch that is refused is written again row by row, so that one bad row
//! costs nobody else. Nothing but one batch is held in memory, however long the file.

mod cells;
mod options;
mod report;
mod rows;

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::sync::Arc;

use roster_domain::{Action, Collection, Error, Key, Result, UserId, email};
use roster_storage::unguarded;
use serde_json::{Map, Value as Json};
use tokio::sync::mpsc::Receiver;
use uuid::Uuid;

pub use self::options::{Existing, ImportFormat, ImportOptions};
pub use self::report::{ImportOutcome, ImportSummary, ImportedRow};
use self::rows::{Next, Row};
use crate::context::{Client, Context, Source};
use crate::records::write::{self, End};
use crate::{Engine, Inner, access, principal};

const USERS: Collection = Collection::Users;
/// Fields that a file sets only where the caller names them (security: no privilege by import).
pub(crate) const NAMED_ONLY: [&str; 10] = [
    "id",
    "status",
    "role",
    "policies",
    "provider",
    "external_identifier",
    "token",
    "tfa_secret",
    "auth_data",
    "email_verified",
];

/// A file that is being taken in.
pub struct Importer {
    inner: Arc<Inner>,
    cx: Context,
    options: ImportOptions,
    rows: Receiver<Next>,
    /// The addresses of a dry run so far: nothing is stored that they could collide with.
    seen: HashSet<String>,
    summary: ImportSummary,
    /// Why there are no more rows, if the file does not simply end.
    broken: Option<Error>,
    is_over: bool,
}

impl Engine {
    /// Whether the caller may take users in at all: asked before a file is read.
    ///
    /// # Errors
    /// `FORBIDDEN`.
    pub fn permit_import(&self, cx: &Context) -> Result<()> {
        access::grant(cx, Action::Create, USERS)?;
        // Whoever acts as somebody does not do it in bulk.
        cx.impersonator.map_or(Ok(()), |_| Err(Error::forbidden()))
    }

    /// Begins to take users in from a file.
    ///
    /// # Errors
    /// `FORBIDDEN`, and `INVALID_PAYLOAD` for a name in `allow` that is no field.
    pub fn import(&self, cx: &Context, file: File, options: ImportOptions) -> Result<Importer> {
        self.permit_import(cx)?;
        options.check(cx.model.users())?;
        let client = Client {
            source: Source::Import,
            ..cx.client.as_ref().clone()
        };
        let cx = Context {
            client: Arc::new(client),
            ..cx.clone()
        };
        let rows = rows::read(file, &options, cx.model.users());
        Ok(Importer {
            inner: Arc::clone(&self.inner),
            cx,
            rows,
            seen: HashSet::new(),
            summary: ImportSummary {
                dry_run: options.dry_run,
                ..ImportSummary::default()
            },
            broken: None,
            is_over: false,
            options,
        })
    }

    /// The context of the command line, which may take anything in.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`.
    pub async fn command_line(&self) -> Result<Context> {
        crate::bootstrap::command_line(&self.inner).await
    }

    /// The size of the largest file that is taken in, in bytes.
    pub fn largest_import(&self) -> u64 {
        self.inner.settings.users.largest_import
    }
}

/// What is to be done with a row that can be.
enum Todo {
    Create(Json),
    Update(UserId, Json),
}

impl Importer {
    /// What came of the file so far.
    pub const fn summary(&self) -> &ImportSummary {
        &self.summary
    }

    /// Takes some more rows in and says what came of each; nothing at the end.
    ///
    /// # Errors
    /// When the file cannot be read, the caller may no more, or the database does not answer. What
    /// was taken in stays; [`ImportSummary::next_row`] says where to go on.
    pub async fn next(&mut self) -> Result<Option<Vec<ImportedRow>>> {
        if self.is_over {
            return Ok(None);
        }
        let rows = self.batch().await;
        if rows.is_empty() {
            self.is_over = true;
            if let Some(error) = self.broken.take() {
                return Err(error);
            }
            self.summary.next_row = None;
            return Ok(None);
        }
        self.summary.next_row = rows.first().map(|row| row.number);
        let done = self.take(rows).await;
        self.is_over |= done.is_err();
        done.map(Some)
    }

    async fn batch(&mut self) -> Vec<Row> {
        let mut rows = Vec::with_capacity(self.options.batch);
        while rows.len() < self.options.batch {
            match self.rows.recv().await {
                Some(Ok(row)) if row.number < self.options.first_row => {}
                Some(Ok(row)) => rows.push(row),
                Some(Err(error)) => self.broken = Some(error),
                None => break,
            }
        }
        rows
    }

    async fn take(&mut self, rows: Vec<Row>) -> Result<Vec<ImportedRow>> {
        // Rights may have changed since the last batch, and so may the fields.
        self.cx = principal::again(&self.inner, &self.cx).await?;
        self.permit()?;
        let planned = self.plan(rows).await?;
        let mut done = Vec::with_capacity(planned.len());
        let todo: Vec<(u64, &Todo)> = planned
            .iter()
            .filter_map(|(number, todo)| Some((*number, todo.as_ref().ok()?)))
            .collect();
        let mut keys = self.write(&todo).await;
        for (number, plan) in &planned {
            let row = match plan {
                Err(settled) => settled.clone(),
                Ok(todo) => {
                    let lost = || Error::internal("a row that nothing came of");
                    let key = if let Ok(keys) = &mut keys {
                        keys.remove(number).ok_or_else(lost)
                    } else {
                        // One row of the batch is at fault: each is written by itself.
                        self.cx.effects = crate::Effects::default();
                        let alone = self.write(&[(*number, todo)]).await;
                        alone.and_then(|mut keys| keys.remove(number).ok_or_else(lost))
                    };
                    outcome(*number, todo, key)?
                }
            };
            let stops = row.outcome == ImportOutcome::Failed && !self.options.goes_on();
            self.count(&row);
            done.push(row);
            if stops {
                self.summary.next_row = Some(*number);
                self.is_over = true;
                return Ok(done);
            }
            self.summary.next_row = Some(number + 1);
        }
        Ok(done)
    }

    fn permit(&self) -> Result<()> {
        access::grant(&self.cx, Action::Create, USERS).map(drop)
    }

    fn count(&mut self, row: &ImportedRow) {
        self.summary.rows += 1;
        let counter = match row.outcome {
            ImportOutcome::Created => &mut self.summary.created,
            ImportOutcome::Updated => &mut self.summary.updated,
            ImportOutcome::Skipped => &mut self.summary.skipped,
            ImportOutcome::Failed => &mut self.summary.failed,
        };
        *counter += 1;
    }

    /// What is to be done with each row, in one look at the database.
    async fn plan(&mut self, rows: Vec<Row>) -> Result<Vec<(u64, Result<Todo, ImportedRow>)>> {
        let known = match self.options.existing {
            Existing::Reject => Known::default(),
            Existing::Skip | Existing::Update => self.known(&rows).await?,
        };
        let mut planned = Vec::with_capacity(rows.len());
        for Row { number, body } in rows {
            let todo = match body.and_then(|body| self.permitted(body)) {
                Ok(body) => self.decide(number, body, &known),
                Err(error) => Err(failed(number, &error)),
            };
            planned.push((number, todo));
        }
        Ok(planned)
    }

    async fn known(&self, rows: &[Row]) -> Result<Known> {
        let bodies = || rows.iter().filter_map(|row| row.body.as_ref().ok());
        let keys: Vec<String> = bodies().filter_map(address).collect();
        let ids: Vec<Uuid> = bodies().filter_map(id).collect();
        let found = unguarded::known_users(&self.inner.store, &keys, &ids).await?;
        let mut known = Known::default();
        for (id, address) in found {
            known.ids.insert(id.0);
            known.addresses.extend(address.map(|address| (address, id)));
        }
        Ok(known)
    }

    /// Refuses what a file sets only where it is allowed by name.
    fn permitted(&self, body: Map<String, Json>) -> Result<Map<String, Json>> {
        let refused = body.keys().filter(|name| !self.options.may_set(name));
        let problems = refused.map(|name| options::not_allowed(name)).collect();
        Error::of(problems).map_or(Ok(body), Err)
    }

    fn decide(
        &mut self,
        number: u64,
        mut body: Map<String, Json>,
        known: &Known,
    ) -> Result<Todo, ImportedRow> {
        let address = address(&body);
        let by_id = id(&body).filter(|id| known.ids.contains(id)).map(UserId);
        let by_address = address.as_ref().and_then(|key| known.addresses.get(key));
        if let Some(user) = by_id.or(by_address.copied()) {
            if self.options.existing == Existing::Skip {
                return Err(ImportedRow {
                    row: number,
                    outcome: ImportOutcome::Skipped,
                    // Whoever may make users need not be one who may see them.
                    id: None,
                    problems: Vec::new(),
                });
            }
            body.remove("id");
            if by_address == Some(&user) {
                // It is theirs already, in whatever case it is written.
                body.remove("email");
            }
            return Ok(Todo::Update(user, Json::Object(body)));
        }
        if let (true, Some(address)) = (self.options.dry_run, address)
            && !self.seen.insert(address)
        {
            let users = USERS.as_str();
            let value = body.get("email").cloned();
            let taken = roster_domain::error::field::not_unique(users, "email", value);
            return Err(failed(number, &taken.into()));
        }
        Ok(Todo::Create(Json::Object(body)))
    }

    /// Writes rows, all or none; gives their users by row.
    async fn write(&self, todo: &[(u64, &Todo)]) -> Result<HashMap<u64, Key>> {
        let (inner, cx) = (&self.inner, &self.cx);
        let end = if self.options.dry_run {
            End::Undo
        } else {
            End::Commit
        };
        let mut done = HashMap::with_capacity(todo.len());
        let (mut new, mut bodies, mut changes) = (Vec::new(), Vec::new(), Vec::new());
        for (number, todo) in todo {
            match todo {
                Todo::Create(body) => {
                    new.push(*number);
                    bodies.push(body.clone());
                }
                Todo::Update(user, body) => {
                    changes.push((Key::from(*user), body.clone()));
                    done.insert(*number, Key::from(*user));
                }
            }
        }
        let all = write::save_all(inner, cx, USERS, &bodies, &changes, end).await?;
        done.extend(new.into_iter().zip(all));
        Ok(done)
    }
}

/// The users that were there before a batch.
#[derive(Default)]
struct Known {
    ids: HashSet<Uuid>,
    addresses: HashMap<String, UserId>,
}

fn address(body: &Map<String, Json>) -> Option<String> {
    body.get("email")?.as_str().map(email::key)
}

fn id(body: &Map<String, Json>) -> Option<Uuid> {
    Uuid::parse_str(body.get("id")?.as_str()?).ok()
}

fn failed(row: u64, error: &Error) -> ImportedRow {
    ImportedRow {
        row,
        outcome: ImportOutcome::Failed,
        id: None,
        problems: error.problems().to_vec(),
    }
}

/// What came of a row that was written by itself or with others. What is nobody's fault ends it all.
fn outcome(number: u64, todo: &Todo, done: Result<Key>) -> Result<ImportedRow> {
    match done {
        Ok(key) => Ok(ImportedRow {
            row: number,
            outcome: match todo {
                Todo::Create(_) => ImportOutcome::Created,
                Todo::Update(..) => ImportOutcome::Updated,
            },
            id: key.uuid(),
            problems: Vec::new(),
        }),
        Err(error) if error.status() >= 500 => Err(error),
        Err(error) => Ok(failed(number, &error)),
    }
}

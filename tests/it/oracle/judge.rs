//! A decision, judged by the oracle and by the server.

use reqwest::Method;
use roster_tests::{Answer, Client};
use serde_json::{Value as Json, json};

use super::decision::Decision;
use super::play::Stage;
use super::query::{Outcome, Query};
use super::read::Reader;
use super::rights::Rights;
use super::shape::Set;
use super::world::{Row, World, key, plain};
use super::write::{Stop, Writer, globals, my_roles, rights_of_item};

/// Somebody who asks, and from where.
pub(super) struct Asker {
    pub(super) id: Option<String>,
    pub(super) address: &'static str,
    pub(super) client: Client,
}

impl Asker {
    async fn send(&self, method: Method, path: &str, body: Option<&Json>) -> Answer {
        let headers = [
            ("content-type", "application/json"),
            ("x-forwarded-for", self.address),
        ];
        let body = body.map(Json::to_string).unwrap_or_default();
        self.client
            .send(method, path, &headers, body.into_bytes())
            .await
    }

    async fn get(&self, path: &str, query: &Query) -> Answer {
        let parameters = query.parameters();
        let url = reqwest::Url::parse_with_params("http://x/", parameters).expect("a URL");
        let path = match url.query() {
            Some(query) if !query.is_empty() => format!("{path}?{query}"),
            _ => path.to_owned(),
        };
        self.send(Method::GET, &path, None).await
    }
}

impl Stage {
    /// What the oracle expects and what the server says; nothing where the contract is open.
    pub(super) async fn judge(
        &self,
        world: &mut World,
        rights: &Rights,
        asker: &Asker,
        decision: &Decision,
    ) -> Option<(Outcome, Outcome)> {
        let reader = Reader { world, rights };
        let is_write = matches!(
            decision,
            Decision::Create(_)
                | Decision::Update(..)
                | Decision::UpdateBy(..)
                | Decision::UpdateMe(_)
                | Decision::Delete(_)
        );
        if is_write {
            return self.judge_write(world, rights, asker, decision).await;
        }
        let (expected, answer) = match decision {
            Decision::List(set, query, by_body) => {
                let answer = ask_list(asker, *set, query, *by_body).await;
                (reader.list(*set, query), outcome(&answer))
            }
            Decision::Groups(set, query, by_body) => {
                let answer = ask_list(asker, *set, query, *by_body).await;
                let expected = sorted(reader.groups(*set, query));
                (expected, sorted(outcome(&answer)))
            }
            Decision::Item(set, id, query) => {
                let path = format!("{}/{}", set.path(), plain(id));
                let answer = asker.get(&path, query).await;
                (reader.item(*set, id, query), outcome(&answer))
            }
            Decision::Me(query) => {
                let answer = asker.get("/users/me", query).await;
                (reader.me(query), outcome(&answer))
            }
            Decision::RightsOf(set, id) => {
                let path = format!("/permissions/me/{}/{}", set.wire(), plain(id));
                let answer = asker.get(&path, &Query::default()).await;
                (rights_of_item(world, rights, *set, id), outcome(&answer))
            }
            Decision::MyRoles => {
                let answer = asker.get("/roles/me", &Query::default()).await;
                (my_roles(&reader), outcome(&answer))
            }
            _ => {
                let answer = asker.get("/policies/me/globals", &Query::default()).await;
                (globals(rights), outcome(&answer))
            }
        };
        Some((expected, answer))
    }

    async fn judge_write(
        &self,
        world: &mut World,
        rights: &Rights,
        asker: &Asker,
        decision: &Decision,
    ) -> Option<(Outcome, Outcome)> {
        let writer = Writer { world, rights };
        let (planned, answer) = match decision {
            Decision::Create(body) => {
                let planned = writer.create(body).map(Some);
                if matches!(planned, Err(Stop::Open)) {
                    return None;
                }
                let body = json!(body);
                (
                    planned,
                    asker.send(Method::POST, "/users", Some(&body)).await,
                )
            }
            Decision::Update(ids, body) => {
                let planned = writer.update(ids, body).map(Some);
                if matches!(planned, Err(Stop::Open)) {
                    return None;
                }
                let answer = match ids.as_slice() {
                    [id] => {
                        let path = format!("/users/{id}");
                        asker.send(Method::PATCH, &path, Some(&json!(body))).await
                    }
                    ids => {
                        let body = json!({"keys": ids, "data": body});
                        asker.send(Method::PATCH, "/users", Some(&body)).await
                    }
                };
                (planned, answer)
            }
            Decision::UpdateBy(filter, body) => {
                let planned = match reached(world, rights, filter) {
                    // No item is judged where none is changed.
                    Some(ids) if ids.is_empty() && rights.may(Set::Users, "update") => {
                        Ok(Some(Row::new()))
                    }
                    Some(ids) => writer.update(&ids, body).map(Some),
                    None => Err(Stop::Refused(Outcome::forbidden())),
                };
                if matches!(planned, Err(Stop::Open)) {
                    return None;
                }
                let body = json!({"query": {"filter": filter, "limit": -1}, "data": body});
                let answer = asker.send(Method::PATCH, "/users", Some(&body));
                (planned, answer.await)
            }
            Decision::UpdateMe(body) => {
                let planned = match &asker.id {
                    Some(id) => writer.update(std::slice::from_ref(id), body).map(Some),
                    None => Err(Stop::Refused(Outcome::refused(401, "INVALID_CREDENTIALS"))),
                };
                if matches!(planned, Err(Stop::Open)) {
                    return None;
                }
                let body = json!(body);
                let answer = asker.send(Method::PATCH, "/users/me", Some(&body));
                (planned, answer.await)
            }
            Decision::Delete(ids) => {
                let planned = writer.delete(ids).map(|()| None);
                let answer = match ids.as_slice() {
                    [id] => {
                        let path = format!("/users/{id}");
                        asker.send(Method::DELETE, &path, None).await
                    }
                    ids => {
                        asker
                            .send(Method::DELETE, "/users", Some(&json!(ids)))
                            .await
                    }
                };
                (planned, answer)
            }
            _ => return None,
        };
        let got = outcome(&answer);
        let written = match planned {
            Err(Stop::Refused(expected)) => return Some((expected, got)),
            Err(Stop::Open) => return None,
            Ok(written) => written,
        };
        // Of themselves they may have changed what they may not read.
        let is_me = matches!(decision, Decision::UpdateMe(_));
        if got.status >= 300 && !is_me {
            return Some((Outcome::done(), got));
        }
        let ids: Vec<String> = match decision {
            Decision::Update(ids, _) | Decision::Delete(ids) => ids.clone(),
            Decision::UpdateBy(filter, _) => reached(world, rights, filter).unwrap_or_default(),
            Decision::UpdateMe(_) => asker.id.clone().into_iter().collect(),
            _ => Vec::from_iter(self.newcomer(world).await),
        };
        Some((apply(world, asker, decision, &ids, written), got))
    }

    /// The user who was not there before.
    async fn newcomer(&self, world: &World) -> Option<String> {
        let all = self.admin.get("/users?limit=-1&fields=id").await.data();
        let ids = all.as_array().expect("a list").iter();
        let mut ids = ids.filter_map(|row| row["id"].as_str());
        ids.find(|id| world.user(id).is_none())
            .map(ToOwned::to_owned)
    }
}

/// The users whom somebody reaches with a filter; nothing if they may not ask.
fn reached(world: &World, rights: &Rights, filter: &Json) -> Option<Vec<String>> {
    let reader = Reader { world, rights };
    if !rights.may(Set::Users, "read") || reader.may_filter(Set::Users, filter).is_err() {
        return None;
    }
    let query = Query {
        filter: Some(filter.clone()),
        ..Query::default()
    };
    let rows = world.rows(Set::Users);
    let rows = rows.filter(|row| rights.shows(world, Set::Users, row, "id"));
    let found = rows.filter(|row| reader.finds(Set::Users, row, &query));
    Some(found.map(|row| key(&row["id"])).collect())
}

/// Does to the world what was done on the server; gives what is read back.
fn apply(
    world: &mut World,
    asker: &Asker,
    decision: &Decision,
    ids: &[String],
    written: Option<Row>,
) -> Outcome {
    let Some(written) = written else {
        for id in ids {
            world.remove_user(id);
        }
        return Outcome::done();
    };
    for id in ids {
        let mut row = world.user(id).cloned().unwrap_or_default();
        row.extend(written.clone());
        row.insert("id".to_owned(), json!(id));
        world.put(Set::Users, row);
    }
    let rights = Rights::of(world, asker.id.as_deref(), asker.address);
    let reader = Reader {
        world,
        rights: &rights,
    };
    let query = Query::default();
    let read = match ids {
        [id] if !matches!(decision, Decision::UpdateBy(..)) => {
            reader.item(Set::Users, &json!(id), &query)
        }
        ids => reader.list(
            Set::Users,
            &Query {
                only: Some(ids.to_vec()),
                ..query
            },
        ),
    };
    match (read.status, decision) {
        (200, _) | (_, Decision::UpdateMe(_)) => read,
        _ => Outcome::done(),
    }
}

async fn ask_list(asker: &Asker, set: Set, query: &Query, by_body: bool) -> Answer {
    if !by_body {
        return asker.get(&set.path(), query).await;
    }
    let search = Method::from_bytes(b"SEARCH").expect("a method");
    let body = json!({ "query": query.json() });
    asker.send(search, &set.path(), Some(&body)).await
}

fn outcome(answer: &Answer) -> Outcome {
    let body = match answer.text.as_str() {
        "" => json!({}),
        text => serde_json::from_str(text).unwrap_or_else(|_| json!({ "data": text })),
    };
    let code = &body["errors"][0]["extensions"]["code"];
    let mut data = body["data"].clone();
    if let Some(rows) = data.as_array_mut() {
        // The rules of the app stand in lists of permissions, and are nobody's.
        rows.retain(|row| row["system"] != true);
    }
    Outcome {
        status: answer.status,
        code: code.as_str().unwrap_or_default().to_owned(),
        data,
        meta: body["meta"].clone(),
    }
}

fn sorted(mut outcome: Outcome) -> Outcome {
    if let Json::Array(rows) = &mut outcome.data {
        rows.sort_by_key(ToString::to_string);
    }
    outcome
}

//! Registrations (contract/users.md §6).

use roster_domain::filter::Uses;
use roster_domain::variables::Variables;
use roster_domain::{
    Action, Code, Collection, Error, Grant, Reason, Result, Status, UserId, Value, email,
};
use roster_storage::recipients;
use roster_storage::settings::{self, Registration};
use serde_json::{Map, Value as Json};
use tokio::time::Instant;

use super::limiter::{self, Tried};
use super::links::{self, Invitation, Judged, Page};
use crate::context::Context;
use crate::login::Body;
use crate::records::write;
use crate::secrets::{Purpose, judge};
use crate::write::commit;
use crate::{Inner, access};

const USERS: Collection = Collection::Users;
/// What everybody may say about themselves.
const OPEN: [&str; 2] = ["first_name", "last_name"];

/// Registers somebody. Whether the address is known shows neither in the answer nor in its time
/// nor in the work: one password is hashed on every path.
pub(crate) async fn run(inner: &Inner, cx: &Context, body: &Json) -> Result<()> {
    let arrival = Instant::now();
    limiter::count(inner, cx, Tried::Register).await?;
    let done = register(inner, cx, body).await;
    let is_malformed = done
        .as_ref()
        .is_err_and(|error| error.code() == &Code::InvalidPayload);
    if !is_malformed {
        tokio::time::sleep_until(arrival + inner.settings.accounts.register_stall).await;
    }
    done
}

async fn register(inner: &Inner, cx: &Context, body: &Json) -> Result<()> {
    let accounts = &inner.settings.accounts;
    let mut body = Body::read(body)?;
    let asked = body.optional("verification_url");
    let what = "verify registered users";
    let own = "/users/register/verify-email";
    let page = Page::choose(inner, asked, &accounts.verify, own, what)?;
    let (address, password) = (body.required("email"), body.required("password"));
    if !address.is_empty() && !email::is_valid(address) {
        body.reasons
            .push("\"email\" must be a valid email".to_owned());
    }
    let further = further(inner, &mut body, &["email", "password", "verification_url"]);
    body.finish()?;
    let registration = settings::registration(&inner.store).await?;
    if !registration.is_open || !admits(cx, &registration, address)? {
        return Err(Error::forbidden());
    }
    judge(inner, password, Some(address)).await?;
    let known = recipients::recipient(&inner.store, &email::key(address)).await?;
    match known {
        None => make(inner, cx, &registration, address, password, further, &page).await,
        Some(recipient) => {
            // The hash that a new user would have cost.
            inner.hasher.verify(password, None).await?;
            if recipient.status != Status::Unverified.as_str() || !registration.verifies_email {
                return Ok(());
            }
            let mut tx = inner.store.begin().await?;
            let invitation = Invitation::to(&recipient, Purpose::Verify, &page);
            links::send(inner, &mut tx, cx, &invitation).await?;
            commit(inner, tx, true).await
        }
    }
}

/// The fields of a body beside its own; others than those allowed are refused by name.
pub(super) fn further(inner: &Inner, body: &mut Body<'_>, own: &[&str]) -> Map<String, Json> {
    let configured = &inner.settings.accounts.register_fields;
    let mut further = Map::new();
    for (name, value) in body.map {
        let is_open = OPEN.contains(&name.as_str()) || configured.contains(name);
        if own.contains(&name.as_str()) {
            continue;
        }
        if is_open {
            further.insert(name.clone(), value.clone());
        } else {
            body.reasons.push(format!("\"{name}\" is not allowed"));
        }
    }
    further
}

/// Whether the operator's filter lets an address in.
fn admits(cx: &Context, registration: &Registration, address: &str) -> Result<bool> {
    let Some(filter) = &registration.email_filter else {
        return Ok(true);
    };
    let (model, nobody) = (&cx.model, Variables::default());
    let filter = access::read_rule(model, &nobody, USERS, filter, Uses::Selection);
    // A filter that cannot be understood lets nobody in, and is the operator's to mend.
    let filter = filter.map_err(|error| Error::internal(format!("email filter: {error}")))?;
    Ok(filter.matches(&|name: &str| match name {
        "email" => Value::from(address),
        _ => Value::Null,
    }))
}

async fn make(
    inner: &Inner,
    cx: &Context,
    registration: &Registration,
    address: &str,
    password: &str,
    further: Map<String, Json>,
    page: &Page,
) -> Result<()> {
    let status = if registration.verifies_email {
        Status::Unverified
    } else {
        Status::Active
    };
    let mut body = further;
    let text = |text: &str| Json::String(text.to_owned());
    body.insert("email".to_owned(), text(address));
    body.insert("password".to_owned(), text(password));
    body.insert("status".to_owned(), text(status.as_str()));
    if let Some(role) = registration.role {
        body.insert("role".to_owned(), text(&role.to_string()));
    }
    let name = |name: &str| body.get(name).and_then(Json::as_str).map(ToOwned::to_owned);
    let names = OPEN.map(name);
    let grant = Grant::system(Reason::Register, Action::Create, USERS);
    let system = cx.as_system(Reason::Register);
    let body = Json::Object(body);
    let ready = write::prepare_user(inner, &system, &grant, &body).await?;
    let id = ready
        .id()
        .ok_or_else(|| Error::internal("a user without an id"))?;
    let invitation = Invitation {
        purpose: Purpose::Verify,
        user: UserId(id),
        email: address,
        language: None,
        generation: None,
        names: [names[0].as_deref(), names[1].as_deref()],
        page,
    };
    let mut tx = inner.store.begin().await?;
    if registration.verifies_email {
        links::send(inner, &mut tx, cx, &invitation).await?;
    }
    let made = write::within(inner, &system, tx, &ready).await;
    inner.delivery.notify_one();
    match made {
        // Somebody was quicker with the same address: they have got the mail.
        Err(error) if is_taken(&error) => Ok(()),
        made => made,
    }
}

/// Whether it is the address that somebody else has.
fn is_taken(error: &Error) -> bool {
    error.problems().iter().all(|problem| {
        let field = problem.extensions.get("field").and_then(Json::as_str);
        problem.code == Code::RecordNotUnique && field == Some("email")
    })
}

/// Proves an address with a token that was mailed; gives the user, who is active then.
pub(crate) async fn verify(inner: &Inner, cx: &Context, token: &str) -> Result<UserId> {
    limiter::count(inner, cx, Tried::Login).await?;
    let spent = || Error::invalid_payload("Invalid verification code");
    let (address, judged) = links::judge(inner, cx, Purpose::Verify, token).await?;
    let Judged::Good(token) = judged else {
        return Err(spent());
    };
    let recipient = recipients::recipient(&inner.store, &email::key(&address)).await?;
    let recipient = recipient.filter(|recipient| {
        recipient.id == token.user && recipient.status == Status::Unverified.as_str()
    });
    let recipient = recipient.ok_or_else(spent)?;
    let system = cx.as_system(Reason::Register);
    let change = serde_json::json!({ "status": Status::Active.as_str() });
    let changes = [(recipient.id.into(), change)];
    let act = Box::pin(write::update_all(
        inner,
        &system,
        Collection::Users,
        &changes,
    ));
    match links::consume(inner, cx, &token, act).await? {
        Some(()) => Ok(recipient.id),
        None => Err(spent()),
    }
}

//! Invitations (contract/users.md §7).

use roster_domain::{Action, Code, Collection, Error, Reason, Result, RoleId, Status, email};
use roster_storage::mail_tokens;
use roster_storage::recipients::{self, Recipient};
use serde_json::{Map, Value as Json, json};

use super::limiter::{self, Tried};
use super::links::{self, Invitation, Judged, Page};
use super::{register, somebody};
use crate::context::Context;
use crate::login::Body;
use crate::records::write;
use crate::secrets::{Purpose, judge};
use crate::write::{Change, commit, record};
use crate::{Inner, access};

const USERS: Collection = Collection::Users;
/// How many addresses are invited at a time.
const MOST: usize = 100;

/// Invites one address or several. Whoever may not make users is told so before anything is looked
/// up, and a page that is not on the list is refused whoever is invited.
pub(crate) async fn run(inner: &Inner, cx: &Context, body: &Json) -> Result<()> {
    access::grant(cx, Action::Create, USERS)?;
    let mut body = Body::read(body)?;
    let further = register::further(inner, &mut body, &["email", "role", "invite_url"]);
    let addresses = addresses(&mut body);
    let role = match body.required("role") {
        "" => None,
        role => RoleId::parse(role),
    };
    if role.is_none() && body.map.get("role").is_some_and(Json::is_string) {
        body.reasons
            .push("\"role\" must be a valid GUID".to_owned());
    }
    let asked = body.optional("invite_url");
    body.finish()?;
    let role = role.ok_or(Code::InvalidPayload)?;
    let mailing = &inner.settings.accounts.invite;
    let page = Page::choose(
        inner,
        asked,
        mailing,
        "/admin/accept-invite",
        "invite users",
    )?;
    for address in addresses {
        invite(inner, cx, address, role, &further, &page).await?;
    }
    Ok(())
}

fn addresses<'a>(body: &mut Body<'a>) -> Vec<&'a str> {
    let found: Vec<Option<&str>> = match body.map.get("email") {
        None | Some(Json::Null) => {
            body.reasons.push("\"email\" is required".to_owned());
            return Vec::new();
        }
        Some(Json::Array(list)) if list.len() > MOST => {
            body.reasons
                .push(format!("\"email\" takes at most {MOST} addresses"));
            return Vec::new();
        }
        Some(Json::Array(list)) => list.iter().map(Json::as_str).collect(),
        Some(one) => vec![one.as_str()],
    };
    let valid = found
        .into_iter()
        .map(|one| one.filter(|a| email::is_valid(a)));
    valid.collect::<Option<Vec<&str>>>().unwrap_or_else(|| {
        body.reasons
            .push("\"email\" must be a valid email".to_owned());
        Vec::new()
    })
}

async fn invite(
    inner: &Inner,
    cx: &Context,
    address: &str,
    role: RoleId,
    further: &Map<String, Json>,
    page: &Page,
) -> Result<()> {
    let key = email::key(address);
    if let Some(recipient) = recipients::recipient(&inner.store, &key).await? {
        return again(inner, cx, &recipient, role, page).await;
    }
    let status = Status::Invited.as_str();
    let mut body = further.clone();
    body.insert("email".to_owned(), address.into());
    body.insert("role".to_owned(), role.to_string().into());
    body.insert("status".to_owned(), status.into());
    write::create_all(inner, cx, USERS, &[Json::Object(body)]).await?;
    // The mail comes after the user: whoever asks again in between mails it again.
    match recipients::recipient(&inner.store, &key).await? {
        Some(recipient) => again(inner, cx, &recipient, role, page).await,
        None => Ok(()),
    }
}

/// Mails those again who are still invited, with another role if there is one. Others are let be.
async fn again(
    inner: &Inner,
    cx: &Context,
    recipient: &Recipient,
    role: RoleId,
    page: &Page,
) -> Result<()> {
    if recipient.status != Status::Invited.as_str() {
        return Ok(());
    }
    if recipient.role != Some(role) {
        let change = json!({ "role": role.to_string() });
        write::update_all(inner, cx, USERS, &[(recipient.id.into(), change)]).await?;
    }
    let mut tx = inner.store.begin().await?;
    let invitation = Invitation::to(recipient, Purpose::Invite, page);
    links::send(inner, &mut tx, cx, &invitation).await?;
    commit(inner, tx, true).await
}

/// Takes the invitations of a user back: their links work no more, the user stays.
pub(crate) async fn revoke(inner: &Inner, cx: &Context, id: &str) -> Result<()> {
    let user = somebody(cx, id)?;
    let mut tx = inner.store.begin().await?;
    let scope = Purpose::Invite.scope();
    if mail_tokens::consume_all(&mut tx, user, scope, cx.now).await? > 0 {
        record(&mut tx, cx, Change::user("invite_revoked", user.0)).await?;
    }
    tx.commit().await
}

/// Accepts an invitation: sets the password, and the status to active.
pub(crate) async fn accept(inner: &Inner, cx: &Context, body: &Json) -> Result<()> {
    limiter::count(inner, cx, Tried::Login).await?;
    let mut body = Body::read(body)?;
    let (token, password) = (body.required("token"), body.required("password"));
    body.finish()?;
    let (address, judged) = links::judge(inner, cx, Purpose::Invite, token).await?;
    let Judged::Good(token) = judged else {
        return Err(Code::InvalidInvite.into());
    };
    let recipient = recipients::recipient(&inner.store, &email::key(&address)).await?;
    let recipient = recipient.filter(|recipient| {
        recipient.id == token.user && recipient.status == Status::Invited.as_str()
    });
    let recipient = recipient.ok_or(Code::InvalidInvite)?;
    judge(inner, password, Some(&recipient.email)).await?;
    let system = cx.as_system(Reason::Invite);
    let change = json!({ "password": password, "status": Status::Active.as_str() });
    let changes = [(recipient.id.into(), change)];
    let act = Box::pin(write::update_all(
        inner,
        &system,
        Collection::Users,
        &changes,
    ));
    let done = links::consume(inner, cx, &token, act).await?;
    done.ok_or_else(|| Error::from(Code::InvalidInvite))
}

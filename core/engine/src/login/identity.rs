//! The user behind an identity: found by provider and identifier there, never by an address.

use roster_domain::{Action, Code, Collection, Grant, Reason, Result, Status};
use roster_sdk::Identity;
use roster_storage::unguarded::{self, Credential};
use serde_json::{Map, Value as Json};

use super::Entry;
use super::admission::{self, Proved};
use super::attempts;
use crate::Inner;
use crate::context::Context;
use crate::records::write;
use crate::registry::LoginSettings;
use crate::write::Attempts;

const USERS: Collection = Collection::Users;

/// The user of an identity that a provider proved, if they may log in and bring the code that they
/// may have to bring. Somebody new becomes a user where the operator wants that.
pub(super) async fn admit(
    inner: &Inner,
    cx: &Context,
    entry: &Entry<'_>,
    settings: &LoginSettings,
    identity: &Identity,
    otp: Option<&str>,
) -> Result<Proved> {
    let credential = match find(inner, entry, identity).await? {
        Some(credential) => Some(credential),
        None if settings.registers => make(inner, cx, entry, settings, identity).await?,
        None => None,
    };
    let Some(credential) = credential else {
        attempts::failed(inner, cx, None, entry, "unknown").await?;
        return Err(Code::InvalidCredentials.into());
    };
    let user = credential.user;
    let is_open = admission::is_open(cx, &credential);
    if !is_open || !attempts::take(inner, cx, user).await? {
        attempts::failed(inner, cx, Some(user), entry, "closed").await?;
        return Err(Code::InvalidCredentials.into());
    }
    admission::second_factor(inner, cx, &credential, entry, otp).await?;
    Ok(Proved {
        credential,
        outdated: None,
    })
}

async fn find(inner: &Inner, entry: &Entry<'_>, identity: &Identity) -> Result<Option<Credential>> {
    let subject = &identity.external_identifier;
    unguarded::credential_of_identity(&inner.store, entry.provider, subject).await
}

/// Makes the user of an identity, through the hooks of any write. Of two first logins at a time one
/// makes them, and both find them.
///
/// # Errors
/// `INVALID_PROVIDER` where somebody else has the address.
async fn make(
    inner: &Inner,
    cx: &Context,
    entry: &Entry<'_>,
    settings: &LoginSettings,
    identity: &Identity,
) -> Result<Option<Credential>> {
    let system = cx.as_system(Reason::Login);
    let grant = Grant::system(Reason::Login, Action::Create, USERS);
    let body = body(entry, settings, identity);
    let mut attempts = Attempts::first();
    let made = loop {
        let making = async {
            cx.effects.forget();
            let ready = write::prepare_user(inner, &system, &grant, &body).await?;
            let tx = inner.store.begin().await?;
            write::within(inner, &system, tx, &ready).await
        };
        let made = making.await;
        if !attempts.again(&made) {
            break made;
        }
    };
    let found = find(inner, entry, identity).await?;
    match made {
        Ok(()) => Ok(found),
        Err(error) if error.code() == &Code::RecordNotUnique => match found {
            Some(found) => Ok(Some(found)),
            None => Err(Code::InvalidProvider.into()),
        },
        Err(error) => Err(error),
    }
}

/// What a new user is made of. Nothing that a provider says gives them a right, and an address that
/// it did not prove is not theirs.
fn body(entry: &Entry<'_>, settings: &LoginSettings, identity: &Identity) -> Json {
    let mut body = Map::new();
    let mut put = |name: &str, value: Option<&str>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            body.insert(name.to_owned(), Json::String(value.to_owned()));
        }
    };
    let address = identity
        .email
        .as_deref()
        .filter(|_| identity.email_verified);
    let role = settings.role.map(|role| role.to_string());
    put("provider", Some(entry.provider));
    put("external_identifier", Some(&identity.external_identifier));
    put("status", Some(Status::Active.as_str()));
    put("role", role.as_deref());
    put("email", address);
    put("first_name", identity.first_name.as_deref());
    put("last_name", identity.last_name.as_deref());
    if !identity.data.is_empty() {
        body.insert("auth_data".to_owned(), Json::Object(identity.data.clone()));
    }
    Json::Object(body)
}

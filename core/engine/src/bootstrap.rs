//! The first administrator, and what the command line does to users.

use std::net::IpAddr;
use std::sync::Arc;

use roster_domain::{
    Action, Collection, Error, Grant, PolicyId, Principal, Reason, Result, Rights, RoleId, email,
};
use roster_storage::{Tx, bootstrap, settings, unguarded};
use serde_json::json;

use crate::context::{Client, Context, Source};
use crate::plugins::Effects;
use crate::secrets::random_secret;
use crate::settings::Secret;
use crate::system::new_id;
use crate::{Inner, records};

/// The administrator that was made on an empty database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstAdministrator {
    /// Their address.
    pub email: String,
    /// Their password, if it was made up and has to be shown once.
    pub password: Option<Secret>,
}

const INVENTED_EMAIL: &str = "admin@example.com";

pub(crate) async fn run(
    inner: &Inner,
    configured: Option<(String, Secret)>,
) -> Result<Option<FirstAdministrator>> {
    if unguarded::has_users(&inner.store).await? {
        return Ok(None);
    }
    let is_configured = configured.is_some();
    let (email, password) = match configured {
        Some(configured) => configured,
        None => (INVENTED_EMAIL.to_owned(), random_secret()?),
    };
    let role = RoleId(new_id(inner.clock.now())?);
    let body = json!({
        "email": email,
        "password": password.expose(),
        "first_name": "Admin",
        "last_name": "User",
        "role": role.to_string(),
    });
    let (cx, grant) = (
        context(inner, Reason::Bootstrap).await?,
        system(Reason::Bootstrap),
    );
    let ready = records::write::prepare_user(inner, &cx, &grant, &body).await?;
    let mut tx = inner.store.begin().await?;
    // Asked again under a lock, so that nodes that start together make one administrator.
    if !bootstrap::is_empty(&mut tx).await? {
        return Ok(None);
    }
    settings::identify(&mut tx, new_id(inner.clock.now())?).await?;
    make_role(inner, &mut tx, role, Reason::Bootstrap).await?;
    records::write::within(inner, &cx, tx, &ready).await?;
    Ok(Some(FirstAdministrator {
        email,
        password: (!is_configured).then_some(password),
    }))
}

pub(crate) async fn create_administrator(
    inner: &Inner,
    email: &str,
    password: &Secret,
) -> Result<()> {
    let existing = unguarded::administrator_role(&inner.store).await?;
    let role = match existing {
        Some(role) => role,
        None => RoleId(new_id(inner.clock.now())?),
    };
    let role_id = role.to_string();
    let body = json!({ "email": email, "password": password.expose(), "role": role_id });
    let (cx, grant) = (
        context(inner, Reason::CommandLine).await?,
        system(Reason::CommandLine),
    );
    let ready = records::write::prepare_user(inner, &cx, &grant, &body).await?;
    let mut tx = inner.store.begin().await?;
    if existing.is_none() {
        make_role(inner, &mut tx, role, Reason::CommandLine).await?;
    }
    records::write::within(inner, &cx, tx, &ready).await
}

pub(crate) async fn set_password(inner: &Inner, email: &str, password: &Secret) -> Result<()> {
    let id = unguarded::user_by_email(&inner.store, &email::key(email)).await?;
    let id =
        id.ok_or_else(|| Error::unprocessable(format!("no user has the address `{email}`")))?;
    let cx = context(inner, Reason::CommandLine).await?;
    let body = json!({ "password": password.expose() });
    records::write::update_all(inner, &cx, Collection::Users, &[(id.into(), body)]).await?;
    crate::login::attempts::clear(inner, id).await
}

fn system(reason: Reason) -> Grant {
    Grant::system(reason, Action::Create, Collection::Users)
}

/// A role that administrates, with its policy.
async fn make_role(inner: &Inner, tx: &mut Tx, role: RoleId, reason: Reason) -> Result<()> {
    let now = inner.clock.now();
    let policy = PolicyId(new_id(now)?);
    let grant = |collection| Grant::system(reason, Action::Create, collection);
    bootstrap::insert_role(tx, &grant(Collection::Roles), role).await?;
    bootstrap::insert_policy(tx, &grant(Collection::Policies), policy).await?;
    bootstrap::attach(tx, &grant(Collection::Access), new_id(now)?, role, policy).await
}

/// The command line acts, which may do anything.
pub(crate) async fn command_line(inner: &Inner) -> Result<Context> {
    context(inner, Reason::CommandLine).await
}

async fn context(inner: &Inner, reason: Reason) -> Result<Context> {
    let source = match reason {
        Reason::CommandLine => Source::CommandLine,
        _ => Source::Bootstrap,
    };
    let client = Client {
        request_id: source.as_str().to_owned(),
        source,
        ip: None::<IpAddr>,
        user_agent: None,
        origin: None,
        only_reads: false,
    };
    Ok(Context {
        principal: Principal::System(reason),
        rights: Arc::new(Rights::default()),
        actor: None,
        impersonator: None,
        is_narrowed: false,
        token: None,
        model: inner.model().await?,
        client: Arc::new(client),
        now: inner.clock.now(),
        effects: Effects::default(),
    })
}

//! API tokens: several per user, each with a name, perhaps an end, addresses it works from, and the
//! policies it is narrowed to.

use std::net::IpAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use roster_domain::{Error, Result, Timestamp, UserId, clock};
use roster_storage::api_tokens::{self, ApiToken};
use roster_storage::unguarded::{self, BearingToken};
use serde::Serialize;
use serde_json::Value as Json;
use uuid::Uuid;

use super::{myself, myself_in_person, somebody};
use crate::accounts::sessions::Owner;
use crate::context::Context;
use crate::login::Body;
use crate::mail::{self, Notice};
use crate::system::{new_id, random};
use crate::write::{Change, commit, record};
use crate::{Inner, access};

/// How every one begins, so that people and scanners recognise it.
const PREFIX: &str = "rst_";
/// How much of one is shown again.
const SHOWN: usize = 12;
/// The longest name, in characters.
const LONGEST_NAME: usize = 100;
/// How many a user may have.
const MOST: usize = 100;
/// How exactly the last use is known.
const USE: TimeDelta = TimeDelta::minutes(1);

/// A token as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedToken {
    /// Its id.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// How it begins.
    pub prefix: String,
    /// The policies it is narrowed to; all that its owner holds where nothing is said.
    pub policies: Option<Vec<String>>,
    /// Addresses and networks it works from; from everywhere when there are none.
    pub ip_access: Vec<String>,
    /// When it was made.
    pub created_at: String,
    /// When it ends, if it does.
    pub expires_at: Option<String>,
    /// When it was used last, to a minute.
    pub last_used_at: Option<String>,
}

/// A token that was just made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewToken {
    /// The token itself, shown this once.
    pub token: String,
    /// What will be listed of it.
    #[serde(flatten)]
    pub listed: ListedToken,
}

/// Whether a token looks like one of these.
pub(crate) fn has_prefix(token: &str) -> bool {
    token.starts_with(PREFIX)
}

/// A token that is presented, if it works from the client's address.
pub(crate) async fn bearer(
    inner: &Inner,
    token: &str,
    ip: Option<IpAddr>,
    now: Timestamp,
) -> Result<Option<BearingToken>> {
    for hash in inner.keys.token_hashes(token) {
        let Some(found) = unguarded::bearer_of_api_token(&inner.store, &hash, now).await? else {
            continue;
        };
        if !admits(found.ip_access.as_deref(), ip) {
            return Ok(None);
        }
        let before = now - USE;
        if found.last_used_at.is_none_or(|last| last < before) {
            let mut tx = inner.store.begin().await?;
            api_tokens::touch(&mut tx, found.id, now, before).await?;
            tx.commit().await?;
        }
        return Ok(Some(found));
    }
    Ok(None)
}

/// The tokens of somebody.
pub(crate) async fn list(
    inner: &Inner,
    cx: &Context,
    owner: Owner<'_>,
) -> Result<Vec<ListedToken>> {
    let user = match owner {
        Owner::Caller => myself(cx)?.0,
        Owner::User(id) => somebody(cx, id)?,
    };
    let tokens = api_tokens::list(&inner.store, user).await?;
    Ok(tokens.iter().map(show).collect())
}

/// Makes a token for the caller, who has to be in a session: a token does not make tokens.
pub(crate) async fn make(inner: &Inner, cx: &Context, body: &Json) -> Result<NewToken> {
    let (user, session) = myself_in_person(cx)?;
    if session.is_none() {
        return Err(Error::forbidden());
    }
    let mut body = Body::read(body)?;
    let name = body.required("name").trim();
    if name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        let reason = format!("\"name\" takes at most {LONGEST_NAME} characters of one line");
        body.reasons.push(reason);
    }
    let expires_at = ends(&mut body, cx.now);
    let ip_access = networks(&mut body);
    let policies = policies(inner, cx, &mut body).await?;
    let known = ["name", "expires_at", "ip_access", "policies"];
    for other in body
        .map
        .keys()
        .filter(|name| !known.contains(&name.as_str()))
    {
        body.reasons.push(format!("\"{other}\" is not allowed"));
    }
    body.finish()?;
    if api_tokens::list(&inner.store, user).await?.len() >= MOST {
        return Err(Error::unprocessable(format!(
            "a user has at most {MOST} tokens"
        )));
    }
    let text = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random::<32>()?));
    let hash = inner.keys.token_hashes(&text).next().unwrap_or_default();
    let token = ApiToken {
        id: new_id(cx.now)?,
        user,
        name: name.to_owned(),
        prefix: text[..SHOWN].to_owned(),
        policies,
        ip_access: (!ip_access.is_empty()).then(|| ip_access.join(",")),
        created_at: cx.now,
        expires_at,
        last_used_at: None,
    };
    let mut tx = inner.store.begin().await?;
    api_tokens::insert(&mut tx, &token, &hash).await?;
    let change = Change {
        detail: Some(&token.name),
        ..Change::user("token_created", user.0)
    };
    record(&mut tx, cx, change).await?;
    let told = mail::notice(inner, &mut tx, cx, user, Notice::Token).await?;
    commit(inner, tx, told).await?;
    Ok(NewToken {
        token: text,
        listed: show(&token),
    })
}

/// Removes a token.
///
/// # Errors
/// `FORBIDDEN` when there is none of that id.
pub(crate) async fn remove(inner: &Inner, cx: &Context, owner: Owner<'_>, id: &str) -> Result<()> {
    let user: UserId = match owner {
        Owner::Caller => myself_in_person(cx)?.0,
        Owner::User(id) => somebody(cx, id)?,
    };
    let id = Uuid::parse_str(id).map_err(|_| Error::forbidden())?;
    let mut tx = inner.store.begin().await?;
    if !api_tokens::remove(&mut tx, user, id).await? {
        return Err(Error::forbidden());
    }
    record(&mut tx, cx, Change::user("token_removed", user.0)).await?;
    tx.commit().await
}

fn ends(body: &mut Body<'_>, now: Timestamp) -> Option<Timestamp> {
    let text = body.optional("expires_at")?;
    let ends = clock::parse(text).filter(|ends| *ends > now);
    if ends.is_none() {
        body.reasons
            .push("\"expires_at\" must be a time to come, in RFC 3339".to_owned());
    }
    ends
}

/// The policies of a body: some that the caller holds. Those of others and those that are not there
/// are refused alike.
async fn policies(inner: &Inner, cx: &Context, body: &mut Body<'_>) -> Result<Option<Vec<Uuid>>> {
    let given = match body.map.get("policies") {
        None | Some(Json::Null) => return Ok(None),
        Some(Json::Array(list)) if (1..=MOST).contains(&list.len()) => list.iter(),
        Some(_) => [].iter(),
    };
    let holdings = match cx.actor {
        Some(actor) => access::holdings(inner, actor).await?,
        None => Arc::default(),
    };
    let is_held = |id: &Uuid| holdings.policies.iter().any(|held| held.policy == *id);
    let held = given.map(|id| Uuid::parse_str(id.as_str()?).ok().filter(is_held));
    let held: Option<Vec<Uuid>> = held.collect();
    let mut held = held.unwrap_or_default();
    held.sort_unstable();
    held.dedup();
    if held.is_empty() {
        let reason = "\"policies\" must be a list of ids of policies that you hold";
        body.reasons.push(reason.to_owned());
    }
    Ok(Some(held))
}

/// The addresses and networks of a body, as they will be stored.
fn networks(body: &mut Body<'_>) -> Vec<String> {
    let given = match body.map.get("ip_access") {
        None | Some(Json::Null) => return Vec::new(),
        Some(Json::Array(list)) => list.iter().map(Json::as_str).collect::<Option<Vec<&str>>>(),
        Some(_) => None,
    };
    let networks = given.filter(|list| list.len() <= MOST && list.iter().all(|n| is_network(n)));
    let Some(networks) = networks else {
        let reason = "\"ip_access\" must be a list of addresses and networks";
        body.reasons.push(reason.to_owned());
        return Vec::new();
    };
    networks.into_iter().map(ToOwned::to_owned).collect()
}

fn is_network(text: &str) -> bool {
    network(text).is_some()
}

/// An address and how many of its bits count.
fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = text
        .split_once('/')
        .map_or((text, None), |(a, b)| (a, Some(b)));
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Some(most), |bits| bits.parse().ok())?;
    (bits <= most).then_some((address, bits))
}

fn admits(rule: Option<&str>, client: Option<IpAddr>) -> bool {
    let Some(rule) = rule.filter(|rule| !rule.is_empty()) else {
        return true;
    };
    let Some(client) = client.map(|ip| ip.to_canonical()) else {
        return false;
    };
    rule.split(',').filter_map(network).any(|(own, bits)| {
        let differing = match (own, client) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                (own.to_bits() ^ other.to_bits()).leading_zeros()
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                (own.to_bits() ^ other.to_bits()).leading_zeros()
            }
            _ => return false,
        };
        differing >= u32::from(bits)
    })
}

fn show(token: &ApiToken) -> ListedToken {
    let networks = token.ip_access.as_deref().unwrap_or_default();
    let policies = token.policies.as_ref();
    let networks = networks.split(',').filter(|network| !network.is_empty());
    ListedToken {
        id: token.id.to_string(),
        name: token.name.clone(),
        prefix: token.prefix.clone(),
        policies: policies.map(|policies| policies.iter().map(ToString::to_string).collect()),
        ip_access: networks.map(ToOwned::to_owned).collect(),
        created_at: clock::format(token.created_at),
        expires_at: token.expires_at.map(clock::format),
        last_used_at: token.last_used_at.map(clock::format),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_works_from_its_addresses_alone() {
        let from = |rule: Option<&str>, ip: &str| admits(rule, ip.parse().ok());

        assert!(from(None, "192.0.2.1"));
        assert!(from(Some("10.0.0.0/8,192.0.2.1"), "192.0.2.1"));
        assert!(from(Some("10.0.0.0/8"), "::ffff:10.1.2.3"));
        assert!(from(Some("2001:db8::/32"), "2001:db8::1"));
        assert!(!from(Some("10.0.0.0/8"), "11.0.0.1"));
        assert!(!from(Some("10.0.0.0/8"), "::1"));
        assert!(!admits(Some("10.0.0.0/8"), None));
        for wrong in ["", "x", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0/8"] {
            assert!(!is_network(wrong), "{wrong}");
        }
    }
}

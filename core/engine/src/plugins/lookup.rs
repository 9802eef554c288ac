use std::collections::HashMap;
use std::sync::Arc;

use roster_domain::access::{Names, Rule};
use roster_domain::query::{Ask, PageLimits, Parameters};
use roster_domain::variables::Variables;
use roster_domain::{
    Action, Code, Collection, Error, Filter, Grant, Principal, Query, Rights, authorize,
};
use roster_sdk::{HostError, HostErrorCode, Record, UserQuery, json};
use roster_storage::records;

use crate::Inner;
use crate::registry::Capabilities;

/// The most users of one lookup.
const MOST: u32 = 100;

/// The users that a plugin looks for, under a grant of its own: by and with the fields it was
/// granted.
pub(crate) async fn find(
    inner: &Inner,
    granted: &Capabilities,
    query: &UserQuery,
) -> Result<Vec<Record>, HostError> {
    let grant = grant(granted).map_err(|error| refused(&error))?;
    let model = inner.model().await.map_err(|error| refused(&error))?;
    let limit = query.limit.unwrap_or(MOST).clamp(1, MOST);
    let mut parameters = Parameters::new();
    if !query.fields.is_empty() {
        parameters.insert("fields".to_owned(), json!(query.fields));
    }
    if !query.sort.is_empty() {
        parameters.insert("sort".to_owned(), json!(query.sort));
    }
    if !query.filter.is_null() {
        parameters.insert("filter".to_owned(), query.filter.clone());
    }
    parameters.insert("limit".to_owned(), json!(limit));
    let variables = Variables::default();
    let ask = Ask {
        model: &model,
        grant: &grant,
        variables: &variables,
        pages: PageLimits {
            default: Some(u64::from(MOST)),
            max: Some(u64::from(MOST)),
        },
    };
    let parsed = Query::parse(&ask, &parameters).map_err(|error| refused(&error))?;
    let found = records::list(&inner.store, &model, &parsed).await;
    let found = found.map_err(|error| refused(&error))?;
    Ok(found.iter().map(|item| Record(item.to_json())).collect())
}

/// What the plugin may read, as the permission of nobody in particular.
fn grant(granted: &Capabilities) -> Result<Grant, Error> {
    // Whoever is called for a record knows its id.
    let fields = granted.fields_read.iter().chain(["id"]);
    let rule = Rule {
        id: None,
        policy: None,
        filter: Filter::Everything,
        fields: Names::of(fields),
        validation: Filter::Everything,
        presets: Parameters::new(),
    };
    let rules = [((Collection::Users, Action::Read), Arc::from([rule]))];
    let rights = Rights {
        rules: HashMap::from(rules),
        ..Rights::default()
    };
    let public = Principal::Public;
    authorize(&public, &Arc::new(rights), Action::Read, Collection::Users)
}

fn refused(error: &Error) -> HostError {
    let code = match error.code() {
        Code::Forbidden => HostErrorCode::Denied,
        Code::ServiceUnavailable => HostErrorCode::Unavailable,
        _ => HostErrorCode::Invalid,
    };
    HostError::new(code, format!("users: {error}"))
}

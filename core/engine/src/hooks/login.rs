//! The hooks of a login whose credentials were proved.

use std::sync::Arc;

use roster_domain::{Collection, Result};
use roster_sdk::{Event, Login, Map, Value as Json};
use uuid::Uuid;

use super::{order, settle, well_formed};
use crate::Inner;
use crate::context::Context;
use crate::convert::{Occasion, visible_json};
use crate::plugins::{CallHost, run};
use crate::system::new_id;

const USERS: Collection = Collection::Users;

/// Runs the hooks of `login.before`, the credentials having been proved.
pub(crate) async fn before_login(
    inner: &Inner,
    cx: &Context,
    id: Uuid,
    user: &Map<String, Json>,
    provider: &str,
    mode: &str,
) -> Result<()> {
    let slots = inner.registry.subscribers(USERS, Event::BeforeLogin);
    let Some(first) = slots.first() else {
        return Ok(());
    };
    let (call, item) = (new_id(cx.now)?, id.to_string());
    let order = order(&slots, USERS, Some(&item), call);
    let host = Arc::clone(&first.host);
    let mut context = Occasion::of(cx).context(call, Event::BeforeLogin, USERS, Some(item), host);
    for slot in slots.iter() {
        let Some(hooks) = &slot.instance.hooks else {
            continue;
        };
        let host = CallHost::before(slot, cx, order.as_deref());
        context.host = Arc::clone(&host) as _;
        let login = Login {
            user: roster_sdk::Record(visible_json(slot, cx.model.users(), user)),
            provider: provider.to_owned(),
            mode: mode.to_owned(),
        };
        let calling = async {
            let answer = hooks.before_login(&context, &login).await;
            answer.map_err(well_formed)
        };
        let answer = run(slot, Event::BeforeLogin, calling).await;
        if settle(slot, Event::BeforeLogin, answer)?.is_some() {
            host.keep();
        }
    }
    Ok(())
}

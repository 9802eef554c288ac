//! Who is signed in, and what they can do about it.

use poem::Response;
use roster_domain::Error;
use roster_engine::Overview;
use serde_json::json;

use super::visit::{Facts, Visit, facts, text};
use super::words::Asked;

const ASKED_PASSWORD: Asked = Asked {
    fields: &["password"],
    refused: "The password is not right.",
};
const ASKED_CODE: Asked = Asked {
    fields: &["otp"],
    refused: "Too many wrong codes.",
};

/// The page; those who have to set up a second factor are sent there.
pub(super) async fn show(visit: &Visit<'_>) -> Result<Response, Error> {
    let Some(overview) = overview(visit).await? else {
        return Ok(visit.go("login"));
    };
    if overview.must_set_up {
        return Ok(visit.go("tfa-setup"));
    }
    let mut known = known(&overview);
    known.extend([text("done", &visit.parameter("done"))]);
    visit.show("account", known).await
}

/// What the page shows, if somebody is signed in.
pub(super) async fn overview(visit: &Visit<'_>) -> Result<Option<Overview>, Error> {
    if !visit.is_known() {
        return Ok(None);
    }
    visit.engine.overview(visit.cx).await.map(Some)
}

/// An overview as templates take it.
pub(super) fn known(overview: &Overview) -> Facts {
    facts(json!({
        "email": overview.email,
        "name": overview.name,
        "has_second_factor": overview.has_second_factor,
        "must_set_up": overview.must_set_up,
        "is_local": overview.is_local,
    }))
}

/// Turns the second factor off.
pub(super) async fn disable(visit: &Visit<'_>) -> Result<Response, Error> {
    let Some(overview) = overview(visit).await? else {
        return Ok(visit.go("login"));
    };
    let body = json!({ "otp": visit.field("otp") });
    match visit.engine.disable_second_factor(visit.cx, &body).await {
        Ok(()) => Ok(visit.go("account?done=tfa-off")),
        Err(error) => {
            visit
                .again("account", known(&overview), error, &ASKED_CODE)
                .await
        }
    }
}

/// Makes new recovery codes and shows them, this once.
pub(super) async fn recovery_codes(visit: &Visit<'_>) -> Result<Response, Error> {
    let Some(overview) = overview(visit).await? else {
        return Ok(visit.go("login"));
    };
    let body = json!({ "password": visit.field("password") });
    match visit.engine.make_recovery_codes(visit.cx, &body).await {
        Ok(codes) => {
            visit
                .show("recovery-codes", facts(json!({ "codes": codes })))
                .await
        }
        Err(error) => {
            visit
                .again("account", known(&overview), error, &ASKED_PASSWORD)
                .await
        }
    }
}

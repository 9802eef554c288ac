//! Setting up a second factor: the password, the picture with a code of it, the recovery codes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use poem::Response;
use roster_domain::Error;
use roster_engine::{Overview, Proposal};
use serde_json::json;

use super::account::{known, overview};
use super::visit::{Facts, Visit, facts};
use super::words::Asked;

const ASKED_PASSWORD: Asked = Asked {
    fields: &["password"],
    refused: "The password is not right.",
};
const ASKED_CODE: Asked = Asked {
    fields: &["otp"],
    refused: "This is refused.",
};

/// Somebody who has none yet; others are sent where they belong.
async fn newcomer(visit: &Visit<'_>) -> Result<Result<Overview, Response>, Error> {
    Ok(match overview(visit).await? {
        None => Err(visit.go("login")),
        Some(overview) if overview.has_second_factor => Err(visit.go("account")),
        Some(overview) => Ok(overview),
    })
}

/// Asks for the password.
pub(super) async fn show(visit: &Visit<'_>) -> Result<Response, Error> {
    match newcomer(visit).await? {
        Ok(overview) => visit.show("tfa-setup", known(&overview)).await,
        Err(elsewhere) => Ok(elsewhere),
    }
}

/// Gives out a secret.
pub(super) async fn propose(visit: &Visit<'_>) -> Result<Response, Error> {
    let overview = match newcomer(visit).await? {
        Ok(overview) => overview,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let body = json!({ "password": visit.field("password"), "qr": true });
    match visit.engine.propose_second_factor(visit.cx, &body).await {
        Ok(proposal) => visit.show("tfa-confirm", shown(&proposal)).await,
        Err(error) => {
            let known = known(&overview);
            visit
                .again("tfa-setup", known, error, &ASKED_PASSWORD)
                .await
        }
    }
}

/// Enables it with a code, and shows the recovery codes.
pub(super) async fn confirm(visit: &Visit<'_>) -> Result<Response, Error> {
    if let Err(elsewhere) = newcomer(visit).await? {
        return Ok(elsewhere);
    }
    let (engine, cx, secret) = (visit.engine, visit.cx, visit.field("secret"));
    let body = json!({ "secret": secret, "otp": visit.field("otp") });
    match engine.enable_second_factor_with_codes(cx, &body).await {
        Ok(codes) => {
            visit
                .show("recovery-codes", facts(json!({ "codes": codes })))
                .await
        }
        Err(error) => {
            let proposal = engine.show_second_factor(cx, secret).await?;
            visit
                .again("tfa-confirm", shown(&proposal), error, &ASKED_CODE)
                .await
        }
    }
}

fn shown(proposal: &Proposal) -> Facts {
    let picture = proposal.qr.as_deref().unwrap_or_default();
    facts(json!({
        "secret": proposal.secret,
        "otpauth_url": proposal.otpauth_url,
        "qr": STANDARD.encode(picture),
    }))
}

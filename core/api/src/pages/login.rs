//! Logging in, in one step or two, and out.

use poem::Response;
use roster_domain::{Code, Error};
use serde_json::json;

use super::visit::{Facts, Visit, text};
use super::words::Asked;
use crate::cookies;

const ASKED: Asked = Asked {
    fields: &["email", "password"],
    refused: "The e-mail address or the password is not right.",
};
const ASKED_CODE: Asked = Asked {
    fields: &["otp"],
    refused: "The e-mail address or the password is not right.",
};

/// The form, unless somebody is signed in.
pub(super) async fn show(visit: &Visit<'_>) -> Result<Response, Error> {
    if visit.is_known() {
        return Ok(visit.go("account"));
    }
    let done = visit.parameter("done");
    visit
        .show("login", Facts::from_iter([text("done", &done)]))
        .await
}

/// Logs in. Where a code is asked for, the next page asks for it and brings back, encrypted, what
/// was entered on the first: both steps are the one login that the API has.
pub(super) async fn send(visit: &Visit<'_>) -> Result<Response, Error> {
    let held = visit.field("held");
    let released = match held {
        "" => Ok((
            visit.field("email").to_owned(),
            visit.field("password").to_owned(),
        )),
        held => visit.engine.held_login(visit.cx, held),
    };
    let (email, password) = match released {
        Ok(entered) => entered,
        Err(error) => {
            return visit
                .again("login", Facts::new(), too_late(&error), &ASKED)
                .await;
        }
    };
    let otp = visit.field("otp");
    let mut body = json!({ "email": email.trim(), "password": password, "mode": "session" });
    if !otp.is_empty() {
        body["otp"] = otp.into();
    }
    let error = match visit.engine.login(visit.cx, &body).await {
        Ok(tokens) => {
            let mut response = visit.go("account");
            cookies::put(&mut response, visit.jar.hand_over(&tokens));
            return Ok(response);
        }
        Err(error) => error,
    };
    if *error.code() != Code::InvalidOtp {
        let entered = Facts::from_iter([text("email", &email)]);
        return visit.again("login", entered, error, &ASKED).await;
    }
    let held = visit.engine.hold_login(visit.cx, &email, &password)?;
    let known = Facts::from_iter([text("held", &held)]);
    if otp.is_empty() {
        visit.show("code", known).await
    } else {
        visit.again("code", known, error, &ASKED_CODE).await
    }
}

/// Too much time went by between the two steps.
fn too_late(error: &Error) -> Error {
    let problem = roster_domain::Problem::new(error.code().clone());
    Error::from(problem.saying("That took too long. Log in again."))
}

/// Ends the session.
pub(super) async fn leave(visit: &Visit<'_>) -> Result<Response, Error> {
    let brought = visit.cookies();
    if brought.session.is_some() {
        let body = json!({ "mode": "session" });
        visit.engine.logout(visit.cx, &body, &brought).await?;
    }
    let mut response = visit.go("login?done=out");
    cookies::put(&mut response, visit.jar.remove_session());
    Ok(response)
}

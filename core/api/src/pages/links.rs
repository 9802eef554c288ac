//! Where links of mails lead: accepting an invitation, choosing a new password, and asking for a
//! mail to do so.

use poem::Response;
use roster_domain::{Code, Error};
use roster_engine::Link;
use serde_json::{Value as Json, json};

use super::visit::{Facts, Visit, text};
use super::words::Asked;

/// A page behind a link.
#[derive(Clone, Copy)]
pub(super) struct Way {
    link: Link,
    page: &'static str,
    /// What the login page says afterwards.
    done: &'static str,
}

pub(super) const INVITATION: Way = Way {
    link: Link::Invitation,
    page: "accept-invite",
    done: "login?done=accepted",
};
pub(super) const RESET: Way = Way {
    link: Link::Reset,
    page: "reset-password",
    done: "login?done=reset",
};

const ASKED: Asked = Asked {
    fields: &["password"],
    refused: "This link does not work any more.",
};
const ASKED_ADDRESS: Asked = Asked {
    fields: &["email"],
    refused: "This is refused.",
};

/// The form, for the address that the link was mailed to.
pub(super) async fn show(visit: &Visit<'_>, way: Way) -> Result<Response, Error> {
    let token = visit.parameter("token");
    if token.is_empty() && way.link == Link::Reset {
        return Ok(visit.go("forgot-password"));
    }
    let known = known(visit, way, &token).await?;
    visit.show(way.page, known).await
}

/// Sets the password. The token is used up with it, and comes back to the form as long as it is not.
pub(super) async fn send(visit: &Visit<'_>, way: Way) -> Result<Response, Error> {
    let token = visit.field("token");
    let body = json!({ "token": token, "password": visit.field("password") });
    let done = match way.link {
        Link::Invitation => visit.engine.accept_invitation(visit.cx, &body).await,
        Link::Reset => visit.engine.reset_password(visit.cx, &body).await,
    };
    let error = match done {
        Ok(()) => return Ok(visit.go(way.done)),
        Err(error) => error,
    };
    let is_link = [
        Code::InvalidToken,
        Code::TokenExpired,
        Code::Forbidden,
        Code::InvalidInvite,
    ];
    if token.is_empty() || is_link.contains(error.code()) {
        return Err(error);
    }
    let known = known(visit, way, token).await?;
    visit.again(way.page, known, error, &ASKED).await
}

async fn known(visit: &Visit<'_>, way: Way, token: &str) -> Result<Facts, Error> {
    let email = visit.engine.addressee(visit.cx, way.link, token).await?;
    Ok(Facts::from_iter([
        text("email", &email),
        text("token", token),
    ]))
}

/// Mails a link to choose a new password, if there is somebody to mail it to; what is said is the
/// same either way.
pub(super) async fn ask(visit: &Visit<'_>) -> Result<Response, Error> {
    let email = visit.field("email").trim();
    let body = json!({ "email": Json::from(email) });
    match visit.engine.request_password_reset(visit.cx, &body).await {
        Ok(()) => Ok(visit.go("login?done=asked")),
        Err(error) => {
            let entered = Facts::from_iter([text("email", email)]);
            visit
                .again("forgot-password", entered, error, &ASKED_ADDRESS)
                .await
        }
    }
}

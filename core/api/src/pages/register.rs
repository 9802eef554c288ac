//! Registering, where the settings let strangers do that.

use poem::Response;
use roster_domain::{Code, Error};
use serde_json::{Map, Value as Json};

use super::visit::{Facts, Visit, text};
use super::words::Asked;

const ASKED: Asked = Asked {
    fields: &["email", "first_name", "last_name", "password"],
    refused: "Nobody can register with this address.",
};

/// The form; there is no such page where nobody may register.
pub(super) async fn show(visit: &Visit<'_>) -> Result<Response, Error> {
    let info = visit.engine.info(visit.cx).await?;
    if info["project"]["public_registration"] != Json::Bool(true) {
        return Err(Code::RouteNotFound.into());
    }
    visit.show("register", Facts::new()).await
}

/// Registers. What is said is the same for an address that is known.
pub(super) async fn send(visit: &Visit<'_>) -> Result<Response, Error> {
    let names = ["first_name", "last_name"].map(|name| (name, visit.field(name).trim()));
    let given = names.into_iter().filter(|(_, value)| !value.is_empty());
    let email = text("email", visit.field("email").trim());
    let mut body: Map<String, Json> = given.map(|(name, value)| text(name, value)).collect();
    body.extend([email.clone(), text("password", visit.field("password"))]);
    match visit.engine.register(visit.cx, &Json::Object(body)).await {
        Ok(()) => Ok(visit.go("login?done=registered")),
        Err(error) => {
            let names = names.into_iter().map(|(name, value)| text(name, value));
            let entered: Facts = names.chain([email]).collect();
            visit.again("register", entered, error, &ASKED).await
        }
    }
}

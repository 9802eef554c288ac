//! `/admin`: pages for people, so that an installation works before anybody wrote a front end.
//!
//! Plain forms without scripts over the use cases that the API has too; what they refuse, they
//! refuse in the same way, in words. Nobody is sent anywhere but to another of these pages.

mod account;
mod links;
mod login;
mod refused;
mod register;
mod second_factor;
mod visit;
mod words;

use poem::endpoint::make_sync;
use poem::http::{HeaderValue, Method, header};
use poem::{Endpoint, EndpointExt, Request, Response, Result};
use roster_domain::Error;
use roster_engine::Engine;

use crate::body;
use crate::envelope;
use crate::error::Failure;
use crate::routes::Methods;

pub(crate) use refused::Worded;

use visit::Visit;

/// Where the stylesheet is, which nobody has to be known for.
pub(crate) const STYLE: &str = "/admin/pages.css";

/// One of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Home,
    Login,
    Logout,
    ForgotPassword,
    ResetPassword,
    AcceptInvite,
    Register,
    Verified,
    Account,
    TfaSetup,
    TfaConfirm,
    TfaDisable,
    RecoveryCodes,
}

/// Every page; those of mails' links are where the links of Directus lead.
const PLACES: [(&str, Place); 13] = [
    ("/admin", Place::Home),
    ("/admin/login", Place::Login),
    ("/admin/logout", Place::Logout),
    ("/admin/forgot-password", Place::ForgotPassword),
    ("/admin/reset-password", Place::ResetPassword),
    ("/admin/accept-invite", Place::AcceptInvite),
    ("/admin/register", Place::Register),
    ("/admin/users/:id", Place::Verified),
    ("/admin/account", Place::Account),
    ("/admin/tfa-setup", Place::TfaSetup),
    ("/admin/tfa-confirm", Place::TfaConfirm),
    ("/admin/tfa-disable", Place::TfaDisable),
    ("/admin/recovery-codes", Place::RecoveryCodes),
];

/// What all pages stand on.
#[derive(Clone)]
pub(crate) struct Desk {
    engine: Engine,
    /// Whether browsers reach the server over TLS, as far as is known.
    is_secure: bool,
}

impl Desk {
    /// The desk of a server at this address.
    pub(crate) fn new(engine: Engine, public_url: &str) -> Self {
        Self {
            engine,
            is_secure: public_url.starts_with("https://"),
        }
    }
}

/// The routes of the pages.
pub(crate) fn routes(desk: &Desk) -> Vec<(&'static str, Methods)> {
    let page = |(path, place): (&'static str, Place)| {
        let methods: &[Method] = match place {
            Place::Home | Place::Verified => &[Method::GET],
            _ => &[Method::GET, Method::POST],
        };
        let table = methods.iter().map(|method| {
            let page = Page {
                desk: desk.clone(),
                place,
            };
            (method.clone(), page.boxed())
        });
        (path, Methods::new(path, table.collect()))
    };
    let style = vec![(Method::GET, make_sync(|_| style()).boxed())];
    let pages = PLACES.into_iter().map(page);
    pages.chain([(STYLE, Methods::new(STYLE, style))]).collect()
}

fn style() -> Response {
    let kind = HeaderValue::from_static("text/css; charset=utf-8");
    let mut response = envelope::with_type(kind, include_str!("pages/pages.css"));
    let caching = HeaderValue::from_static("no-cache");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, caching);
    response
}

/// A page, shown or sent back.
struct Page {
    desk: Desk,
    place: Place,
}

impl Endpoint for Page {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let (request, mut body) = request.split();
        let mut visit = Visit::of(&self.desk, &request)?;
        if request.method() == Method::POST {
            // Also without a cookie: nobody is logged in as somebody else by another site.
            visit.jar.check_origin(&request).map_err(Failure)?;
            visit.fill(&body::form(&request, &mut body).await?)?;
            Ok(send(self.place, &visit).await.map_err(Failure)?)
        } else {
            Ok(show(self.place, &visit).await.map_err(Failure)?)
        }
    }
}

async fn show(place: Place, visit: &Visit<'_>) -> Result<Response, Error> {
    match place {
        Place::Login => login::show(visit).await,
        Place::ForgotPassword => visit.show("forgot-password", visit::none()).await,
        Place::ResetPassword => links::show(visit, links::RESET).await,
        Place::AcceptInvite => links::show(visit, links::INVITATION).await,
        Place::Register => register::show(visit).await,
        Place::Verified => visit.show("verified", visit::none()).await,
        Place::Account => account::show(visit).await,
        Place::TfaSetup => second_factor::show(visit).await,
        // Where a form was sent to and its answer is loaded again.
        Place::Home
        | Place::Logout
        | Place::TfaConfirm
        | Place::TfaDisable
        | Place::RecoveryCodes => Ok(visit.go("account")),
    }
}

async fn send(place: Place, visit: &Visit<'_>) -> Result<Response, Error> {
    match place {
        Place::Login => login::send(visit).await,
        Place::Logout => login::leave(visit).await,
        Place::ForgotPassword => links::ask(visit).await,
        Place::ResetPassword => links::send(visit, links::RESET).await,
        Place::AcceptInvite => links::send(visit, links::INVITATION).await,
        Place::Register => register::send(visit).await,
        Place::TfaSetup => second_factor::propose(visit).await,
        Place::TfaConfirm => second_factor::confirm(visit).await,
        Place::TfaDisable => account::disable(visit).await,
        Place::RecoveryCodes => account::recovery_codes(visit).await,
        Place::Home | Place::Verified | Place::Account => Ok(visit.go("account")),
    }
}

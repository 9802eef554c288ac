//! `[plugins.<name>.login]`: what logins by an auth provider come to.

use roster_domain::RoleId;

use super::network::page;
use super::raw::{Bad, Raw, choice, flag, list, text_or_none};
use super::reader::Reader;

/// `[plugins.<name>.login]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// What people read.
    pub label: Option<String>,
    /// Its icon.
    pub icon: Option<String>,
    /// How tokens are handed over after a redirect.
    pub mode: LoginMode,
    /// Whether somebody who is not known yet becomes a user.
    pub register: bool,
    /// The role of such a user.
    pub role: Option<RoleId>,
    /// The pages, beside those of our own origin, that a login may end on.
    pub redirect_urls: Vec<String>,
}

/// How tokens are handed over after a redirect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginMode {
    /// In a session cookie.
    Session,
    /// In a refresh cookie.
    Cookie,
}

impl Login {
    pub(super) fn read(reader: &mut Reader, section: &str) -> Self {
        const MODES: &[(&str, LoginMode)] = &[
            ("session", LoginMode::Session),
            ("cookie", LoginMode::Cookie),
        ];
        let at = |key: &str| format!("{section}.{key}");
        Self {
            label: reader.read(&at("label"), text_or_none),
            icon: reader.read(&at("icon"), text_or_none),
            mode: reader.read(&at("mode"), choice(MODES)),
            register: reader.read(&at("register"), flag),
            role: reader.read(&at("role"), role),
            redirect_urls: reader.read(&at("redirect_urls"), list(page)),
        }
    }
}

impl Default for Login {
    fn default() -> Self {
        Self {
            label: None,
            icon: None,
            mode: LoginMode::Session,
            register: false,
            role: None,
            redirect_urls: Vec::new(),
        }
    }
}

fn role(raw: &Raw<'_>) -> Result<Option<RoleId>, Bad> {
    let Some(text) = text_or_none(raw)? else {
        return Ok(None);
    };
    let id = RoleId::parse(&text).map(Some);
    id.ok_or_else(|| Bad::expected("the id of a role, a UUID"))
}

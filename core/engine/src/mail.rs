//! Mails: rendered from templates, written into the outbox in the transaction they belong to.

mod letter;
mod notices;
mod preview;
mod templates;

pub(crate) use letter::{Letter, MAIL, open, post};
pub(crate) use notices::{Notice, changed, notice};
pub use preview::{MAILS, Preview, preview};
pub(crate) use templates::Templates;

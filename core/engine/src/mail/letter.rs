//! One mail, from its template into the outbox.

use roster_domain::{Collection, Error, Result, UserId};
use roster_sdk::Message;
use roster_storage::Tx;
use roster_storage::outbox::{self, Delivery, Entry};
use roster_storage::settings::{self, Brand};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::Inner;
use crate::context::Context;
use crate::system::new_id;
use crate::trace;

/// The event name of mails in the outbox.
pub(crate) const MAIL: &str = "mail.send";

/// A mail that is to be written.
pub(crate) struct Letter<'a> {
    /// The name of its template.
    pub(crate) template: &'static str,
    /// The user it is about.
    pub(crate) user: UserId,
    /// The address it goes to: one that is stored.
    pub(crate) to: &'a str,
    /// The language of the user, if they chose one.
    pub(crate) language: Option<&'a str>,
    /// What the template is told beside the project.
    pub(crate) facts: Map<String, Json>,
    /// Whether somebody who reads it could act for the user.
    pub(crate) has_token: bool,
}

/// Writes a mail into the outbox. One with a token in it is encrypted until it is sent.
pub(crate) async fn post(
    inner: &Inner,
    tx: &mut Tx,
    cx: &Context,
    letter: Letter<'_>,
) -> Result<()> {
    let brand = settings::brand(tx).await?;
    let id = new_id(cx.now)?;
    let message = render(inner, &brand, id, &letter)?;
    let mut payload = serde_json::to_value(&message).map_err(Error::internal)?;
    if letter.has_token {
        let sealed = inner.keys.lock(&place(id), &payload.to_string())?;
        payload = json!({ "sealed": sealed });
    }
    trace::keep(&mut payload);
    let entry = Entry {
        id,
        kind: "mail".to_owned(),
        event: MAIL.to_owned(),
        collection: Collection::Users.table().to_owned(),
        item: letter.user.to_string(),
        user: Some(letter.user.0),
        payload,
        created_at: cx.now,
    };
    outbox::enqueue(tx, &entry, std::slice::from_ref(&inner.settings.mailer)).await
}

/// The message of a delivery, decrypted if it has to be.
pub(crate) fn open(inner: &Inner, delivery: &Delivery) -> Result<Message> {
    let payload = &delivery.entry.payload;
    let read = match payload.get("sealed").and_then(Json::as_str) {
        Some(sealed) => {
            let text = inner.keys.unlock(&place(delivery.entry.id), sealed)?;
            serde_json::from_str(&text)
        }
        None => serde_json::from_value(payload.clone()),
    };
    read.map_err(Error::internal)
}

fn place(id: Uuid) -> String {
    format!("mail {id}")
}

fn render(inner: &Inner, brand: &Brand, id: Uuid, letter: &Letter<'_>) -> Result<Message> {
    let languages = [letter.language, Some(brand.language.as_str())];
    let mut facts = letter.facts.clone();
    let shown = json!({
        "project_name": brand.name,
        "project_url": brand.url,
        "project_color": brand.color,
        "email": letter.to,
    });
    facts.extend(shown.as_object().cloned().unwrap_or_default());
    let languages: Vec<&str> = languages.into_iter().flatten().collect();
    let written = inner
        .templates
        .render(letter.template, &languages, &facts)?;
    Ok(Message {
        id: id.to_string(),
        from: inner.settings.mail_from.clone(),
        to: vec![letter.to.to_owned()],
        subject: written.subject,
        text: written.text,
        html: Some(written.html),
    })
}

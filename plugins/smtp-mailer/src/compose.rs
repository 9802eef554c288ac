use lettre::message::{Mailbox, MultiPart, SinglePart};
use roster_sdk::{Failure, Message};

/// The mail a message stands for.
pub(crate) fn compose(message: &Message) -> Result<lettre::Message, Failure> {
    let Message {
        id,
        from,
        to,
        subject,
        text,
        html,
    } = message;
    one_line("id", id)?;
    one_line("subject", subject)?;
    let from = mailbox("from", from)?;
    let domain = from.email.domain().to_owned();
    let mut mail = lettre::Message::builder()
        .from(from)
        .subject(subject)
        .message_id(Some(format!("<{id}@{domain}>")));
    for address in to {
        mail = mail.to(mailbox("to", address)?);
    }
    let mail = match html {
        Some(html) => mail.multipart(MultiPart::alternative_plain_html(
            text.clone(),
            html.clone(),
        )),
        None => mail.singlepart(SinglePart::plain(text.clone())),
    };
    mail.map_err(|error| Failure::new(format!("message: {error}")))
}

fn mailbox(field: &str, address: &str) -> Result<Mailbox, Failure> {
    one_line(field, address)?;
    address
        .parse()
        .map_err(|error| Failure::new(format!("{field} `{address}`: {error}")))
}

/// A line break would end the header and begin one of the caller's choice.
fn one_line(field: &str, text: &str) -> Result<(), Failure> {
    if text.contains(['\r', '\n', '\0']) {
        return Err(Failure::new(format!("{field}: expected one line")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        Message {
            id: "0197a2b0-0000-7000-8000-00000000a001".to_owned(),
            from: "Roster <no-reply@example.com>".to_owned(),
            to: vec!["ada@example.com".to_owned()],
            subject: "Grüße".to_owned(),
            text: "Hello Ada".to_owned(),
            html: None,
        }
    }

    fn refusal(message: &Message) -> String {
        compose(message).expect_err("it must be refused").reason
    }

    #[test]
    fn a_redelivered_message_keeps_its_id() {
        let mail = compose(&message()).expect("a mail").formatted();

        let mail = String::from_utf8(mail).expect("text");
        let id = "Message-ID: <0197a2b0-0000-7000-8000-00000000a001@example.com>\r\n";
        assert!(mail.contains(id), "{mail}");
    }

    #[test]
    fn text_and_html_are_alternatives() {
        let message = Message {
            html: Some("<b>Hello Ada</b>".to_owned()),
            ..message()
        };

        let mail = String::from_utf8(compose(&message).expect("a mail").formatted()).expect("text");

        assert!(
            mail.contains("Content-Type: multipart/alternative"),
            "{mail}"
        );
        let (plain, html) = (
            mail.find("\r\nHello Ada\r\n"),
            mail.find("<b>Hello Ada</b>"),
        );
        assert!(plain.is_some() && plain < html, "{mail}");
    }

    #[test]
    fn a_line_break_is_refused_wherever_a_header_could_be_slipped_in() {
        let evil = "x\r\nBcc: eve@example.com".to_owned();
        let message = message();

        let subject = refusal(&Message {
            subject: evil.clone(),
            ..message.clone()
        });
        let from = refusal(&Message {
            from: format!("{evil} <a@b.c>"),
            ..message.clone()
        });
        let to = refusal(&Message {
            to: vec!["a@b.c\nBcc: d@e.f".to_owned()],
            ..message.clone()
        });
        let id = refusal(&Message {
            id: evil,
            ..message
        });

        let refused = ["subject", "from", "to", "id"].map(|it| format!("{it}: expected one line"));
        assert_eq!([subject, from, to, id], refused);
    }

    #[test]
    fn a_wrong_address_and_a_missing_one_are_named() {
        let message = message();

        let wrong = refusal(&Message {
            to: vec!["ada".to_owned()],
            ..message.clone()
        });
        let missing = refusal(&Message {
            to: Vec::new(),
            ..message
        });

        assert!(wrong.starts_with("to `ada`: "), "{wrong}");
        assert!(missing.starts_with("message: "), "{missing}");
    }
}

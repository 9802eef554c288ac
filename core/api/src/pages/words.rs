//! What is wrong, for people: the same refusals that the API makes, in sentences.

use roster_domain::{Code, Error, Problem};
use serde_json::{Value as Json, json};

use crate::cookies::ELSEWHERE;
use crate::error;

/// What a form asked for, and what it means that its credentials are refused.
pub(super) struct Asked {
    /// Its fields.
    pub(super) fields: &'static [&'static str],
    /// Said of credentials that are not right.
    pub(super) refused: &'static str,
}

/// Said of a code that is not right.
const CODE: &str = "This code is not right. A code changes every 30 seconds and works once.";
const LINK: (&str, &str) = (
    "This link does not work any more",
    "It was used, taken back, or it is too old. Ask for another one.",
);

/// The problems of an error, as templates show them: beside a field, or above the form.
pub(super) fn problems(error: &Error, asked: &Asked) -> Json {
    let told = error.problems().iter().flat_map(|problem| {
        let said = say(problem, error, asked).into_iter();
        said.map(|(field, text)| {
            let field = field.filter(|field| asked.fields.contains(&field.as_str()));
            json!({ "field": field, "text": text })
        })
    });
    told.collect()
}

/// The sentences about a problem, each with its field.
fn say(problem: &Problem, error: &Error, asked: &Asked) -> Vec<(Option<String>, String)> {
    let message = problem.message.as_str();
    let field = problem.extensions.get("field").and_then(Json::as_str);
    let field = field.map(ToOwned::to_owned);
    let one = match problem.code {
        Code::InvalidCredentials => {
            let only_password = !asked.fields.contains(&"email");
            let field = only_password.then(|| "password".to_owned());
            (field, asked.refused.to_owned())
        }
        Code::InvalidOtp => (Some("otp".to_owned()), CODE.to_owned()),
        Code::InvalidPayload => {
            let reasons = message.strip_prefix("Invalid payload. ");
            let reasons = reasons.unwrap_or(message).trim_end_matches('.');
            return reasons.split(". ").map(reason).collect();
        }
        Code::FailedValidation => {
            let clause = message.split_once("\". ").map_or(message, |(_, rest)| rest);
            let text = match (clause.strip_prefix("Value "), &field) {
                (Some(rest), Some(field)) => format!("{} {rest}", name(field)),
                _ => clause.to_owned(),
            };
            (field, text)
        }
        Code::RequestsExceeded => (None, later(error)),
        Code::Forbidden => (None, asked.refused.to_owned()),
        _ => (field, message.to_owned()),
    };
    vec![one]
}

/// A reason such as `"email" must be a valid email`.
fn reason(text: &str) -> (Option<String>, String) {
    let named = text
        .strip_prefix('"')
        .and_then(|text| text.split_once("\" "));
    match named {
        Some(("otp", _)) => (Some("otp".to_owned()), CODE.to_owned()),
        Some((field, rest)) => (Some(field.to_owned()), format!("{} {rest}.", name(field))),
        None => (None, format!("{text}.")),
    }
}

/// What people call a field.
fn name(field: &str) -> String {
    match field {
        "email" => "The address".to_owned(),
        "password" => "The password".to_owned(),
        field => format!("The value of `{field}`"),
    }
}

fn later(error: &Error) -> String {
    let seconds = error::wait(error).unwrap_or(60);
    format!("Too many tries. Try again in {seconds} seconds.")
}

/// The title and the sentence of a page that says no. `is_link` is whether a mail led there.
pub(super) fn refusal(error: &Error, is_link: bool) -> (&'static str, String) {
    let is_elsewhere = error.problems().iter().any(|p| p.message == ELSEWHERE);
    let (title, text) = match error.code() {
        Code::Forbidden if is_elsewhere => (
            "This form came from somewhere else",
            "Open the page itself and send it from there.",
        ),
        Code::RequestsExceeded => return ("Too many tries", later(error)),
        Code::RouteNotFound => ("There is no such page", "Check the address."),
        Code::ServiceUnavailable => ("Not available", "Try again in a moment."),
        _ if error.status() >= 500 => (
            "Something went wrong",
            "It is not your fault. Try again, or tell whoever runs this server.",
        ),
        _ if is_link => LINK,
        Code::InvalidToken | Code::TokenExpired | Code::InvalidInvite => LINK,
        _ => ("This was refused", "Go back and check what you entered."),
    };
    (title, text.to_owned())
}

#[cfg(test)]
mod tests {
    use roster_domain::error::field;

    use super::*;

    const LOGIN: Asked = Asked {
        fields: &["email", "password"],
        refused: "Not right.",
    };

    #[test]
    fn problems_stand_beside_their_fields() {
        let clause = "Value has to have at least 8 characters.";
        let short = Error::from(field::failed("password", "regex", clause));
        let no_email = Error::invalid_payload("\"email\" must be a valid email");
        let other = Error::from(field::failed("title", "nnull", "Value can't be null."));

        let told = |error: &Error| problems(error, &LOGIN)[0].clone();
        assert_eq!(
            told(&short),
            json!({ "field": "password", "text": "The password has to have at least 8 characters." })
        );
        assert_eq!(
            told(&no_email),
            json!({ "field": "email", "text": "The address must be a valid email." })
        );
        assert_eq!(
            told(&other),
            json!({ "field": null, "text": "The value of `title` can't be null." })
        );
        let refused = told(&Code::InvalidCredentials.into());
        assert_eq!(refused, json!({ "field": null, "text": "Not right." }));
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        let title = |error: &Error, is_link| refusal(error, is_link).0;

        assert_eq!(title(&Code::TokenExpired.into(), false), LINK.0);
        assert_eq!(title(&Error::forbidden(), true), LINK.0);
        assert_eq!(title(&Error::forbidden(), false), "This was refused");
        assert_eq!(title(&Error::internal("x"), true), "Something went wrong");
    }
}

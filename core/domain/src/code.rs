//! The one table of error codes (contract/query.md §10).

use std::borrow::Cow;

/// What kind of problem it is: a wire code with its HTTP status.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table below says what each one is")]
pub enum Code {
    Conflict,
    ContainsNullValues,
    ContentTooLarge,
    FailedValidation,
    Forbidden,
    Internal,
    InvalidCredentials,
    InvalidForeignKey,
    InvalidInvite,
    InvalidOtp,
    InvalidPayload,
    InvalidProvider,
    InvalidProviderConfig,
    InvalidQuery,
    InvalidToken,
    MethodNotAllowed,
    NotNullViolation,
    PluginFailed,
    RecordNotUnique,
    RequestsExceeded,
    RouteNotFound,
    ServiceUnavailable,
    TokenExpired,
    UnprocessableContent,
    UnsupportedMediaType,
    UserSuspended,
    ValueOutOfRange,
    ValueTooLong,
    /// A plugin's own code, with its status (400–499).
    Plugin(String, u16),
}

impl Code {
    /// Every code of ours.
    pub const ALL: [Self; 28] = [
        Self::Conflict,
        Self::ContainsNullValues,
        Self::ContentTooLarge,
        Self::FailedValidation,
        Self::Forbidden,
        Self::Internal,
        Self::InvalidCredentials,
        Self::InvalidForeignKey,
        Self::InvalidInvite,
        Self::InvalidOtp,
        Self::InvalidPayload,
        Self::InvalidProvider,
        Self::InvalidProviderConfig,
        Self::InvalidQuery,
        Self::InvalidToken,
        Self::MethodNotAllowed,
        Self::NotNullViolation,
        Self::PluginFailed,
        Self::RecordNotUnique,
        Self::RequestsExceeded,
        Self::RouteNotFound,
        Self::ServiceUnavailable,
        Self::TokenExpired,
        Self::UnprocessableContent,
        Self::UnsupportedMediaType,
        Self::UserSuspended,
        Self::ValueOutOfRange,
        Self::ValueTooLong,
    ];

    /// Wire code, status and the message used where no better one is known.
    const fn row(&self) -> (&'static str, u16, &'static str) {
        match self {
            Self::Conflict => ("CONFLICT", 409, "The record was changed by somebody else."),
            Self::ContainsNullValues => {
                ("CONTAINS_NULL_VALUES", 400, "Field contains null values.")
            }
            Self::ContentTooLarge => ("CONTENT_TOO_LARGE", 413, "Uploaded content is too large."),
            Self::FailedValidation => ("FAILED_VALIDATION", 400, "Validation failed."),
            Self::Forbidden => (
                "FORBIDDEN",
                403,
                "You don't have permission to access this.",
            ),
            Self::Internal => (
                "INTERNAL_SERVER_ERROR",
                500,
                "An unexpected error occurred.",
            ),
            Self::InvalidCredentials => ("INVALID_CREDENTIALS", 401, "Invalid user credentials."),
            Self::InvalidForeignKey => ("INVALID_FOREIGN_KEY", 400, "Invalid foreign key."),
            Self::InvalidInvite => ("INVALID_INVITE", 400, "This invite is no longer valid."),
            Self::InvalidOtp => ("INVALID_OTP", 401, "Invalid user OTP."),
            Self::InvalidPayload => ("INVALID_PAYLOAD", 400, "Invalid payload."),
            Self::InvalidProvider => ("INVALID_PROVIDER", 403, "Invalid provider."),
            Self::InvalidProviderConfig => ("INVALID_PROVIDER_CONFIG", 503, "Invalid config."),
            Self::InvalidQuery => ("INVALID_QUERY", 400, "Invalid query."),
            Self::InvalidToken => ("INVALID_TOKEN", 403, "Invalid token."),
            Self::MethodNotAllowed => ("METHOD_NOT_ALLOWED", 405, "Method not allowed."),
            Self::NotNullViolation => ("NOT_NULL_VIOLATION", 400, "Value can't be null."),
            Self::PluginFailed => ("PLUGIN_FAILED", 500, "A plugin could not do its work."),
            Self::RecordNotUnique => ("RECORD_NOT_UNIQUE", 400, "Value has to be unique."),
            Self::RequestsExceeded => ("REQUESTS_EXCEEDED", 429, "Too many requests."),
            Self::RouteNotFound => ("ROUTE_NOT_FOUND", 404, "Route doesn't exist."),
            Self::ServiceUnavailable => ("SERVICE_UNAVAILABLE", 503, "Service is unavailable."),
            Self::TokenExpired => ("TOKEN_EXPIRED", 401, "Token expired."),
            Self::UnprocessableContent => ("UNPROCESSABLE_CONTENT", 422, "Can't process content."),
            Self::UnsupportedMediaType => {
                ("UNSUPPORTED_MEDIA_TYPE", 415, "Unsupported media type.")
            }
            Self::UserSuspended => ("USER_SUSPENDED", 401, "User suspended."),
            Self::ValueOutOfRange => ("VALUE_OUT_OF_RANGE", 400, "Numeric value is out of range."),
            Self::ValueTooLong => ("VALUE_TOO_LONG", 400, "Value is too long."),
            Self::Plugin(_, status) => ("", *status, "Refused by a plugin."),
        }
    }

    /// The code on the wire.
    pub fn as_str(&self) -> Cow<'static, str> {
        match self {
            Self::Plugin(code, _) => Cow::Owned(code.clone()),
            _ => Cow::Borrowed(self.row().0),
        }
    }

    /// The HTTP status.
    pub const fn status(&self) -> u16 {
        self.row().1
    }

    /// The message used where no better one is known.
    pub const fn message(&self) -> &'static str {
        self.row().2
    }
}

//! `/users/…/tfa`: second factors.

use poem_openapi::types::Password;
use poem_openapi::{Object, OpenApi};
use roster_engine::Engine;
use serde::Serialize;

use crate::body::Body;
use crate::caller::Caller;
use crate::document::Tag;
use crate::envelope::{Done, One};
use crate::error::Failure;
use crate::parameters::Id;

/// The resource.
pub(crate) struct SecondFactorApi {
    pub(crate) engine: Engine,
}

/// What gives out a secret.
#[derive(Object)]
struct SecondFactorRequest {
    /// The password of the caller.
    password: Option<Password>,
    /// Whether to send a picture for authenticator apps too.
    qr: Option<bool>,
}

/// A secret that is not enabled yet.
#[derive(Object)]
struct SecondFactorProposal {
    /// The secret, in base 32.
    secret: String,
    /// The same as a URL for authenticator apps.
    otpauth_url: String,
    /// The same as a picture, an SVG, if it was asked for.
    qr: Option<String>,
}

/// A secret that was given out, with a code of it.
#[derive(Object)]
struct SecondFactorProof {
    /// The secret.
    secret: Password,
    /// A one-time code of it.
    otp: String,
}

/// A code.
#[derive(Object)]
struct SecondFactorCode {
    /// A one-time code, or a recovery code.
    otp: String,
}

/// What makes recovery codes: the password or a code.
#[derive(Object)]
struct RecoveryCodesRequest {
    /// The password of the caller.
    password: Option<Password>,
    /// A one-time code.
    otp: Option<String>,
}

/// Recovery codes.
#[derive(Object)]
#[oai(rename = "RecoveryCodes")]
struct DescribedCodes {
    /// Ten codes, shown this once; each works once in the place of a one-time code.
    codes: Vec<String>,
}

#[derive(Serialize)]
struct Codes {
    codes: Vec<String>,
}

#[OpenApi(tag = "Tag::Accounts")]
impl SecondFactorApi {
    /// Get a secret
    ///
    /// Nothing is enabled by it; it can be enabled for 15 minutes.
    #[oai(
        path = "/users/me/tfa/generate",
        method = "post",
        operation_id = "generateSecondFactor"
    )]
    async fn generate(
        &self,
        caller: Caller<'_>,
        /// The password.
        body: Body<SecondFactorRequest>,
    ) -> Result<One<SecondFactorProposal>, Failure> {
        One::of(&self.engine.propose_second_factor(&caller, &body).await?)
    }

    /// Enable the second factor
    ///
    /// Logins need a code from then on.
    #[oai(
        path = "/users/me/tfa/enable",
        method = "post",
        operation_id = "enableSecondFactor"
    )]
    async fn enable(
        &self,
        caller: Caller<'_>,
        /// The secret that was given out last, and a code of it.
        body: Body<SecondFactorProof>,
    ) -> Result<Done, Failure> {
        self.engine.enable_second_factor(&caller, &body).await?;
        Ok(Done)
    }

    /// Disable the second factor
    #[oai(
        path = "/users/me/tfa/disable",
        method = "post",
        operation_id = "disableSecondFactor"
    )]
    async fn disable(
        &self,
        caller: Caller<'_>,
        /// A code.
        body: Body<SecondFactorCode>,
    ) -> Result<Done, Failure> {
        self.engine.disable_second_factor(&caller, &body).await?;
        Ok(Done)
    }

    /// Make recovery codes
    ///
    /// Those that were made before work no more.
    #[oai(
        path = "/users/me/tfa/recovery-codes",
        method = "post",
        operation_id = "makeRecoveryCodes"
    )]
    async fn recovery_codes(
        &self,
        caller: Caller<'_>,
        /// The password or a code.
        body: Body<RecoveryCodesRequest>,
    ) -> Result<One<DescribedCodes>, Failure> {
        let codes = self.engine.make_recovery_codes(&caller, &body).await?;
        One::of(&Codes { codes })
    }

    /// Disable the second factor of a user
    ///
    /// For administrators.
    #[oai(
        path = "/users/:id/tfa/disable",
        method = "post",
        operation_id = "disableSecondFactorOf"
    )]
    async fn disable_for(
        &self,
        caller: Caller<'_>,
        /// The id of the user.
        id: Id<'_>,
    ) -> Result<Done, Failure> {
        self.engine.disable_second_factor_of(&caller, &id).await?;
        Ok(Done)
    }
}

use async_trait::async_trait;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Host, Manifest};

/// A plugin: a value made from its own configuration table, once at boot natively and once per
/// instance of a component, each of which serves one call unless the operator has them pooled. It
/// keeps no state between calls; state belongs to the host's store.
#[async_trait]
pub trait Plugin: Sized + Send + Sync + 'static {
    /// The plugin's own table, `[plugins.<name>.config]`, typed.
    type Config: DeserializeOwned + Send;

    /// Makes the plugin. An error stops the start of the server and is shown to the operator. In a
    /// component this is done some time ahead of a call, so what may change by then, such as the
    /// time or what the store holds, is asked for in the call.
    async fn start(config: Self::Config, host: &dyn Host) -> Result<Self, StartError>;

    /// What the plugin is and what it asks for. The operator's configuration decides what it gets.
    fn manifest(&self) -> Manifest;

    /// What [`Config`](Self::Config) may be, as a JSON Schema, which [`schema_of`] makes of a type.
    /// `roster config check` judges by it, and administrators see it. None says nothing.
    fn schema() -> Option<Value> {
        None
    }
}

/// The JSON Schema of a type that derives [`JsonSchema`](schemars::JsonSchema); its comments become
/// the descriptions.
///
/// ```
/// use roster_sdk::schemars::JsonSchema;
/// use serde::Deserialize;
///
/// #[derive(Deserialize, JsonSchema)]
/// #[schemars(crate = "roster_sdk::schemars")]
/// #[serde(deny_unknown_fields)]
/// struct Config {
///     /// The field that is shouted.
///     field: String,
///     /// No message shows what is a password.
///     #[schemars(extend("format" = "password"))]
///     token: Option<String>,
/// }
///
/// let schema = roster_sdk::schema_of::<Config>();
///
/// assert_eq!(schema["properties"]["field"]["description"], "The field that is shouted.");
/// assert_eq!(schema["required"], roster_sdk::json!(["field"]));
/// ```
pub fn schema_of<T: JsonSchema>() -> Value {
    let mut schema = SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<T>();
    // The name of a type in somebody's source says nothing to those who configure it.
    schema.remove("title");
    schema.to_value()
}

/// Starts a plugin with its untyped configuration table, in both builds and in tests.
pub(crate) async fn start<P: Plugin>(config: Value, host: &dyn Host) -> Result<P, StartError> {
    let config =
        serde_json::from_value(config).map_err(|error| StartError(format!("config: {error}")))?;
    P::start(config, host).await
}

/// Why a plugin cannot start, in a sentence for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartError(pub String);

impl StartError {
    /// An error with this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl std::fmt::Display for StartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StartError {}

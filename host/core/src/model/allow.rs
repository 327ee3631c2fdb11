//! The narrowing of a plugin's rights that one job asks for.

use serde::{Deserialize, Serialize};

use super::{Endpoint, HttpGrant};

/// What one job's runs may reach, out of what their plugin may; see [`Rights::narrowed`](super::Rights::narrowed).
/// What is not listed is denied.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Allow {
    /// Origins.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub http: Vec<HttpGrant>,
    /// Hosts and networks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tcp: Vec<Endpoint>,
    /// Whether names may be looked up.
    pub dns: bool,
    /// Guest paths of folders to read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub read: Vec<String>,
    /// Guest paths of folders to change.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub write: Vec<String>,
    /// Names of environment variables.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// Names of secrets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
    /// Whether state may be kept.
    pub state: bool,
    /// Whether jobs may be managed.
    pub jobs: bool,
}

//! The right `http`, and how requests are made.

use std::{path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

use super::Origin;

/// An origin that a plugin may send HTTP requests to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpGrant {
    /// Where to.
    pub origin: Origin,
    /// The methods, in upper case; empty is every method.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    /// Whether the origin's name may resolve to loopback, private, link-local and metadata addresses.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub private: bool,
}

impl HttpGrant {
    /// Every method, and public addresses unless the origin names one itself.
    #[must_use]
    pub fn to(origin: Origin) -> Self {
        Self { origin, methods: Vec::new(), private: false }
    }

    /// Whether this method is granted.
    ///
    /// ```
    /// use clockbox_core::model::HttpGrant;
    /// let all = HttpGrant::to("https://a.example".parse().unwrap());
    /// let one = HttpGrant { methods: vec!["GET".to_owned()], ..all.clone() };
    /// assert!(all.takes("PUT") && one.takes("GET") && !one.takes("PUT"));
    /// ```
    #[must_use]
    pub fn takes(&self, method: &str) -> bool {
        self.methods.is_empty() || self.methods.iter().any(|granted| granted == method)
    }

    /// Whether everything that `other` grants is granted by this one too, private addresses apart.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let methods_fit = match other.methods.as_slice() {
            [] => self.methods.is_empty(),
            methods => methods.iter().all(|method| self.takes(method)),
        };
        methods_fit && self.origin.includes(&other.origin)
    }
}

/// How a plugin's HTTP requests are made. A guest can ask for shorter times, never for longer ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpOptions {
    /// To find the address, connect and greet.
    pub connect_timeout: Duration,
    /// From the request to the head of its response, and between two parts of the body.
    pub first_byte_timeout: Duration,
    /// From the request to the end of its response.
    pub total_timeout: Duration,
    /// A file of certificates (PEM) to trust beside the roots that browsers trust.
    pub ca_file: Option<PathBuf>,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            first_byte_timeout: Duration::from_secs(30),
            total_timeout: Duration::from_secs(300),
            ca_file: None,
        }
    }
}

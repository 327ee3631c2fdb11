//! Origins of the `http` right: `https://api.example.com`, `http://127.0.0.1:8080`, `https://*.example.com`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Why a text is not an origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not an origin: {reason}; write for instance \"https://api.example.com\" or \"http://127.0.0.1:8080\""
)]
pub struct OriginError {
    text: String,
    reason: &'static str,
}

/// A scheme, host and port that a plugin may send HTTP requests to.
///
/// ```
/// use clockbox_core::model::Origin;
/// let origin: Origin = "https://*.example.com".parse().unwrap();
/// assert!(origin.covers(true, "api.example.com", 443));
/// assert!(!origin.covers(true, "example.com", 443));
/// assert!(!origin.covers(false, "api.example.com", 443));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin {
    tls: bool,
    host: String,
    port: u16,
}

impl Origin {
    /// Whether a request to this scheme (`tls` for https), host and port is covered.
    #[must_use]
    pub fn covers(&self, tls: bool, host: &str, port: u16) -> bool {
        let host =
            host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_ascii_lowercase();
        let host_fits = match self.host.strip_prefix("*.") {
            Some(suffix) => host
                .strip_suffix(suffix)
                .and_then(|rest| rest.strip_suffix('.'))
                .is_some_and(|label| !label.is_empty()),
            None => host == self.host,
        };
        tls == self.tls && port == self.port && host_fits
    }

    /// Whether every request that `other` covers is covered by this one too.
    ///
    /// ```
    /// use clockbox_core::model::Origin;
    /// let origin = |text: &str| text.parse::<Origin>().unwrap();
    /// assert!(origin("https://*.example.com").includes(&origin("https://*.api.example.com")));
    /// assert!(!origin("https://a.example.com").includes(&origin("https://*.example.com")));
    /// ```
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        let plain = other.host.strip_prefix("*.");
        match plain {
            Some(_) if self.host == other.host => self.tls == other.tls && self.port == other.port,
            // What stands for the first labels there must be below the suffix here.
            Some(rest) => self.host.starts_with("*.") && self.covers(other.tls, rest, other.port),
            None => self.covers(other.tls, &other.host, other.port),
        }
    }

    /// Whether the origin names this very address, so that a private or loopback address is meant to be reached.
    #[must_use]
    pub fn names_address(&self, address: std::net::IpAddr) -> bool {
        self.host.parse() == Ok(address) || (self.host == "localhost" && address.is_loopback())
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let bad = |reason| OriginError { text: text.to_owned(), reason };
        let (tls, rest) = match text.split_once("://") {
            Some(("https", rest)) => (true, rest),
            Some(("http", rest)) => (false, rest),
            _ => return Err(bad("it must start with http:// or https://")),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(['/', '?', '#']) {
            return Err(bad("an origin has no path"));
        }
        if rest.contains('@') {
            return Err(bad("an origin has no user name"));
        }
        let (host, port) = if let Some(inner) = rest.strip_prefix('[') {
            let (host, after) = inner.split_once(']').ok_or_else(|| bad("the bracket is not closed"))?;
            host.parse::<std::net::Ipv6Addr>().map_err(|_| bad("the brackets hold no IPv6 address"))?;
            (host, after.strip_prefix(':'))
        } else {
            match rest.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (rest, None),
            }
        };
        let port = match port {
            Some(port) => port.parse().map_err(|_| bad("the port is not a number from 1 to 65535"))?,
            None if tls => 443,
            None => 80,
        };
        let plain = host.strip_prefix("*.").unwrap_or(host);
        if plain.is_empty() || port == 0 {
            return Err(bad("the host or port is missing"));
        }
        if plain.contains('*') {
            return Err(bad("a '*' stands only for the first labels, as in *.example.com"));
        }
        if plain.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(bad("the host has a blank in it"));
        }
        Ok(Self { tls, host: host.to_ascii_lowercase(), port })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, usual) = if self.tls { ("https", 443) } else { ("http", 80) };
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]", self.host)?;
        } else {
            write!(f, "{scheme}://{}", self.host)?;
        }
        if self.port == usual { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

impl TryFrom<String> for Origin {
    type Error = OriginError;
    fn try_from(text: String) -> Result<Self, OriginError> {
        text.parse()
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> String {
        origin.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Origin {
        text.parse().unwrap()
    }

    #[test]
    fn ports_default_by_scheme_and_print_back() {
        for text in ["https://a.example", "http://127.0.0.1:8080", "http://[::1]:81", "https://*.a.example"] {
            assert_eq!(origin(text).to_string(), text);
        }
        assert_eq!(origin("http://A.example:80/").to_string(), "http://a.example");
    }

    #[test]
    fn a_wildcard_covers_subdomains_only() {
        let wild = origin("https://*.example.com");
        assert!(wild.covers(true, "a.b.EXAMPLE.com", 443));
        assert!(!wild.covers(true, "evilexample.com", 443));
        assert!(!wild.covers(true, "example.com", 443));
        assert!(!wild.covers(true, "a.example.com", 8443));
    }

    #[test]
    fn what_is_not_an_origin_is_refused() {
        for text in [
            "api.example.com",
            "ftp://a",
            "https://",
            "https://a/b",
            "https://u@a",
            "http://a:99999",
            "https://a.*.com",
            "http://[::1",
        ] {
            assert!(text.parse::<Origin>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_named_address_is_meant_to_be_reached() {
        assert!(origin("http://127.0.0.1:8080").names_address([127, 0, 0, 1].into()));
        assert!(origin("http://localhost:1").names_address([127, 0, 0, 1].into()));
        assert!(!origin("http://internal.example").names_address([10, 0, 0, 1].into()));
    }
}

//! Endpoints of the `tcp` right: `db.example.com:5432`, `10.0.0.7:5432`, `10.0.0.0/8:5432`, `[fd00::]/8:443`.

use std::{fmt, net::IpAddr, str::FromStr};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// Why a text is not an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not an endpoint: {reason}; write for instance \"db.example.com:5432\" or \"10.0.0.0/8:5432\""
)]
pub struct EndpointError {
    text: String,
    reason: &'static str,
}

/// A host or network and a port that a plugin may open TCP connections to.
///
/// ```
/// use clockbox_core::model::Endpoint;
/// let net: Endpoint = "10.0.0.0/8:5432".parse().unwrap();
/// assert!(net.names("10.1.2.3".parse().unwrap(), 5432));
/// assert!(!net.names("11.1.2.3".parse().unwrap(), 5432));
/// assert!(!net.names("10.1.2.3".parse().unwrap(), 22));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    #[serde(rename = "to", with = "as_text")]
    place: Place,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    private: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    host: Host,
    port: u16,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    /// In lower case, without a dot at the end.
    Name(String),
    Net(IpNet),
}

impl Endpoint {
    /// Whether it names this very address and port, as an address or by its network.
    #[must_use]
    pub fn names(&self, address: IpAddr, port: u16) -> bool {
        let place = &self.place;
        place.port == port && matches!(&place.host, Host::Net(net) if net.contains(&address.to_canonical()))
    }

    /// The host name to resolve, where it is one, and the port.
    #[must_use]
    pub fn name(&self) -> Option<(&str, u16)> {
        match &self.place.host {
            Host::Name(name) => Some((name, self.place.port)),
            Host::Net(_) => None,
        }
    }

    /// Whether its host name may resolve to loopback, private, link-local and metadata addresses.
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.private
    }

    /// The same with or without leave for private addresses.
    #[must_use]
    pub fn with_private(self, private: bool) -> Self {
        Self { private, ..self }
    }

    /// Whether everything that `other` grants is granted by this one too, private addresses apart.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let (ours, theirs) = (&self.place, &other.place);
        let within = match (&ours.host, &theirs.host) {
            (Host::Name(a), Host::Name(b)) => a == b,
            (Host::Net(a), Host::Net(b)) => a.contains(b),
            _ => false,
        };
        ours.port == theirs.port && within
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let bad = |reason| EndpointError { text: text.to_owned(), reason };
        let (host, port) = text.rsplit_once(':').ok_or_else(|| bad("the port is missing"))?;
        let port = match port.parse() {
            Ok(0) | Err(_) => return Err(bad("the port is not a number from 1 to 65535")),
            Ok(port) => port,
        };
        let (host, length) = match host.split_once('/') {
            Some((host, length)) => (host, Some(length)),
            None => (host, None),
        };
        let bare = match host.strip_prefix('[') {
            Some(inner) => inner.strip_suffix(']').ok_or_else(|| bad("the bracket is not closed"))?,
            None if host.contains(':') => return Err(bad("an IPv6 address stands in brackets")),
            None => host,
        };
        let host = match (bare.parse::<IpAddr>(), length) {
            (Ok(address), None) => Host::Net(address.into()),
            (Ok(address), Some(length)) => {
                let length = length.parse().map_err(|_| bad("the length of the network is not a number"))?;
                let net =
                    IpNet::new(address, length).map_err(|_| bad("the length of the network is too large"))?;
                Host::Net(net.trunc())
            }
            (Err(_), Some(_)) => return Err(bad("a network starts with an IP address")),
            (Err(_), None) if host.starts_with('[') => return Err(bad("the brackets hold no IPv6 address")),
            (Err(_), None) => {
                let name = bare.trim_end_matches('.').to_ascii_lowercase();
                if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '*')
                {
                    return Err(bad("the host is not a name"));
                }
                Host::Name(name)
            }
        };
        Ok(Self { place: Place { host, port }, private: false })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place.fmt(f)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Name(name) => write!(f, "{name}")?,
            Host::Net(net) => {
                match net.addr() {
                    IpAddr::V4(address) => write!(f, "{address}")?,
                    IpAddr::V6(address) => write!(f, "[{address}]")?,
                }
                if net.prefix_len() != net.max_prefix_len() {
                    write!(f, "/{}", net.prefix_len())?;
                }
            }
        }
        write!(f, ":{}", self.port)
    }
}

/// A place as the text that it is written as.
mod as_text {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use super::{Endpoint, Place};

    pub(super) fn serialize<S: Serializer>(place: &Place, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(place)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Place, D::Error> {
        let text = String::deserialize(from)?;
        text.parse::<Endpoint>().map(|endpoint| endpoint.place).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str) -> Endpoint {
        text.parse().unwrap()
    }

    #[test]
    fn endpoints_print_back_and_survive_json() {
        for text in ["db.example.com:5432", "10.0.0.7:22", "10.0.0.0/8:5432", "[::1]:80", "[fd00::]/8:443"] {
            assert_eq!(endpoint(text).to_string(), text);
            let json = serde_json::to_string(&endpoint(text).with_private(true)).unwrap();
            let read: Endpoint = serde_json::from_str(&json).unwrap();
            assert_eq!(read, endpoint(text).with_private(true), "{json}");
        }
        assert_eq!(endpoint("DB.Example.COM.:1").to_string(), "db.example.com:1");
        assert_eq!(endpoint("10.9.9.9/8:1").to_string(), "10.0.0.0/8:1");
    }

    #[test]
    fn what_is_not_an_endpoint_is_refused() {
        for text in
            ["db", "db:", "db:0", "db:70000", ":80", "::1:80", "[::1:80", "10.0.0.0/40:1", "a/8:1", "*:80"]
        {
            assert!(text.parse::<Endpoint>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_mapped_address_is_the_one_that_it_stands_for() {
        assert!(endpoint("10.0.0.0/8:1").names("::ffff:10.0.0.1".parse().unwrap(), 1));
        assert!(!endpoint("db.example.com:1").names("10.0.0.1".parse().unwrap(), 1));
    }
}

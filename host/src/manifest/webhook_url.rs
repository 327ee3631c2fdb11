//! Where a webhook is sent.

use std::{fmt, str::FromStr};

use clockbox_core::model::{Origin, OriginError};

/// Why a text is no address of a webhook.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebhookUrlError {
    /// Scheme, host or port are wrong.
    #[error(transparent)]
    Origin(#[from] OriginError),
    /// Names stand for one host here.
    #[error("a webhook goes to one host; name it in the place of '*'")]
    Wildcard,
    /// A path has visible ASCII characters only.
    #[error("the path of the URL has {0:?} in it; percent-encode it")]
    Path(char),
    /// A fragment is never sent.
    #[error("the URL has a fragment; leave out what begins with '#'")]
    Fragment,
}

/// Where a webhook is sent. Only the origin is ever shown: with many services the path is a secret.
///
/// ```
/// use clockbox::manifest::WebhookUrl;
/// let url: WebhookUrl = "https://hooks.example.com/T0/secret".parse().unwrap();
/// assert_eq!((url.to_string(), url.path()), ("https://hooks.example.com".to_owned(), "/T0/secret"));
/// assert!("hooks.example.com".parse::<WebhookUrl>().is_err());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookUrl {
    origin: String,
    path: String,
}

impl WebhookUrl {
    /// Scheme, host and port: `https://hooks.example.com`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Path and query: `/` at least.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What stands in the place of one that could not be read.
    pub(super) fn nowhere() -> Self {
        Self { origin: "http://localhost".to_owned(), path: "/".to_owned() }
    }

    /// The whole, as it is sent to.
    pub(crate) fn whole(&self) -> String {
        format!("{}{}", self.origin, self.path)
    }
}

impl FromStr for WebhookUrl {
    type Err = WebhookUrlError;

    fn from_str(text: &str) -> Result<Self, WebhookUrlError> {
        if text.contains('#') {
            return Err(WebhookUrlError::Fragment);
        }
        let begin = text.find("://").map_or(0, |at| at + 3);
        let end = text[begin..].find(['/', '?']).map_or(text.len(), |at| begin + at);
        let (origin, path) = text.split_at(end);
        if origin.contains('*') {
            return Err(WebhookUrlError::Wildcard);
        }
        if let Some(bad) = path.chars().find(|c| !c.is_ascii_graphic()) {
            return Err(WebhookUrlError::Path(bad));
        }
        let origin = origin.parse::<Origin>()?.to_string();
        let slash = if path.starts_with('/') { "" } else { "/" };
        Ok(Self { origin, path: format!("{slash}{path}") })
    }
}

impl fmt::Display for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.origin)
    }
}

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebhookUrl({}/…)", self.origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_an_origin_and_a_path() {
        let parts =
            |text: &str| text.parse().map(|url: WebhookUrl| (url.origin.clone(), url.path().to_owned()));
        let both = |origin: &str, path: &str| Ok((origin.to_owned(), path.to_owned()));
        assert_eq!(parts("https://a.example"), both("https://a.example", "/"));
        assert_eq!(parts("https://a.example?x=1"), both("https://a.example", "/?x=1"));
        assert_eq!(parts("http://[::1]:80/a/b?c=/d"), both("http://[::1]", "/a/b?c=/d"));
        assert_eq!(parts("https://*.example/a"), Err(WebhookUrlError::Wildcard));
        assert_eq!(parts("https://a.example/ü"), Err(WebhookUrlError::Path('ü')));
        assert_eq!(parts("https://a.example/#x"), Err(WebhookUrlError::Fragment));
        for bad in ["", "/a", "a.example/b", "ftp://a.example/", "https://u:p@a.example/", "https:///a"] {
            assert!(matches!(parts(bad), Err(WebhookUrlError::Origin(_))), "{bad}");
        }
    }

    #[test]
    fn the_path_is_not_shown() {
        let url: WebhookUrl = "https://a.example/secret".parse().unwrap();
        assert!(!format!("{url} {url:?}").contains("secret"));
        assert_eq!(url.whole(), "https://a.example/secret");
    }
}

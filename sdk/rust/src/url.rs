//! Addresses, taken apart as the imports want them.

use std::borrow::Cow;

use crate::http::{Error, ErrorKind};

/// The parts of an address that the imports want apart.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Url<'a> {
    pub(crate) tls: bool,
    pub(crate) authority: &'a str,
    pub(crate) path: Cow<'a, str>,
}

impl<'a> Url<'a> {
    pub(crate) fn parse(url: &'a str) -> Result<Self, Error> {
        let bad =
            |reason| Error::new(ErrorKind::InvalidRequest, format!("{url:?} is not an address: {reason}"));
        let (tls, rest) = match url.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (true, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (false, rest),
            _ => return Err(bad("it must start with http:// or https://")),
        };
        let rest = rest.split_once('#').map_or(rest, |(before, _)| before);
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.is_empty() {
            return Err(bad("the host is missing"));
        }
        if authority.contains('@') {
            return Err(bad("a user name belongs into a header"));
        }
        if let Some(c) = rest.chars().find(|c| !c.is_ascii_graphic()) {
            return Err(bad(&format!("write {c:?} percent-encoded")));
        }
        let path = match path.starts_with('/') {
            true => Cow::Borrowed(path),
            false => Cow::Owned(format!("/{path}")),
        };
        Ok(Self { tls, authority, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(url: &str) -> (bool, String, String) {
        let url = Url::parse(url).unwrap();
        (url.tls, url.authority.to_owned(), url.path.into_owned())
    }

    #[test]
    fn an_address_is_taken_apart() {
        assert_eq!(parts("https://a.example"), (true, "a.example".into(), "/".into()));
        assert_eq!(parts("HTTP://[::1]:80/x?y=/#z"), (false, "[::1]:80".into(), "/x?y=/".into()));
        assert_eq!(parts("http://a?b=c"), (false, "a".into(), "/?b=c".into()));
    }

    #[test]
    fn what_is_not_an_address_is_refused_with_the_reason() {
        for (url, reason) in [
            ("a.example", "must start with"),
            ("ftp://a", "must start with"),
            ("https:///x", "host is missing"),
            ("https://u:p@a", "user name"),
            ("https://a/b c", "' ' percent-encoded"),
            ("https://ä.example", "'ä' percent-encoded"),
        ] {
            let error = Url::parse(url).unwrap_err();
            assert!(error.to_string().contains(reason), "{error}");
            assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        }
    }
}

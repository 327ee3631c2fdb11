//! Hides secrets in whatever is shown or kept.

use std::{borrow::Cow, collections::BTreeMap};

use aho_corasick::{AhoCorasick, MatchKind};
use clockbox_core::model::Secret;

/// What stands in the place of a secret.
const HIDDEN: &str = "***";
/// A shorter line of a secret that has several may be an ordinary word.
const SHORTEST_LINE: usize = 8;

/// Finds a plugin's secrets as they are, as they stand in JSON, and line by line. What a guest makes of them otherwise
/// (spelt backwards, or in base64) is not found: it guards against accidents, not against the guest that holds them.
#[derive(Debug, Default)]
pub(crate) struct Redactor {
    /// `None` where there are no secrets.
    finder: Option<AhoCorasick>,
    longest: usize,
}

impl Redactor {
    pub(crate) fn new(secrets: &BTreeMap<String, Secret>) -> Self {
        let mut all: Vec<String> = Vec::new();
        for secret in secrets.values() {
            let value = secret.expose();
            all.push(value.to_owned());
            let json = serde_json::Value::from(value).to_string();
            all.push(json[1..json.len() - 1].to_owned());
            all.extend(value.lines().filter(|line| line.len() >= SHORTEST_LINE).map(ToOwned::to_owned));
        }
        all.retain(|text| !text.is_empty());
        if all.is_empty() {
            return Self::default();
        }
        let longest = all.iter().map(String::len).max().unwrap_or_default();
        let finder = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&all);
        match finder {
            Ok(finder) => Self { finder: Some(finder), longest },
            Err(e) => {
                // Secrets are 64 KiB at most, far below what could make this fail: then nothing is shown at all.
                tracing::error!(
                    "secrets cannot be searched for ({e}): everything that the plugin says is hidden"
                );
                Self { finder: AhoCorasick::new([""]).ok(), longest }
            }
        }
    }

    /// The length of the longest secret, in bytes.
    pub(crate) fn longest(&self) -> usize {
        self.longest
    }

    /// The text without secrets.
    pub(crate) fn hide<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match &self.finder {
            Some(finder) if finder.is_match(text) => {
                let mut shown = String::with_capacity(text.len());
                finder.replace_all_with(text, &mut shown, |_, _, to| {
                    to.push_str(HIDDEN);
                    true
                });
                Cow::Owned(shown)
            }
            _ => Cow::Borrowed(text),
        }
    }

    /// The same of bytes that are not known to be text.
    pub(crate) fn hide_bytes(&self, bytes: &mut Vec<u8>) {
        if let Some(finder) = &self.finder
            && finder.is_match(&*bytes)
        {
            let mut shown = Vec::with_capacity(bytes.len());
            finder.replace_all_with_bytes(bytes, &mut shown, |_, _, to| {
                to.extend_from_slice(HIDDEN.as_bytes());
                true
            });
            *bytes = shown;
        }
    }

    /// The same of a text that is there or not.
    pub(crate) fn hide_in(&self, text: &mut Option<String>) {
        if let Some(given) = text
            && let Cow::Owned(hidden) = self.hide(given)
        {
            *given = hidden;
        }
    }
}

#[cfg(test)]
mod tests {
    use clockbox_core::model::SecretAs;

    use super::*;

    fn redactor(values: &[&str]) -> Redactor {
        let secret = |(n, value): (usize, &&str)| (n.to_string(), Secret::new(*value, SecretAs::Config));
        Redactor::new(&values.iter().enumerate().map(secret).collect())
    }

    #[test]
    fn secrets_are_found_wherever_they_stand() {
        let redactor = redactor(&["hunter2", "hunter22"]);
        assert_eq!(redactor.hide("hunter2hunter22, \"hunter2\""), "******, \"***\"");
        assert!(matches!(redactor.hide("hunter"), Cow::Borrowed("hunter")));
    }

    #[test]
    fn json_and_single_lines_give_nothing_away() {
        let key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\n\"end\"";
        let redactor = redactor(&[key]);
        assert_eq!(redactor.hide("MIIEvQIBADANBg"), "***");
        let json = serde_json::json!({ "key": key }).to_string();
        assert_eq!(redactor.hide(&json), r#"{"key":"***"}"#);
    }

    #[test]
    fn without_secrets_nothing_is_searched() {
        let redactor = redactor(&[]);
        assert!(matches!(redactor.hide("anything"), Cow::Borrowed(_)));
        assert_eq!(redactor.longest(), 0);
    }
}

//! What a webhook tells of.

use std::fmt;

use clockbox_core::model::Event;

/// What a webhook tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Occasion {
    /// A run ended, and not by a success; one that was cancelled is none.
    Failure,
    /// A run succeeded, and the one of that job before it had failed.
    Recovery,
    /// A fire came too late to run.
    Miss,
    /// A run succeeded.
    Success,
    /// An event of this name.
    Event(&'static str),
}

impl Occasion {
    /// The words that are no names of events.
    pub(super) const WORDS: [(&str, Self); 4] = [
        ("failure", Self::Failure),
        ("recovery", Self::Recovery),
        ("miss", Self::Miss),
        ("success", Self::Success),
    ];

    /// The word of the manifest.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Event(name) => name,
            word => Self::WORDS.iter().find(|(_, known)| *known == word).map_or("", |(text, _)| text),
        }
    }

    pub(super) fn named(text: &str) -> Option<Self> {
        let word = Self::WORDS.iter().find(|(word, _)| *word == text).map(|(_, occasion)| *occasion);
        word.or_else(|| Event::NAMES.into_iter().find(|name| *name == text).map(Self::Event))
    }
}

impl fmt::Display for Occasion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

//! What a search for the next fire comes to.

use crate::model::Timestamp;

/// What a search for the next fire comes to; see [`super::Trigger::look`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It fires then.
    Fire(Timestamp),
    /// Nothing is before this instant; from there on it is to be looked again. A search goes so far and no further, so
    /// that it takes no more than a few milliseconds: only parts of `all` that rarely meet make it end like this.
    NotBefore(Timestamp),
    /// It fires no more.
    Never,
}

impl Next {
    /// The fire, if one was found.
    #[must_use]
    pub fn fire(self) -> Option<Timestamp> {
        match self {
            Self::Fire(at) => Some(at),
            Self::NotBefore(_) | Self::Never => None,
        }
    }

    /// The earlier of two: what comes first when either may come.
    pub(super) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Never, known) | (known, Self::Never) => known,
            (Self::Fire(a), Self::Fire(b)) => Self::Fire(a.min(b)),
            (Self::NotBefore(a), Self::NotBefore(b)) => Self::NotBefore(a.min(b)),
            // A fire counts only as far as it is known that nothing comes before it.
            (Self::Fire(fire), Self::NotBefore(bound)) | (Self::NotBefore(bound), Self::Fire(fire)) => {
                if fire <= bound { Self::Fire(fire) } else { Self::NotBefore(bound) }
            }
        }
    }
}

impl From<Option<Timestamp>> for Next {
    fn from(fire: Option<Timestamp>) -> Self {
        fire.map_or(Self::Never, Self::Fire)
    }
}

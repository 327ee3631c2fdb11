//! Secrets that are handed to a guest and shown nowhere.

use std::{fmt, sync::Arc};

/// How a secret reaches the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SecretAs {
    /// Through `context.config` and `wasi:config`.
    #[default]
    Config,
    /// As an environment variable.
    Env,
}

/// A secret's value, already read from where it is kept.
///
/// ```
/// use clockbox_core::model::{Secret, SecretAs};
/// let secret = Secret::new("hunter2", SecretAs::Config);
/// assert_eq!(secret.expose(), "hunter2");
/// assert_eq!(format!("{secret:?}"), "Secret(*** as Config)");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    value: Arc<str>,
    handed: SecretAs,
}

impl Secret {
    /// A secret of this value.
    #[must_use]
    pub fn new(value: impl Into<Arc<str>>, handed: SecretAs) -> Self {
        Self { value: value.into(), handed }
    }

    /// The value: for the guest, and for finding it in what is to be shown.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.value
    }

    /// How it reaches the guest.
    #[must_use]
    pub fn handed_as(&self) -> SecretAs {
        self.handed
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret(*** as {:?})", self.handed)
    }
}

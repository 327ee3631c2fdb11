//! Why a trigger was refused.

use std::fmt;

/// A message is cut after so many.
const MOST_CHARACTERS: usize = 500;

/// Why a trigger was refused: where, what is wrong, and what to do.
///
/// ```
/// use clockbox_core::trigger::{Trigger, TriggerSpec};
/// let error = Trigger::new(TriggerSpec::interval("0s"), chrono_tz::UTC).unwrap_err();
/// assert_eq!(error.field, "interval");
/// assert!(error.to_string().starts_with("interval: "));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriggerError {
    /// The key within the trigger, such as `cron.hour` or `all.1.cron`; empty for the trigger as a whole.
    pub field: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl TriggerError {
    pub(super) fn new(field: &str, message: impl Into<String>) -> Self {
        let mut message = message.into();
        // What was written stands in it, however long that is.
        if let Some((cut, _)) = message.char_indices().nth(MOST_CHARACTERS) {
            message.truncate(cut);
            message.push('…');
        }
        Self { field: field.to_owned(), message, hint: None }
    }

    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Places the error below `parent`: `hour` becomes `cron.hour`.
    pub(crate) fn under(mut self, parent: &str) -> Self {
        self.field = match self.field.as_str() {
            "" => parent.to_owned(),
            field => format!("{parent}.{field}"),
        };
        self
    }
}

/// A trigger that was built in code is no text to be refused.
impl From<std::convert::Infallible> for TriggerError {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

impl fmt::Display for TriggerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for TriggerError {}

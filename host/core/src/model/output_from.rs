//! Where the output of a plugin's runs comes from.

use serde::{Deserialize, Serialize};

/// Where the output of a plugin's runs comes from: the plugin's `output` in the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutputFrom {
    /// What `run` of a job component returns. A command returns nothing, and so has no output.
    #[default]
    Returned,
    /// The last line that a command writes to stdout, if it is JSON.
    LastLine,
}

impl OutputFrom {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::LastLine, Self::Returned];

    /// The name used in the manifest and in JSON.
    ///
    /// ```
    /// assert_eq!(clockbox_core::model::OutputFrom::LastLine.as_str(), "last-line");
    /// ```
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Returned => "returned",
            Self::LastLine => "last-line",
        }
    }
}

//! The three kinds of plugin.

use std::fmt;

use clockbox_core::model::OutputFrom;

use crate::PluginError;

/// What a plugin is, told by its exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PluginKind {
    /// A component of the world `clockbox:job/job`.
    Job,
    /// A component of the world `wasi:cli/command`.
    Command,
    /// A WASI preview-1 command module.
    Module,
}

impl PluginKind {
    /// The name used in JSON and at the terminal.
    ///
    /// ```
    /// assert_eq!(clockbox_sandbox::PluginKind::Module.as_str(), "preview-1 command module");
    /// ```
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Job => "job component",
            Self::Command => "command component",
            Self::Module => "preview-1 command module",
        }
    }

    /// Whether the output of a plugin of this kind can come from there.
    ///
    /// # Errors
    /// When it cannot.
    pub fn check_output(self, output: OutputFrom) -> Result<(), PluginError> {
        match (self, output) {
            (Self::Job, OutputFrom::LastLine) => Err(PluginError::ReturnsOutput),
            (Self::Job, OutputFrom::Returned) | (Self::Command | Self::Module, _) => Ok(()),
        }
    }

    /// Whether it is a component (else a core module).
    pub(crate) fn is_component(self) -> bool {
        !matches!(self, Self::Module)
    }
}

impl fmt::Display for PluginKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

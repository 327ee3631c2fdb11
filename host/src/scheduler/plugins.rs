//! The plugin files of a program: gathered while a scheduler is built, loaded when it starts.

use std::collections::BTreeMap;

use clockbox_core::model::{PluginName, PluginSpec};
use clockbox_sandbox::{Plugin, Sandbox, SandboxOptions};

use super::{RefusedFile, StartError};
use crate::{clock::Clock, plugin_files};

/// More places than this are not kept ready for runs.
const MOST_INSTANCES: u32 = 20_000;

/// Which files are to be loaded, and how.
#[derive(Default)]
pub(super) struct Plugins {
    pub(super) specs: BTreeMap<PluginName, PluginSpec>,
    pub(super) options: Option<SandboxOptions>,
}

impl Plugins {
    /// Opens a sandbox and loads them; so many runs may go on at one time. Without any there is no sandbox.
    pub(super) fn load(self, slots: u32) -> Result<Vec<(PluginName, Plugin)>, StartError> {
        let Self { specs, options } = self;
        if specs.is_empty() {
            return Ok(Vec::new());
        }
        let options = options.unwrap_or_else(|| {
            let usual = SandboxOptions::default();
            let max_instances = usual.max_instances.max(slots.saturating_mul(2).min(MOST_INSTANCES));
            SandboxOptions { max_instances, clock: Some(|| Clock::system().now()), ..usual }
        });
        let sandbox = Sandbox::new(options)?;
        let (mut loaded, mut refused) = (Vec::new(), Vec::new());
        for (name, spec) in &specs {
            match plugin_files::load(&sandbox, spec, &specs) {
                Ok(plugin) => loaded.push((name.clone(), plugin)),
                Err((message, hint)) => {
                    refused.push(RefusedFile {
                        plugin: name.clone(),
                        path: spec.path.clone(),
                        message,
                        hint,
                    });
                }
            }
        }
        if refused.is_empty() { Ok(loaded) } else { Err(StartError::Plugins(refused)) }
    }
}

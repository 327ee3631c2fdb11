//! Turns a preview-1 command module into a command component.

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
};
use wit_component::ComponentEncoder;

use crate::PluginError;

/// Wraps `module` with the adapter that offers preview 1 on top of WASI 0.2.
pub(crate) fn to_component(module: &[u8]) -> Result<Vec<u8>, PluginError> {
    ComponentEncoder::default()
        .module(module)
        .and_then(|encoder| {
            encoder.adapter(WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER)
        })
        .and_then(|encoder| encoder.validate(false).encode())
        .map_err(|e| PluginError::Adapt(format!("{e:#}")))
}

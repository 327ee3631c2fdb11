//! The compiler on a thread of this process.

use std::{sync::mpsc, time::Duration};

use wasmtime::Engine;

use super::{
    message::{Answer, Work},
    precompile::precompile,
};
use crate::PluginError;

/// Compiles a binary, and gives up on it after `timeout`: the thread cannot be stopped, and holds on to `turn` until it
/// is done.
pub(super) fn compile<T: Send + 'static>(
    engine: &Engine,
    work: Work,
    binary: &[u8],
    timeout: Duration,
    turn: T,
) -> Result<Vec<u8>, PluginError> {
    let (engine, binary) = (engine.clone(), binary.to_vec());
    let (done, ended) = mpsc::channel();
    let failed = |why: &str| PluginError::Compiler(why.to_owned());
    std::thread::Builder::new()
        .name("clockbox-compiler".to_owned())
        .spawn(move || {
            let answer = precompile(&engine, work, &binary);
            // Nobody listens when it took too long.
            drop((done.send(answer), turn));
        })
        .map_err(|e| failed(&format!("its thread cannot be started: {e}")))?;
    match ended.recv_timeout(timeout) {
        Ok(Answer::Code(code)) => Ok(code),
        Ok(Answer::OutOfMemory) => Err(failed("the machine has no memory left")),
        Ok(Answer::Invalid(why)) => Err(PluginError::Invalid(why)),
        Ok(Answer::Other | Answer::Failed(_)) => Err(failed("it gave no code")),
        Err(mpsc::RecvTimeoutError::Timeout) => Err(PluginError::CompileTimeout { limit: timeout }),
        Err(mpsc::RecvTimeoutError::Disconnected) => Err(failed("it panicked at this plugin")),
    }
}

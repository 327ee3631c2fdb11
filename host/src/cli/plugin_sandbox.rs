//! The sandbox of the commands that load plugins.

use std::path::{Path, PathBuf};

use super::exit::Failure;
use crate::{
    clock::Clock,
    manifest::Manifest,
    sandbox::{Compiler, Sandbox, SandboxError, SandboxOptions},
};

/// The command by which this program compiles a plugin in a process of its own.
pub(super) const COMPILE: &str = "compile-plugin";

/// What a manifest says of the sandbox; `given` is a folder of the cache that a flag names.
pub(super) fn options(manifest: &Manifest, given: Option<PathBuf>) -> SandboxOptions {
    let scheduler = &manifest.scheduler;
    SandboxOptions {
        cache_dir: given.or_else(|| scheduler.cache_dir.clone()).or_else(cache_dir),
        compile: scheduler.compile.clone(),
        compiler: compiler(),
        clock: Some(|| Clock::system().now()),
        ..SandboxOptions::default()
    }
}

/// This very program. Linux knows it even after another version was put in its place; elsewhere that one says that it is
/// another.
fn compiler() -> Compiler {
    let running = Path::new("/proc/self/exe");
    let program = match cfg!(target_os = "linux") && running.exists() {
        true => Ok(running.to_owned()),
        false => std::env::current_exe(),
    };
    match program {
        Ok(program) => Compiler::Process { program, args: vec![COMPILE.into()] },
        Err(error) => {
            eprintln!("warning: plugins are compiled in this process, without a cap on memory: {error}");
            Compiler::InProcess
        }
    }
}

/// A sandbox, without a cache where its folder cannot be used: plugins are compiled at each start then.
pub(super) fn open(options: SandboxOptions) -> Result<Sandbox, Failure> {
    match Sandbox::new(options.clone()) {
        Err(error @ SandboxError::Cache { .. }) => {
            eprintln!("warning: {error}");
            eprintln!(
                "hint: plugins are compiled at each start; name another folder with [scheduler] cache_dir"
            );
            Sandbox::new(SandboxOptions { cache_dir: None, ..options }).map_err(failure)
        }
        sandbox => sandbox.map_err(failure),
    }
}

fn failure(error: SandboxError) -> Failure {
    match &error {
        SandboxError::CoreDumps { .. } => {
            Failure::new(error).hint("name a folder that can be made and written to with --coredump")
        }
        _ => Failure::new(error),
    }
}

/// The user's cache folder: compiled plugins outlive the host, and may be deleted at any time.
fn cache_dir() -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
        .or_else(|| absolute("LOCALAPPDATA"))
        .map(|cache| cache.join("clockbox").join("plugins"))
}

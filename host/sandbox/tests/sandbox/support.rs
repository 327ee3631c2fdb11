//! What the tests of the sandbox share: one sandbox, a sink that remembers, and guests made from text.

use std::{
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use clockbox_core::model::{Cause, Limits, LogLine, LogStream, PluginSpec, Report, RunId, Timestamp};
use clockbox_sandbox::{CancelToken, Plugin, RunRequest, RunSink, Sandbox, SandboxOptions};
use tokio::sync::watch;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, WorldId};

/// The sandbox of this test binary.
pub(crate) fn sandbox() -> &'static Sandbox {
    static SANDBOX: OnceLock<Sandbox> = OnceLock::new();
    SANDBOX.get_or_init(|| Sandbox::new(SandboxOptions { max_instances: 100, ..Default::default() }).unwrap())
}

pub(crate) fn spec(name: &str) -> PluginSpec {
    PluginSpec::new(name.parse().unwrap(), format!("{name}.wasm"))
}

pub(crate) fn load(bytes: &[u8]) -> Plugin {
    sandbox().load(bytes, &spec("test")).unwrap()
}

pub(crate) fn load_limited(bytes: &[u8], limits: Limits) -> Plugin {
    sandbox().load(bytes, &PluginSpec { limits, ..spec("test") }).unwrap()
}

pub(crate) fn noon() -> Timestamp {
    "2030-01-01T12:00:00Z".parse().unwrap()
}

pub(crate) fn request(args: &str) -> RunRequest {
    RunRequest {
        job: "nightly".parse().unwrap(),
        run: RunId::next(None, noon()),
        attempt: 2,
        scheduled_at: noon(),
        previous_success: Some(noon() - Duration::from_secs(3600)),
        cause: Cause::Manual,
        args: args.into(),
    }
}

/// A report of progress: done, total and note.
pub(crate) type Step = (u64, Option<u64>, Option<String>);

/// Remembers what it is told; its clock stands still unless it is moved.
pub(crate) struct Memory {
    clock: Mutex<Timestamp>,
    /// How far the clock moves at each look.
    step: Duration,
    pub(crate) lines: Mutex<Vec<LogLine>>,
    pub(crate) progress: Mutex<Vec<Step>>,
    heard: watch::Sender<usize>,
}

impl Memory {
    pub(crate) fn new() -> Arc<Self> {
        Self::stepping(Duration::ZERO)
    }

    pub(crate) fn stepping(step: Duration) -> Arc<Self> {
        Arc::new(Self {
            clock: Mutex::new(noon()),
            step,
            lines: Mutex::default(),
            progress: Mutex::default(),
            heard: watch::Sender::new(0),
        })
    }

    /// Waits until `count` lines have come.
    pub(crate) async fn heard(&self, count: usize) {
        self.heard.subscribe().wait_for(|heard| *heard >= count).await.unwrap();
    }

    pub(crate) fn texts(&self, stream: LogStream) -> Vec<String> {
        let lines = self.lines.lock().unwrap();
        lines.iter().filter(|line| line.stream == stream).map(|line| line.message.clone()).collect()
    }
}

impl RunSink for Memory {
    fn now(&self) -> Timestamp {
        let mut clock = self.clock.lock().unwrap();
        *clock += self.step;
        *clock
    }

    fn log(&self, line: LogLine) {
        self.lines.lock().unwrap().push(line);
        self.heard.send_modify(|heard| *heard += 1);
    }

    fn progress(&self, done: u64, total: Option<u64>, note: Option<String>) {
        self.progress.lock().unwrap().push((done, total, note));
    }
}

pub(crate) async fn run(plugin: &Plugin, args: &str) -> (Report, Arc<Memory>) {
    let sink = Memory::new();
    let report = plugin.run(request(args), sink.clone(), CancelToken::new()).await;
    (report, sink)
}

/// A job component whose `run` has this body in WebAssembly text: `$args` and `$len` are its parameters, and it
/// leaves what `$none`, `$some` or `$fail` return.
pub(crate) fn job(body: &str) -> Vec<u8> {
    job_with("", body)
}

/// The same with more items (functions, data) in the module.
pub(crate) fn job_with(items: &str, body: &str) -> Vec<u8> {
    job_importing("", items, body)
}

/// The same with more imports.
pub(crate) fn job_importing(imports: &str, items: &str, body: &str) -> Vec<u8> {
    let frame = include_str!("guests/job.wat");
    let text = frame.replace(";; IMPORTS", imports).replace(";; ITEMS", items).replace(";; BODY", body);
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit")).unwrap();
    let world = resolve.select_world(&[package], Some("job")).unwrap();
    component(&text, &resolve, world)
}

/// A component of a core module and the world that its imports and exports are named after.
pub(crate) fn component(text: &str, resolve: &Resolve, world: WorldId) -> Vec<u8> {
    let mut module = wat::parse_str(text).unwrap();
    embed_component_metadata(&mut module, resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&module).unwrap().validate(true).encode().unwrap()
}

/// A preview-1 command as text, with this in `_start`. The functions of preview 1 that the guests use are imported
/// under their names, and `$say` writes a string to a descriptor.
pub(crate) fn command(items: &str, body: &str) -> String {
    include_str!("guests/command.wat").replace(";; ITEMS", items).replace(";; BODY", body)
}

/// The same as a command component.
pub(crate) fn command_component(items: &str, body: &str) -> Vec<u8> {
    use wasi_preview1_component_adapter_provider::{
        WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME as NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER as ADAPTER,
    };
    let module = wat::parse_str(command(items, body)).unwrap();
    ComponentEncoder::default().module(&module).unwrap().adapter(NAME, ADAPTER).unwrap().encode().unwrap()
}

//! A scheduler with a control API, and clients of it.

use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use clockbox::{
    Clock, Event, ManualClock, Outcome, Pool, Report, Scheduler,
    control::{
        Control, Hooks, Problem, Uploads,
        client::{Address, Answer, Client, ClientError},
    },
    manifest::{self, Overrides, ServerSettings},
    reload::{Loader, Reloader},
    sandbox::{Sandbox, SandboxOptions},
};
use http::{HeaderName, Method};
use serde_json::Value;

/// What a host with uploads is told.
const MANIFEST: &str = "\
[scheduler]
plugin_dir = \"jobs\"
[plugins.fixed]
path = \"fixed.wasm\"
";

/// A host whose clock stands still until it is moved.
pub(crate) struct Host {
    pub(crate) scheduler: Scheduler,
    pub(crate) hand: ManualClock,
    control: Control,
    folder: tempfile::TempDir,
}

impl Host {
    pub(crate) fn start() -> Self {
        Self::start_with(|_| {}, |_, _| Hooks::default())
    }

    /// One with a manifest, into whose plugin folder plugins may be uploaded.
    pub(crate) fn with_uploads() -> Self {
        Self::start_with(
            |_| {},
            |folder, scheduler| {
                let path = folder.join("clockbox.toml");
                std::fs::create_dir(folder.join("jobs")).unwrap();
                std::fs::write(&path, MANIFEST).unwrap();
                let fixed = "(module (memory (export \"memory\") 1) (func (export \"_start\")))";
                std::fs::write(folder.join("fixed.wasm"), fixed).unwrap();
                let manifest =
                    manifest::load(&path, &Overrides::default(), &|_| None).unwrap().whole().unwrap();
                let mut loader = Loader::new(Sandbox::new(SandboxOptions::default()).unwrap());
                for (name, plugin) in loader.load(&manifest).plugins {
                    scheduler.add_plugin(name, plugin);
                }
                let max_size = 4 << 10;
                let uploads = Uploads { folder: manifest.scheduler.plugin_dir.clone(), max_size };
                let reloader = Reloader::new(path, Overrides::default(), manifest, loader, scheduler.clone());
                let handle = Mutex::new(reloader.start(false).unwrap());
                let reload = move || handle.lock().unwrap().reload();
                Hooks { reload: Some(Arc::new(reload)), uploads: Some(uploads), ..Hooks::default() }
            },
        )
    }

    pub(crate) fn start_with(
        set: impl FnOnce(&mut ServerSettings),
        hooks: impl FnOnce(&Path, &Scheduler) -> Hooks,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (clock, hand) = Clock::manual("2030-01-01T00:00:00Z".parse().unwrap());
        let scheduler = Scheduler::builder()
            .clock(clock)
            .pool(Pool::new("heavy".parse().unwrap()))
            .native("hello".parse().unwrap(), |_, _| async { Report::new(Outcome::Succeeded) })
            .native("failing".parse().unwrap(), |_, _| async { Report::new(Outcome::Failed) })
            .native("stubborn".parse().unwrap(), |_, token| async move {
                token.cancelled().await;
                Report::new(Outcome::Cancelled)
            })
            .start()
            .unwrap();
        let mut settings = ServerSettings {
            socket: Some(folder.path().join("clockbox.sock")),
            listen: Some("127.0.0.1:0".parse().unwrap()),
            ..ServerSettings::default()
        };
        set(&mut settings);
        let hooks = hooks(folder.path(), &scheduler);
        let control = Control::start(&scheduler, &settings, hooks).unwrap();
        Self { scheduler, hand, control, folder }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn client(&self) -> Caller {
        let path = self.control.socket().unwrap().to_owned();
        Caller(Client::connect(Address::Socket(path), None).unwrap())
    }

    /// Runs a job and waits for its end; answers with the run's id.
    pub(crate) fn run(&self, job: &str) -> String {
        let mut events = self.scheduler.subscribe();
        let id = self.scheduler.run_now(job.parse().unwrap(), None).wait().unwrap();
        while !matches!(events.next_blocking().unwrap().unwrap().event, Event::RunFinished { run, .. } if run == id)
        {
        }
        id.to_string()
    }

    /// Where it listens.
    pub(crate) fn tcp_address(&self) -> std::net::SocketAddr {
        self.control.address().unwrap()
    }

    /// One that comes over TCP.
    pub(crate) fn tcp_client(&self) -> Caller {
        self.tcp_client_with(None)
    }

    /// The same with a token.
    pub(crate) fn tcp_client_with(&self, token: Option<&str>) -> Caller {
        let address = self.control.address().unwrap().to_string();
        Caller(Client::connect(Address::Tcp(address), token).unwrap())
    }
}

/// A client that answers with what a test looks at.
pub(crate) struct Caller(pub(crate) Client);

impl Caller {
    pub(crate) fn send(&mut self, method: &str, path: &str, body: Value) -> Result<Answer, Problem> {
        self.send_if(method, path, &[], body)
    }

    pub(crate) fn send_if(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(HeaderName, &str)],
        body: Value,
    ) -> Result<Answer, Problem> {
        let method: Method = method.parse().unwrap();
        let body = (!body.is_null()).then_some(&body);
        match self.0.call(method, path, headers, body) {
            Ok(answer) => Ok(answer),
            Err(ClientError::Refused(problem)) => Err(*problem),
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) fn ok(&mut self, method: &str, path: &str, body: Value) -> Value {
        let answer = self.send(method, path, body).unwrap();
        if answer.body.is_empty() { Value::Null } else { answer.json().unwrap() }
    }

    pub(crate) fn get(&mut self, path: &str) -> Value {
        self.ok("GET", path, Value::Null)
    }

    pub(crate) fn no(&mut self, method: &str, path: &str, body: Value) -> Problem {
        self.send(method, path, body).unwrap_err()
    }
}

//! A folder with a manifest in it, and the command to run there.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::{Answer, History, Running};

/// The program under test and a folder that outlives the tests: what cargo tells integration tests alone.
#[derive(Debug, Clone, Copy)]
pub struct Build {
    /// The `clockbox` command.
    pub command: &'static str,
    /// A folder for compiled plugins, shared by all tests so that each is compiled once.
    pub scratch: &'static str,
}

/// A place where a host can run: a folder of its own, removed when this is dropped.
#[derive(Debug)]
pub struct TestHost {
    build: Build,
    folder: TempDir,
}

impl TestHost {
    /// An empty place.
    ///
    /// # Panics
    /// When no folder can be created; like all of these, which serve tests.
    #[must_use]
    pub fn new(build: Build) -> Self {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
        fs::create_dir(folder.path().join("jobs")).unwrap_or_else(|error| panic!("{error}"));
        Self { build, folder }
    }

    /// The place's folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A path in the folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// Writes the manifest in one step: a host that runs sees the old one or the new one.
    #[track_caller]
    pub fn manifest(&self, text: &str) {
        self.put("clockbox.toml", text.as_bytes());
    }

    /// Writes a file in one step.
    #[track_caller]
    pub fn put(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        let mut beside = path.clone().into_os_string();
        beside.push(".part");
        fs::write(&beside, bytes)
            .and_then(|()| fs::rename(&beside, path))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
    }

    /// Drops a plugin into the plugin folder, under the name it has or under another one, in one step.
    #[track_caller]
    pub fn drop_plugin(&self, file: &Path, name: &str) {
        let bytes = fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let end = file.extension().unwrap_or_default().to_string_lossy();
        self.put(&format!("jobs/{name}.{end}"), &bytes);
    }

    /// Removes a file.
    #[track_caller]
    pub fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    }

    /// Starts the host.
    #[must_use]
    #[track_caller]
    pub fn start(&self) -> Running {
        self.start_with(&[])
    }

    /// Starts the host with further arguments.
    #[must_use]
    #[track_caller]
    pub fn start_with(&self, args: &[&str]) -> Running {
        let mut command = self.command();
        command.args(["run", "--log-format", "json"]).args(args);
        Running::spawn(command)
    }

    /// Starts a host with a command line of its own, such as one that begins in another folder.
    #[must_use]
    #[track_caller]
    pub fn start_as(command: Command) -> Running {
        Running::spawn(command)
    }

    /// Starts a command in the folder that goes on until it is told to end.
    #[must_use]
    #[track_caller]
    pub fn begin(&self, args: &[&str]) -> Running {
        let mut command = self.command();
        command.args(args);
        Running::spawn(command)
    }

    /// Runs a command in the folder to its end.
    #[track_caller]
    pub fn cli(&self, args: &[&str]) -> Answer {
        let mut command = self.command();
        command.args(args);
        Answer::of(command)
    }

    /// Runs a command of the command line with variables in its environment.
    #[must_use]
    #[track_caller]
    pub fn cli_with(&self, args: &[&str], variables: &[(&str, &str)]) -> Answer {
        let mut command = self.command();
        command.args(args).envs(variables.iter().copied());
        Answer::of(command)
    }

    /// The history in the folder's database.
    #[must_use]
    #[track_caller]
    pub fn history(&self) -> History {
        History::open(&self.path("clockbox.db"))
    }

    /// The command in the folder, without any setting of whoever runs the tests.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new(self.build.command);
        let is_setting = |name: &str| name.starts_with("CLOCKBOX_") || name.starts_with("OTEL_");
        for (name, _) in std::env::vars_os().filter(|(name, _)| is_setting(&name.to_string_lossy())) {
            command.env_remove(name);
        }
        command
            .current_dir(self.folder())
            .env("CLOCKBOX_LOG", "info,clockbox=debug")
            .env("XDG_CACHE_HOME", self.build.scratch)
            .env("HOME", self.folder());
        command
    }
}

//! An attack: a guest, what it is given, and what must become of it.

use std::path::PathBuf;

use clockbox_core::model::Outcome;
use clockbox_tests::guest;

/// One hostile guest, and what is documented of it.
pub(crate) struct Attack {
    /// Its name: that of its plugin and its job.
    pub(crate) name: &'static str,
    /// What it tries, for the table.
    pub(crate) tries: &'static str,
    pub(crate) file: File,
    /// Keys of its plugin in the manifest, a line each.
    pub(crate) plugin: String,
    /// Keys of its job.
    pub(crate) job: String,
    pub(crate) outcome: Outcome,
    /// Parts of what the host must say: in the reason, or in its remarks in the run's log.
    pub(crate) says: &'static [&'static str],
    /// Whether its job fires again and again; what is told is its first run.
    pub(crate) repeats: bool,
    /// The most that the host may hold at any time while it runs, beyond what it held before, in bytes.
    pub(crate) most: u64,
}

/// Where the plugin comes from.
pub(crate) enum File {
    /// A guest in `tests/guests`, or a prebuilt plugin.
    Committed(PathBuf),
    /// Bytes that are made, because they are many or malformed; with the end of the file's name.
    Made(&'static str, Vec<u8>),
}

/// The memory that an attack gets unless it says otherwise.
pub(crate) const MEMORY: u64 = 16 << 20;

impl Attack {
    /// A guest of `tests/guests` under this name.
    pub(crate) fn new(name: &'static str, file: &str, tries: &'static str) -> Self {
        Self::of(name, File::Committed(guest(file)), tries)
    }

    /// Any file.
    pub(crate) fn of(name: &'static str, file: File, tries: &'static str) -> Self {
        Self {
            name,
            tries,
            file,
            plugin: format!(
                "limits = {{ timeout = \"60s\", memory = \"{}MiB\", log = \"8KiB\" }}\n",
                MEMORY >> 20
            ),
            job: String::new(),
            outcome: Outcome::Succeeded,
            says: &[],
            repeats: false,
            most: 2 * MEMORY,
        }
    }

    /// What must become of it.
    pub(crate) fn ends(self, outcome: Outcome, says: &'static [&'static str]) -> Self {
        Self { outcome, says, ..self }
    }

    /// Its time is over soon.
    pub(crate) fn briefly(self) -> Self {
        Self { plugin: self.plugin.replace("\"60s\"", "\"300ms\""), ..self }
    }

    /// What its plugin is allowed, as a table.
    pub(crate) fn allowed(mut self, rights: &str) -> Self {
        self.plugin += &format!("allow = {rights}\n");
        self
    }

    /// The arguments of its job.
    pub(crate) fn args(self, args: &str) -> Self {
        Self { job: format!("args = {args}\n"), ..self }
    }

    /// Its job fires every second.
    pub(crate) fn each_second(self) -> Self {
        Self { repeats: true, job: "trigger = { interval = \"1s\" }\n".to_owned(), ..self }
    }

    /// One more limit of its plugin.
    pub(crate) fn limited(self, limit: &str) -> Self {
        Self { plugin: self.plugin.replace("limits = { ", &format!("limits = {{ {limit}, ")), ..self }
    }

    /// One more key of its plugin.
    pub(crate) fn with(mut self, key: &str) -> Self {
        self.plugin += key;
        self
    }
}

//! What a running host has of the plugins, laid over what the files say.

use std::collections::BTreeMap;

use super::listing::{Listed, Listing, Source, Trouble};
use crate::{
    cli::{
        ask::Host,
        exit::Failure,
        jobs::every_job,
        text::{plain, short_digest},
    },
    control::{Plugins, view::PluginView},
    manifest::Severity,
};

/// What a host says of its plugins.
#[derive(Debug, Default)]
pub(super) struct Seen {
    plugins: Vec<PluginView>,
    /// The jobs of each, by name.
    jobs: BTreeMap<String, Vec<String>>,
}

impl Seen {
    /// Asks a host.
    pub(super) fn of(host: &mut Host) -> Result<Self, Failure> {
        let Plugins { plugins } = host.get("/v1/plugins")?;
        let mut jobs: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for job in every_job(host)? {
            jobs.entry(job.keys.plugin.unwrap_or_default()).or_default().push(job.name);
        }
        Ok(Self { plugins, jobs })
    }
}

/// Adds to each plugin what the host has of it, and the plugins and jobs that only the host has.
pub(super) fn lay_over(listing: &mut Listing, seen: Seen) {
    let Seen { plugins, mut jobs } = seen;
    for listed in listing.plugins.iter_mut().filter(|listed| listed.is_fine()) {
        if !plugins.iter().any(|view| view.name == listed.name) {
            listed.problems.push(unheard("the host has not loaded it".to_owned()));
        }
    }
    for view in plugins {
        let jobs = jobs.remove(&view.name).unwrap_or_default();
        match listing.plugins.iter_mut().find(|listed| listed.name == view.name) {
            Some(listed) => listed.lay(view, jobs),
            None => listing.plugins.push(alone(view, jobs)),
        }
    }
    listing.plugins.sort_by(|a, b| a.name.cmp(&b.name));
}

impl Listed {
    /// Whether it is a file that a host would load.
    fn is_fine(&self) -> bool {
        matches!(self.source, Source::Manifest | Source::Folder) && self.problems.is_empty()
    }

    fn lay(&mut self, view: PluginView, jobs: Vec<String>) {
        self.loaded_at = view.loaded_at.map(|at| at.to_rfc3339());
        for job in jobs {
            // One that is disabled in the manifest is no job of the host.
            self.disabled_jobs.retain(|disabled| *disabled != job);
            if !self.jobs.contains(&job) {
                self.jobs.push(job);
            }
        }
        self.jobs.sort();
        if let (Some(running), Some(file)) = (&view.sha256, &self.sha256)
            && running != file
        {
            let running = short_digest(running);
            self.problems.push(unheard(format!("the host runs another version of it, {running}")));
        }
        let has_error = self.problems.iter().any(|known| known.severity == Severity::Error);
        self.problems.extend(view.refused.filter(|_| !has_error).map(refused));
    }
}

/// A plugin of which only the host knows.
fn alone(view: PluginView, jobs: Vec<String>) -> Listed {
    const KINDS: [&str; 4] = ["job component", "command component", "preview-1 command module", "native"];
    Listed {
        name: plain(&view.name),
        path: view.path.as_deref().map(plain),
        source: Source::Host,
        kind: view.kind.and_then(|kind| KINDS.into_iter().find(|known| *known == kind)),
        size: view.size,
        sha256: view.sha256,
        pinned: false,
        pin_matches: None,
        rights: view.rights.iter().map(|words| plain(words)).collect(),
        jobs,
        disabled_jobs: Vec::new(),
        cached: None,
        compiled_at: view.compiled_at.map(|at| at.to_rfc3339()),
        compile_ms: view.compile_ms,
        used_at: None,
        loaded_at: view.loaded_at.map(|at| at.to_rfc3339()),
        problems: view.refused.map(refused).into_iter().collect(),
    }
}

/// The files say something that the host has not heard of.
fn unheard(message: String) -> Trouble {
    let hint = Some("`clockbox reload` says what keeps it from taking the file up".to_owned());
    Trouble { severity: Severity::Warning, message, hint }
}

fn refused(why: String) -> Trouble {
    Trouble {
        severity: Severity::Error,
        message: format!("the host refused it: {}", plain(&why)),
        hint: None,
    }
}

//! What a plugin may reach.

use std::{collections::BTreeMap, path::PathBuf};

use super::{Allow, Endpoint, HttpGrant, PluginName, Secret};

/// What a plugin may reach. The default is nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rights {
    /// Origins that it may send HTTP requests to.
    pub http: Vec<HttpGrant>,
    /// Hosts and networks that it may open TCP connections to.
    pub tcp: Vec<Endpoint>,
    /// Whether it may look names up.
    pub dns: bool,
    /// Folders that it may read: guest path to host path.
    pub read: BTreeMap<String, PathBuf>,
    /// Folders that it may read and change: guest path to host path.
    pub write: BTreeMap<String, PathBuf>,
    /// Its environment: names and values, already resolved.
    pub env: BTreeMap<String, String>,
    /// Arguments of a command, before those of the job.
    pub args: Vec<String>,
    /// Secrets by name.
    pub secrets: BTreeMap<String, Secret>,
    /// Whether its jobs may keep state.
    pub state: bool,
    /// Whether it may manage jobs, and which.
    pub jobs: Option<JobsRight>,
    /// What its clocks show.
    pub clock: ClockRight,
    /// Where its random numbers come from.
    pub random: RandomRight,
}

/// How far a guest may manage jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobsRight {
    /// Plugins whose jobs it may manage, beside its own.
    pub plugins: Vec<PluginName>,
    /// The most jobs that guests of this plugin may have added at one time.
    pub max_jobs: u32,
    /// The most changes that its runs may ask for in a minute, all of them together.
    pub per_minute: u32,
}

impl Default for JobsRight {
    /// Its own jobs, at most 100, with 60 changes a minute.
    fn default() -> Self {
        Self { plugins: Vec::new(), max_jobs: 100, per_minute: 60 }
    }
}

/// What a guest's clocks show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClockRight {
    /// The time.
    #[default]
    Real,
    /// The time that the run was scheduled for, and no time passes.
    Frozen,
}

/// Where a guest's random numbers come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RandomRight {
    /// The operating system.
    #[default]
    Real,
    /// A generator that starts from the run's id: the same numbers for each attempt.
    Seeded,
}

impl Rights {
    /// These rights cut down to what `allow` lists. It never widens: what is not here is not there either.
    ///
    /// ```
    /// use clockbox_core::model::{Allow, Rights};
    /// let rights = Rights { dns: true, state: true, ..Rights::default() };
    /// let narrowed = rights.narrowed(&Allow { state: true, jobs: true, ..Allow::default() });
    /// assert!(narrowed.state && !narrowed.dns && narrowed.jobs.is_none());
    /// ```
    #[must_use]
    pub fn narrowed(&self, allow: &Allow) -> Self {
        let keep = |names: &[String], name: &str| names.iter().any(|listed| listed == name);
        // A folder that may be changed can be listed under `read`: then it may be read only.
        let readable = self.read.iter().chain(&self.write).filter(|(guest, _)| keep(&allow.read, guest));
        let written = self.write.iter().filter(|(guest, _)| keep(&allow.write, guest));
        let http = allow.http.iter().filter_map(|grant| {
            let within = self.http.iter().find(|given| given.covers(grant))?;
            Some(HttpGrant { private: grant.private && within.private, ..grant.clone() })
        });
        let tcp = allow.tcp.iter().filter_map(|endpoint| {
            let within = self.tcp.iter().find(|given| given.covers(endpoint))?;
            Some(endpoint.clone().with_private(endpoint.is_private() && within.is_private()))
        });
        Self {
            http: http.collect(),
            tcp: tcp.collect(),
            dns: self.dns && allow.dns,
            read: readable.map(|(guest, host)| (guest.clone(), host.clone())).collect(),
            write: written.map(|(guest, host)| (guest.clone(), host.clone())).collect(),
            env: pick(&self.env, &allow.env),
            args: self.args.clone(),
            secrets: pick(&self.secrets, &allow.secrets),
            state: self.state && allow.state,
            jobs: self.jobs.clone().filter(|_| allow.jobs),
            clock: self.clock,
            random: self.random,
        }
    }
}

fn pick<T: Clone>(all: &BTreeMap<String, T>, names: &[String]) -> BTreeMap<String, T> {
    let named = names.iter().filter_map(|name| all.get_key_value(name));
    named.map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(text: &str) -> HttpGrant {
        HttpGrant::to(text.parse().unwrap())
    }

    fn endpoint(text: &str) -> Endpoint {
        text.parse().unwrap()
    }

    #[test]
    fn a_job_gets_what_it_lists_out_of_what_the_plugin_has() {
        let folders = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), "x".into())).collect();
        let rights = Rights {
            http: vec![grant("https://*.example.com")],
            tcp: vec![endpoint("10.0.0.0/8:5432")],
            read: folders(&["/a", "/b"]),
            write: folders(&["/w"]),
            env: [("LANG".to_owned(), "C".to_owned()), ("HOME".to_owned(), "/".to_owned())].into(),
            ..Rights::default()
        };
        let allow = Allow {
            http: vec![grant("https://api.example.com"), grant("https://evil.example")],
            tcp: vec![endpoint("10.1.2.3:5432"), endpoint("10.1.2.3:22")],
            read: vec!["/a".to_owned(), "/w".to_owned(), "/etc".to_owned()],
            env: vec!["LANG".to_owned(), "PATH".to_owned()],
            ..Allow::default()
        };
        let narrowed = rights.narrowed(&allow);
        assert_eq!(narrowed.http, [grant("https://api.example.com")]);
        assert_eq!(narrowed.tcp, [endpoint("10.1.2.3:5432")]);
        assert_eq!(narrowed.read.keys().collect::<Vec<_>>(), ["/a", "/w"]);
        assert!(narrowed.write.is_empty());
        assert_eq!(narrowed.env.keys().collect::<Vec<_>>(), ["LANG"]);
    }

    #[test]
    fn private_addresses_stay_closed_unless_both_open_them() {
        let open = |text: &str| HttpGrant { private: true, ..grant(text) };
        let narrow = |given: HttpGrant, asked: HttpGrant| {
            let rights = Rights { http: vec![given], ..Rights::default() };
            rights.narrowed(&Allow { http: vec![asked], ..Allow::default() }).http[0].private
        };
        let name = "https://a.example";
        assert!(narrow(open(name), open(name)));
        assert!(!narrow(grant(name), open(name)));
        assert!(!narrow(open(name), grant(name)));
    }
}

//! The host's side of one instance: the data of its `wasmtime::Store`.

use std::sync::Arc;

use clockbox_core::model::{Effects, LogLevel};
use wasmtime_wasi::{WasiCtxView, WasiView, p1::WasiP1Ctx};
use wasmtime_wasi_config::WasiConfigVariables;
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::{
    Plugin,
    bindings::clockbox::job::{log, progress, types},
    facts::Facts,
    http::Gate,
    jobs::{Jobs, Rate},
    limiter::Limiter,
    listing::Listings,
    log::Journal,
    progress::Progress,
    state::State,
};

/// The most bytes of one set of HTTP header fields: with the number of resources it bounds what a guest can make the host
/// hold beside its own memory.
const MOST_FIELD_BYTES: usize = 16 << 10;

/// What one guest has on the host's side.
pub(crate) struct Guest {
    pub(crate) facts: Facts,
    pub(crate) limiter: Limiter,
    pub(crate) listings: Listings,
    pub(crate) journal: Journal,
    pub(crate) progress: Progress,
    pub(crate) config: Arc<WasiConfigVariables>,
    /// Of components too: preview 1 is a layer over the same streams and folders.
    pub(crate) wasi: WasiP1Ctx,
    http: WasiHttpCtx,
    gate: Gate,
    pub(crate) state: State,
    /// Nothing until the run asks for the first time.
    pub(crate) jobs: Option<Box<Jobs>>,
    pub(crate) job_rate: Arc<Rate>,
}

impl Guest {
    pub(crate) fn new(facts: Facts, mut wasi: WasiP1Ctx, journal: Journal, plugin: &Plugin) -> Self {
        wasi.ctx().table.set_max_capacity(facts.spec.limits.handles as usize);
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(MOST_FIELD_BYTES);
        Self {
            limiter: Limiter::new(facts.spec.limits.memory),
            listings: Listings::new(),
            progress: Progress::new(facts.sink.clone(), plugin.redactor.clone()),
            gate: Gate::new(facts.spec.clone(), plugin.client.clone(), journal.clone()),
            facts,
            journal,
            config: plugin.config.clone(),
            wasi,
            http,
            state: State::default(),
            jobs: None,
            job_rate: plugin.job_rate.clone(),
        }
    }

    /// What sends its requests, or refuses them.
    pub(crate) fn gate(&mut self) -> &mut Gate {
        &mut self.gate
    }

    /// What takes effect if the run succeeds.
    pub(crate) fn take_effects(&mut self) -> Option<Box<Effects>> {
        let state = std::mem::take(&mut self.state).into_changes();
        let jobs = self.jobs.take().zip(self.facts.spec.rights.jobs.as_ref());
        let jobs = jobs.and_then(|(jobs, right)| jobs.into_changes(|| self.jobs_reach(right)));
        Effects { state, jobs }.if_any()
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.wasi.ctx()
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: self.wasi.ctx().table, hooks: &mut self.gate }
    }
}

impl types::Host for Guest {}

impl log::Host for Guest {
    fn write(&mut self, level: log::Level, message: String, fields: Vec<log::Field>) {
        let level = match level {
            log::Level::Trace => LogLevel::Trace,
            log::Level::Debug => LogLevel::Debug,
            log::Level::Info => LogLevel::Info,
            log::Level::Warn => LogLevel::Warn,
            log::Level::Error => LogLevel::Error,
        };
        let fields = fields.into_iter().map(|field| (field.key, field.value)).collect();
        self.journal.log(level, &message, fields);
    }
}

impl progress::Host for Guest {
    fn report(&mut self, done: u64, total: Option<u64>, note: Option<String>) {
        self.progress.report(done, total, note);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_uses_neither_state_nor_jobs_has_a_word_for_each() {
        fn size<T>(_: fn(&Guest) -> &T) -> usize {
            size_of::<T>()
        }
        let sizes = [size(|guest| &guest.state), size(|guest| &guest.jobs)];
        assert_eq!(sizes, [size_of::<usize>(); 2]);
    }
}

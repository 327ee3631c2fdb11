//! One run, in a straight line: instance, call under the deadline, report.

use std::{pin::Pin, sync::Arc, task::Poll};

use clockbox_core::model::{LogLevel, Outcome, OutputFrom, Report};
use wasmtime::{Store, UpdateDeadline};

use crate::{
    CancelToken, Plugin, PluginKind, RunRequest, RunSink,
    backtrace::render,
    bindings::clockbox::job::types::JobError,
    cores::Origin,
    facts::Facts,
    guest::Guest,
    log::Journal,
    plugin::Entry,
    said::Said,
    trap::component_handles,
    verdict::{End, Traces, frames, verdict},
    wasi,
};

/// What a guest answered.
pub(crate) enum Answer {
    Job(Result<Option<String>, JobError>),
    Command(Result<(), ()>),
}

/// Runs `plugin` once.
pub(crate) async fn run(
    plugin: &Plugin,
    request: RunRequest,
    sink: Arc<dyn RunSink>,
    cancel: CancelToken,
) -> Report {
    let _ticking = plugin.sandbox.ticker.run();
    let limits = &plugin.spec.limits;
    let mut journal = Journal::new(sink.clone(), limits.log, plugin.redactor.clone());
    if plugin.is_narrowed {
        journal = journal.of_narrowed();
    }
    // One that was a command until its file was replaced may be told so still.
    if plugin.spec.output == OutputFrom::LastLine && plugin.kind() != PluginKind::Job {
        journal = journal.with_last_line(limits.output);
    }
    let wasi = match wasi::context(
        &plugin.spec,
        plugin.kind(),
        &request,
        &plugin.sandbox.options.resolver,
        &journal,
    ) {
        Ok(wasi) => wasi,
        Err(reason) => return Report::new(Outcome::HostError).because(reason),
    };
    let args = request.args.clone();
    let started = sink.now();
    let facts = Facts { request, spec: plugin.spec.clone(), sink, cancel: cancel.clone(), started };
    let guest = Guest::new(facts, wasi, journal.clone(), plugin);
    let mut store = match store(plugin, guest) {
        Ok(store) => store,
        Err(e) => {
            return Report::new(Outcome::HostError).because(format!("the instance cannot be set up: {e:#}"));
        }
    };

    let mut instantiated = false;
    let end = {
        // Instantiation runs code of the guest too: the deadline holds for both.
        let mut call = std::pin::pin!(call(&plugin.compiled.entry, &mut store, &args, &mut instantiated));
        let timeout = tokio::time::sleep(limits.timeout);
        let outstayed = async {
            cancel.cancelled().await;
            tokio::time::sleep(limits.cancel_grace).await;
        };
        // Most runs are over before anything else needs to be waited for.
        let first = match cancel.is_killed() {
            true => None,
            false => once(call.as_mut()).await,
        };
        match first {
            Some(answer) => answer.into(),
            None => tokio::select! {
                biased;
                () = cancel.killed() => End::Killed,
                () = outstayed => End::Outstayed,
                answer = call => answer.into(),
                () = timeout => End::TimedOut,
            },
        }
    };
    // Of a guest that is cut off the engine knows what it had used at its last call, and not what it has used.
    let cut_off = matches!(end, End::TimedOut | End::Killed | End::Outstayed);
    let fuel = limits.fuel.filter(|_| !cut_off);
    let fuel = fuel.and_then(|limit| Some(limit.saturating_sub(store.get_fuel().ok()?)));
    let guest = store.data_mut();
    guest.progress.flush();
    let (peak, denied, table) = (guest.limiter.peak(), guest.limiter.denied(), guest.limiter.table());
    let effects = guest.take_effects();
    // Files and connections are closed with the instance, and the last writes to the log are taken.
    let core = match (&plugin.sandbox.cores, end.of_trap(denied.is_some())) {
        (Some(cores), Some(error)) => {
            let origin = origin(plugin, &store, error);
            let written = cores.write(store, Arc::clone(error), origin);
            Some(tokio::select! {
                written = written => written,
                () = cancel.killed() => Err("the run was stopped meanwhile".to_owned()),
            })
        }
        _ => {
            drop(store);
            None
        }
    };
    journal.close();
    let traces = Traces {
        limits,
        rights: &plugin.spec.rights,
        redactor: &plugin.redactor,
        instantiated,
        denied,
        table,
        refusal: journal.refusal(),
        last_words: journal.last_words(),
        remark: journal.last_remark(),
        said: Said::of(journal.take_last_line()),
    };
    let mut report = Report { peak_memory: Some(peak), fuel, ..verdict(end, &traces) };
    if report.outcome == Outcome::Succeeded
        && let Some(remark) = traces.said.remark()
    {
        journal.tell(LogLevel::Warn, &remark);
    }
    match core {
        Some(Ok(path)) => {
            let told = format!("core dump: {}", path.display());
            journal.tell(LogLevel::Info, &told);
            report.reason.get_or_insert_default().push_str(&format!("; {told}"));
        }
        Some(Err(why)) if matches!(report.outcome, Outcome::Trapped | Outcome::OutOfMemory) => {
            journal.tell(LogLevel::Warn, &format!("no core dump was written: {why}"));
        }
        // An instance that could not be made has no core.
        Some(Err(_)) | None => {}
    }
    for text in [&mut report.reason, &mut report.backtrace, &mut report.output] {
        plugin.redactor.hide_in(text);
    }
    report.effects = effects.filter(|_| report.outcome == Outcome::Succeeded);
    report
}

impl From<wasmtime::Result<Answer>> for End {
    fn from(answer: wasmtime::Result<Answer>) -> Self {
        answer.map_or_else(|e| Self::Broken(Arc::new(e)), Self::Answered)
    }
}

/// What is written into the core dump of a run.
fn origin(plugin: &Plugin, store: &Store<Guest>, error: &wasmtime::Error) -> Origin {
    let request = &store.data().facts.request;
    Origin {
        job: request.job.to_string(),
        run: request.run,
        attempt: request.attempt,
        plugin: plugin.spec.name.to_string(),
        file: plugin.spec.path.display().to_string(),
        sha256: plugin.digest().to_owned(),
        backtrace: frames(error).and_then(render),
    }
}

/// What a future answers when it is polled once, if it is done by then.
async fn once<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(answer) => Poll::Ready(Some(answer)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

fn store(plugin: &Plugin, guest: Guest) -> wasmtime::Result<Store<Guest>> {
    let limits = &plugin.spec.limits;
    let mut store = Store::new(plugin.compiled.engine(), guest);
    store.limiter(|guest| &mut guest.limiter);
    store.set_hostcall_fuel(usize::try_from(limits.memory.min(limits.host_call)).unwrap_or(usize::MAX));
    store.set_max_component_handles(component_handles(limits));
    if let Some(fuel) = limits.fuel {
        store.set_fuel(fuel)?;
    }
    // At each tick the guest gives way to its neighbours; the deadline and a kill take effect there as well. It is
    // tokio's own yield, which lets the timers move on even when every thread has a spinning guest.
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|_| Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now()))));
    Ok(store)
}

async fn call(
    entry: &Entry,
    store: &mut Store<Guest>,
    args: &str,
    instantiated: &mut bool,
) -> wasmtime::Result<Answer> {
    match entry {
        Entry::Job(pre) => {
            let job = pre.instantiate_async(&mut *store).await?;
            *instantiated = true;
            Ok(Answer::Job(job.clockbox_job_runner().call_run(store, args).await?))
        }
        Entry::Command(pre) => {
            let command = pre.instantiate_async(&mut *store).await?;
            *instantiated = true;
            Ok(Answer::Command(command.wasi_cli_run().call_run(store).await?))
        }
        Entry::Module(pre) => {
            let instance = pre.instantiate_async(&mut *store).await?;
            *instantiated = true;
            instance.get_typed_func::<(), ()>(&mut *store, "_start")?.call_async(store, ()).await?;
            Ok(Answer::Command(Ok(())))
        }
    }
}

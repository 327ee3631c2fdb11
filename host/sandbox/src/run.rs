//! One run, in a straight line: instance, call under the deadline, report.

use std::{pin::Pin, sync::Arc, task::Poll};

use clockbox_core::model::{Outcome, Report};
use wasmtime::{Store, UpdateDeadline};

use crate::{
    CancelToken, Plugin, RunRequest, RunSink,
    bindings::clockbox::job::types::JobError,
    facts::Facts,
    guest::Guest,
    log::Journal,
    plugin::Entry,
    verdict::{End, Traces, component_handles, verdict},
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
    let journal = Journal::new(sink.clone(), limits.log, plugin.redactor.clone());
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
            Some(answer) => End::Answered(answer),
            None => tokio::select! {
                biased;
                () = cancel.killed() => End::Killed,
                () = outstayed => End::Outstayed,
                answer = call => End::Answered(answer),
                () = timeout => End::TimedOut,
            },
        }
    };
    let guest = store.data_mut();
    guest.progress.flush();
    let (peak, denied, table) = (guest.limiter.peak(), guest.limiter.denied(), guest.limiter.table());
    let effects = guest.take_effects();
    // Closes files and connections, and takes the last writes to the log.
    drop(store);
    journal.close();
    let traces = Traces {
        limits,
        redactor: &plugin.redactor,
        instantiated,
        denied,
        table,
        refusal: journal.refusal(),
        stderr: journal.stderr_tail(),
    };
    let mut report = Report { peak_memory: Some(peak), ..verdict(end, &traces) };
    for text in [&mut report.reason, &mut report.backtrace, &mut report.output] {
        plugin.redactor.hide_in(text);
    }
    report.effects = effects.filter(|_| report.outcome == Outcome::Succeeded);
    report
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

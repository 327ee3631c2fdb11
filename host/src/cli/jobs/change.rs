//! `clockbox jobs add`, `modify`, `pause` and the other verbs that change the jobs of a running host.

use clap::Args;
use clockbox_core::model::JobId;
use http::Method;
use serde_json::{Map, Value, json};

use super::{
    look::{names_at, own_zone, unknown},
    words::{NewWords, Words, read_args},
};
use crate::{
    cli::{
        Output,
        ask::{Host, HostArgs, part, query, read},
        exit::{Failure, print, print_json},
        steer::ByArgs,
        text,
        trigger_args::TriggerArgs,
    },
    clock::Clock,
    control::{Recorded, Removed, view::JobView},
};

#[derive(Debug, Args)]
pub(super) struct AddArgs {
    /// Its name.
    job: JobId,
    #[command(flatten)]
    host: HostArgs,
    #[command(flatten)]
    words: NewWords,
    /// Put it in the place of a job of that name.
    #[arg(long, conflicts_with = "ignore")]
    replace: bool,
    /// Leave a job of that name as it is.
    #[arg(long)]
    ignore: bool,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
pub(super) struct ModifyArgs {
    #[command(flatten)]
    one: OneArgs,
    #[command(flatten)]
    words: Words,
}

#[derive(Debug, Args)]
pub(super) struct RescheduleArgs {
    #[command(flatten)]
    one: OneArgs,
    #[command(flatten)]
    trigger: TriggerArgs,
}

#[derive(Debug, Args)]
pub(super) struct PauseArgs {
    #[command(flatten)]
    one: OneArgs,
    #[command(flatten)]
    by: ByArgs,
}

#[derive(Debug, Args)]
pub(super) struct ResumeArgs {
    #[command(flatten)]
    one: OneArgs,
}

/// A job of a host, perhaps only where it is as somebody has seen it.
#[derive(Debug, Args)]
struct OneArgs {
    /// The job.
    job: JobId,
    #[command(flatten)]
    host: HostArgs,
    /// Only if the job is still this version: the etag that `jobs show` prints.
    #[arg(long, value_name = "ETAG")]
    if_match: Option<String>,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
pub(super) struct RemoveArgs {
    #[command(flatten)]
    one: OneArgs,
    /// Stop its runs that are under way; else they end by themselves.
    #[arg(long)]
    cancel: bool,
}

#[derive(Debug, Args)]
pub(super) struct RemoveAllArgs {
    #[command(flatten)]
    host: HostArgs,
    /// Do it: without this, nothing is removed.
    #[arg(long)]
    yes: bool,
    /// Stop runs of them that are under way; else they end by themselves.
    #[arg(long)]
    cancel: bool,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// The job.
    job: JobId,
    #[command(flatten)]
    host: HostArgs,
    /// Arguments in the place of the job's own: any JSON.
    #[arg(long, value_name = "JSON")]
    args: Option<String>,
    #[command(flatten)]
    output: Output,
}

pub(super) fn add(args: &AddArgs) -> Result<(), Failure> {
    let mut keys = args.words.keys(&args.job)?;
    keys.insert("name".to_owned(), json!(args.job));
    let conflict = match (args.replace, args.ignore) {
        (true, _) => Some("replace"),
        (_, true) => Some("ignore"),
        _ => None,
    };
    let path = format!("/v1/jobs{}", query(&[("on_conflict", conflict)]));
    let answer = args.host.connect()?.send(Method::POST, &path, Some(&Value::Object(keys)))?;
    told(&read(&answer)?, args.output)
}

pub(super) fn modify(args: &ModifyArgs) -> Result<(), Failure> {
    let keys = args.words.keys()?;
    if keys.is_empty() {
        return Err(Failure::new("nothing is to be changed").hint("name a key, such as --max-instances 2"));
    }
    let job = args.one.change(Method::PATCH, "", Some(&Value::Object(keys)))?;
    told(&job, args.one.output)
}

pub(super) fn reschedule(args: &RescheduleArgs) -> Result<(), Failure> {
    let trigger = args.trigger.keys()?.ok_or_else(|| {
        Failure::new("no trigger is given").hint("add --cron, --interval, --date or --trigger")
    })?;
    told(&args.one.change(Method::PUT, "/trigger", Some(&trigger))?, args.one.output)
}

pub(super) fn pause(args: &PauseArgs) -> Result<(), Failure> {
    told(&args.one.change(Method::POST, "/pause", Some(&args.by.body()))?, args.one.output)
}

pub(super) fn resume(args: &ResumeArgs) -> Result<(), Failure> {
    told(&args.one.change(Method::POST, "/resume", None)?, args.one.output)
}

pub(super) fn remove(args: &RemoveArgs) -> Result<(), Failure> {
    let path = format!("/v1/jobs/{}{}", part(args.one.job.as_str()), running(args.cancel));
    let mut host = args.one.host.connect()?;
    let answer = host.send_if(Method::DELETE, &path, args.one.if_match.as_deref(), None);
    with_names(answer, &args.one.job, &mut host)?;
    if args.one.output.json {
        return print_json(&Map::new());
    }
    eprintln!("job {:?} is removed; its history stays", args.one.job.as_str());
    Ok(())
}

pub(super) fn remove_all(args: &RemoveAllArgs) -> Result<(), Failure> {
    if !args.yes {
        return Err(Failure::new("nothing was removed, as it was not confirmed")
            .hint("give --yes to remove every job that was added while the host ran"));
    }
    let running = args.cancel.then_some("cancel");
    let path = format!("/v1/jobs{}", query(&[("confirm", Some("all")), ("running", running)]));
    let removed: Removed = read(&args.host.connect()?.send(Method::DELETE, &path, None)?)?;
    if args.output.json {
        return print_json(&removed);
    }
    eprintln!("{} removed", text::count(removed.jobs, "job"));
    Ok(())
}

fn running(cancel: bool) -> String {
    query(&[("running", cancel.then_some("cancel"))])
}

pub(super) fn run(args: &RunArgs) -> Result<(), Failure> {
    let body = match &args.args {
        Some(text) => json!({ "args": read_args(text)? }),
        None => json!({}),
    };
    let mut host = args.host.connect()?;
    let path = format!("/v1/jobs/{}/run", part(args.job.as_str()));
    let answer = host.send(Method::POST, &path, Some(&body));
    let recorded: Recorded = read(&with_names(answer, &args.job, &mut host)?)?;
    if args.output.json {
        return print_json(&recorded);
    }
    print(&format!("{}\n", recorded.run))
}

impl OneArgs {
    /// Changes the job, and answers how it is then.
    fn change(&self, method: Method, rest: &str, body: Option<&Value>) -> Result<JobView, Failure> {
        let path = format!("/v1/jobs/{}{rest}", part(self.job.as_str()));
        let mut host = self.host.connect()?;
        let answer = host.send_if(method, &path, self.if_match.as_deref(), body);
        read(&with_names(answer, &self.job, &mut host)?)
    }
}

/// The answer; where the host knows no such job, with the names that it does know.
fn with_names<T>(answer: Result<T, Failure>, job: &JobId, host: &mut Host) -> Result<T, Failure> {
    match answer {
        Err(failure) if failure.is_of_problem("no-such-job") => Err(unknown(job, &names_at(host)?)),
        answer => answer,
    }
}

/// The job as it is now, for whoever changed it.
fn told(job: &JobView, output: Output) -> Result<(), Failure> {
    if output.json {
        return print_json(job);
    }
    let now = Clock::system().now();
    let next = match (&job.paused, job.next_fire) {
        (Some(_), _) => "paused".to_owned(),
        (None, Some(next)) => {
            format!("next {} ({})", text::local(next, own_zone(job)), text::distance(next, now))
        }
        (None, None) => "nothing fires any more".to_owned(),
    };
    eprintln!("job {:?}: {}; {next}", job.name, job.schedule);
    Ok(())
}

//! `clockbox webhooks`: who a manifest says is told of what happens, and whether that works.

use clap::{Args, Subcommand};
use clockbox_core::model::WebhookName;
use serde_json::json;

use super::{
    Output,
    exit::{Failure, print, print_json},
    place::Place,
    text,
};
use crate::{
    clock::{Clock, Stopwatch},
    manifest::{Manifest, WebhookSettings, known_hint},
    webhooks::{self, Verdict},
};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct WebhooksArgs {
    #[command(subcommand)]
    command: Option<WebhooksCommand>,
    #[command(flatten)]
    list: ListArgs,
}

#[derive(Debug, Subcommand)]
enum WebhooksCommand {
    /// List the webhooks of a manifest.
    List(ListArgs),
    /// Send a test to a webhook of a manifest, once, and print what it answers. No host is needed. Exit code 1: it was not
    /// taken.
    Test(TestArgs),
}

#[derive(Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
struct TestArgs {
    /// The webhook.
    name: WebhookName,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

pub(super) fn webhooks(args: &WebhooksArgs) -> Result<(), Failure> {
    match &args.command {
        Some(WebhooksCommand::List(args)) => list(args),
        Some(WebhooksCommand::Test(args)) => test(args),
        None => list(&args.list),
    }
}

fn load(place: &Place) -> Result<Manifest, Failure> {
    let loaded = place.load().map_err(|problems| {
        Failure::new(problems.to_string().trim_end()).hint("correct them; `clockbox check` looks again")
    })?;
    Ok(loaded.manifest)
}

fn list(args: &ListArgs) -> Result<(), Failure> {
    let manifest = load(&args.place)?;
    if args.output.json {
        let one = |(name, hook): (&WebhookName, &WebhookSettings)| {
            json!({
                "name": name,
                "origin": hook.url.origin(),
                "events": words(&hook.events),
                "jobs": words(&hook.jobs),
                "signed": hook.key.is_some(),
                "timeout_ms": hook.timeout.as_millis(),
                "retries": hook.retries,
            })
        };
        return print_json(&manifest.webhooks.iter().map(one).collect::<Vec<_>>());
    }
    let mut table = text::table(["WEBHOOK", "TO", "EVENTS", "JOBS", "SIGNED"]);
    for (name, hook) in &manifest.webhooks {
        let jobs = if hook.jobs.is_empty() { "all".to_owned() } else { words(&hook.jobs).join(" ") };
        table.add_row([
            name.to_string(),
            text::plain(hook.url.origin()),
            words(&hook.events).join(" "),
            text::plain(&jobs),
            if hook.key.is_some() { "yes" } else { "no" }.to_owned(),
        ]);
    }
    print(&text::lines(&table))
}

fn words(things: &[impl ToString]) -> Vec<String> {
    things.iter().map(ToString::to_string).collect()
}

fn test(args: &TestArgs) -> Result<(), Failure> {
    let manifest = load(&args.place)?;
    let Some(hook) = manifest.webhooks.get(&args.name) else {
        let names: Vec<&str> = manifest.webhooks.keys().map(WebhookName::as_str).collect();
        let hint = known_hint("webhooks", args.name.as_str(), names);
        return Err(Failure::no(format!("there is no webhook \"{}\"", args.name)).hint(hint));
    };
    let watch = Stopwatch::start();
    let (message, verdict) = webhooks::test(hook, Clock::system().now()).map_err(Failure::new)?;
    let (is_taken, answer) = match &verdict {
        Verdict::Delivered(status) => (true, format!("it answered {status}")),
        Verdict::Failed { why, .. } | Verdict::Refused { why } => (false, why.clone()),
    };
    let (origin, took) = (hook.url.origin(), watch.elapsed());
    if args.output.json {
        print_json(&json!({
            "webhook": args.name,
            "origin": origin,
            "id": message.id,
            "signed": hook.key.is_some(),
            "delivered": is_taken,
            "answer": answer,
            "elapsed_ms": took.as_millis(),
        }))?;
    } else {
        let signed = if hook.key.is_some() { "signed" } else { "not signed" };
        let word = if is_taken { "delivered" } else { "not delivered" };
        print(&format!(
            "{word}: {origin}, after {}: {}\n{} ({signed})\n",
            text::span(took),
            text::plain(&answer),
            message.id
        ))?;
    }
    if is_taken { Ok(()) } else { Err(Failure::no("")) }
}

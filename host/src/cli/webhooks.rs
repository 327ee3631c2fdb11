//! `clockbox webhooks`: who a manifest says is told of what happens, and whether that works.

use clap::{Args, Subcommand};
use clockbox_core::model::WebhookName;
use serde_json::json;

use super::{
    Output,
    ask::HostArgs,
    exit::{Failure, print, print_json},
    place::Place,
    text,
};
use crate::{
    clock::{Clock, Stopwatch},
    control::{
        WebhookList,
        view::{Messages, WebhookView},
    },
    manifest::{Manifest, known_hint},
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
    /// List the webhooks of the running host with what became of their messages; those of the manifest where none runs.
    List(ListArgs),
    /// Send a test to a webhook of a manifest, once, and print what it answers. No host is needed. Exit code 1: it was not
    /// taken.
    Test(TestArgs),
}

#[derive(Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    host: HostArgs,
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
    let webhooks = match args.host.host_or_store()? {
        Some(mut host) => host.get::<WebhookList>("/v1/webhooks")?.webhooks,
        None => {
            eprintln!("note: no host is running: this is what the manifest says");
            let manifest = load(&args.host.place)?;
            manifest.webhooks.iter().map(|(name, hook)| WebhookView::new(name, hook, None)).collect()
        }
    };
    if args.output.json {
        return print_json(&webhooks);
    }
    let mut table = text::table([
        "WEBHOOK",
        "TO",
        "EVENTS",
        "JOBS",
        "SIGNED",
        "DELIVERED",
        "FAILED",
        "DROPPED",
        "WAITING",
    ]);
    for hook in &webhooks {
        let count = |of: fn(&Messages) -> u64| {
            hook.messages.as_ref().map(of).map_or_else(String::new, |n| n.to_string())
        };
        table.add_row([
            hook.name.clone(),
            text::plain(&hook.origin),
            hook.events.join(" "),
            if hook.jobs.is_empty() { "all".to_owned() } else { text::plain(&hook.jobs.join(" ")) },
            if hook.signed { "yes" } else { "no" }.to_owned(),
            count(|messages| messages.delivered),
            count(|messages| messages.failed),
            count(|messages| messages.dropped),
            count(|messages| messages.waiting),
        ]);
    }
    print(&text::lines(&table))
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

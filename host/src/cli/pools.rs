//! `clockbox pools`: the pools of a running host with how full they are, and their sizes.

use clap::{Args, Subcommand};
use clockbox_core::model::PoolName;
use http::Method;
use serde_json::json;

use super::{
    Output,
    ask::{HostArgs, part, read},
    exit::{Failure, print, print_json},
    text,
};
use crate::control::{PoolList, view::PoolView};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct PoolsArgs {
    #[command(subcommand)]
    command: Option<PoolsCommand>,
    #[command(flatten)]
    list: ListArgs,
}

#[derive(Debug, Subcommand)]
enum PoolsCommand {
    /// List the pools with how full they are.
    List(ListArgs),
    /// Resize a pool. What runs in one that shrinks runs on; it lasts until the host ends, or the manifest says something new about the pool.
    Resize(ResizeArgs),
}

#[derive(Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    host: HostArgs,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
struct ResizeArgs {
    /// The pool.
    pool: PoolName,
    #[command(flatten)]
    host: HostArgs,
    /// The most instances at one time.
    #[arg(long, value_name = "N", required_unless_present = "queue")]
    max_instances: Option<u32>,
    /// The most runs that wait for a place.
    #[arg(long, value_name = "N")]
    queue: Option<u32>,
    #[command(flatten)]
    output: Output,
}

pub(super) fn pools(args: &PoolsArgs) -> Result<(), Failure> {
    match &args.command {
        Some(PoolsCommand::Resize(args)) => resize(args),
        Some(PoolsCommand::List(args)) => list(args),
        None => list(&args.list),
    }
}

fn list(args: &ListArgs) -> Result<(), Failure> {
    let list: PoolList = args.host.connect()?.get("/v1/pools")?;
    if args.output.json {
        return print_json(&list.pools);
    }
    print(&table(&list.pools))
}

fn resize(args: &ResizeArgs) -> Result<(), Failure> {
    let path = format!("/v1/pools/{}", part(args.pool.as_str()));
    let body = json!({ "max_instances": args.max_instances, "queue": args.queue });
    let pool: PoolView = read(&args.host.connect()?.send(Method::PATCH, &path, Some(&body))?)?;
    if args.output.json {
        return print_json(&pool);
    }
    print(&table(&[pool]))
}

/// Pools, for people.
pub(super) fn table(pools: &[PoolView]) -> String {
    let mut table = text::table(["POOL", "RUNNING", "OF", "WAITING", "OF"]);
    for PoolView { name, max_instances, queue, running, waiting } in pools {
        table.add_row([
            name.clone(),
            running.to_string(),
            max_instances.to_string(),
            waiting.to_string(),
            queue.to_string(),
        ]);
    }
    text::lines(&table)
}

//! `clockbox plugins`: what a plugin is and wants, without running it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use clockbox_core::model::format_size;
use clockbox_sandbox::{Inspection, inspect};

use super::{
    Output,
    exit::{Failure, print, print_json},
};

#[derive(Debug, Args)]
pub(super) struct PluginsArgs {
    #[command(subcommand)]
    command: PluginsCommand,
}

#[derive(Debug, Subcommand)]
enum PluginsCommand {
    /// Show what a .wasm or .wat file is and what it asks for. Nothing of it is run.
    Inspect {
        /// The file.
        file: PathBuf,
        #[command(flatten)]
        output: Output,
    },
}

pub(super) fn plugins(args: &PluginsArgs) -> Result<(), Failure> {
    let PluginsCommand::Inspect { file, output } = &args.command;
    let bytes = std::fs::read(file).map_err(|error| Failure::new(format!("{}: {error}", file.display())))?;
    let inspection = inspect(&bytes).map_err(|error| Failure::no(format!("{}: {error}", file.display())))?;
    if output.json { print_json(&as_json(&inspection)) } else { print(&about(&inspection)) }
}

fn as_json(inspection: &Inspection) -> serde_json::Value {
    let producers: Vec<_> = inspection
        .producers
        .iter()
        .map(|(field, name, version)| serde_json::json!({ "field": field, "name": name, "version": version }))
        .collect();
    serde_json::json!({
        "kind": inspection.kind.map(|kind| kind.to_string()),
        "component": inspection.component,
        "size": inspection.size,
        "sha256": inspection.sha256,
        "name": inspection.name,
        "version": inspection.version,
        "description": inspection.description,
        "licenses": inspection.licenses,
        "exports": inspection.exports,
        "imports": inspection.imports,
        "wants": inspection.wants,
        "producers": producers,
        "job": inspection.job,
    })
}

fn about(inspection: &Inspection) -> String {
    let mut out = String::new();
    let mut line = |key: &str, value: String| out.push_str(&format!("{key:<12} {value}\n"));
    let kind = inspection.kind.map_or_else(
        || {
            "none that clockbox can run: it needs clockbox:job/runner, wasi:cli/run or a _start function"
                .to_owned()
        },
        |kind| kind.to_string(),
    );
    line("kind", kind);
    line("size", format!("{} ({} bytes)", format_size(inspection.size), inspection.size));
    line("sha256", inspection.sha256.clone());
    for (key, value) in [
        ("name", &inspection.name),
        ("version", &inspection.version),
        ("about", &inspection.description),
        ("licenses", &inspection.licenses),
    ] {
        if let Some(value) = value {
            line(key, value.clone());
        }
    }
    let mut list = |key: &str, values: &[String]| {
        for (n, value) in values.iter().enumerate() {
            line(if n == 0 { key } else { "" }, value.clone());
        }
        if values.is_empty() {
            line(key, "nothing".to_owned());
        }
    };
    list("exports", &inspection.exports);
    list("imports", &inspection.imports);
    list("may use", &inspection.wants.iter().map(ToString::to_string).collect::<Vec<_>>());
    let producers: Vec<String> = inspection
        .producers
        .iter()
        .map(|(field, name, version)| format!("{field}: {name} {version}"))
        .collect();
    list("made by", &producers);
    if let Some(job) = &inspection.job {
        out.push_str("described as (section clockbox:job)\n");
        out.extend(job.lines().map(|text| format!("    {text}\n")));
    }
    out
}

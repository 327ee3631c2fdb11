//! `clockbox plugins upload`: a plugin file is put into the plugin folder of a running host.

use std::{fs, path::PathBuf};

use bytes::Bytes;
use clap::Args;
use clockbox_core::model::PluginName;
use http::StatusCode;

use crate::{
    cli::{
        Output,
        ask::{HostArgs, part, read},
        exit::{Failure, print, print_json},
    },
    control::view::PluginView,
};

#[derive(Debug, Args)]
pub(super) struct UploadArgs {
    /// The file: a component or a preview-1 command module.
    file: PathBuf,
    #[command(flatten)]
    host: HostArgs,
    /// What the plugin is called; the file's name without its ending if nothing is said.
    #[arg(long)]
    name: Option<PluginName>,
    #[command(flatten)]
    output: Output,
}

pub(super) fn run(args: &UploadArgs) -> Result<(), Failure> {
    let name = match &args.name {
        Some(name) => name.clone(),
        None => name_of(&args.file)?,
    };
    let bytes =
        fs::read(&args.file).map_err(|error| Failure::new(format!("{}: {error}", args.file.display())))?;
    let path = format!("/v1/plugins/{}", part(name.as_str()));
    let answer = args.host.connect()?.post(&path, "application/wasm", Bytes::from(bytes))?;
    let plugin: PluginView = read(&answer)?;
    if args.output.json {
        return print_json(&plugin);
    }
    let done = if answer.status == StatusCode::CREATED { "is new" } else { "has taken the place of another" };
    let digest: String = plugin.sha256.iter().flat_map(|digest| digest.chars().take(12)).collect();
    print(&format!("{name} {done}: {digest}\n"))
}

fn name_of(file: &std::path::Path) -> Result<PluginName, Failure> {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    stem.parse().map_err(|error: clockbox_core::model::IdError| {
        Failure::new(error).hint("say --name: what the plugin is called")
    })
}

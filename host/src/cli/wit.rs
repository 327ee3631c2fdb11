//! `clockbox wit`: the contract between host and job, for the tools of any language.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{
    Output,
    exit::{Failure, print, print_json},
};
use crate::author::wit;

#[derive(Debug, Args)]
pub(super) struct WitArgs {
    /// Write the packages into this folder, which wit-bindgen, jco, componentize-py and wkg take as it is; without one, they
    /// are printed as one text.
    #[arg(short, long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
}

pub(super) fn wit(args: &WitArgs) -> Result<(), Failure> {
    if let Some(folder) = &args.out {
        wit::export(folder).map_err(Failure::new)?;
    }
    if args.output.json {
        let files = wit::FILES.iter().map(|(name, text)| json!({ "file": name, "text": text }));
        return print_json(&files.collect::<Vec<_>>());
    }
    match &args.out {
        None => print(&wit::in_one()),
        Some(folder) => {
            eprintln!("the world `job` of clockbox:job is in {}", folder.display());
            Ok(())
        }
    }
}

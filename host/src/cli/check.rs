//! `clockbox check`: is this manifest good, are its plugins?

use clap::Args;

use super::{
    Output,
    exit::{Failure, print, print_json},
    place::Place,
};
use crate::{
    clock::Clock,
    manifest,
    reload::Loader,
    sandbox::{Sandbox, SandboxOptions},
};

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

pub(super) fn check(args: &CheckArgs) -> Result<(), Failure> {
    let now = Clock::system().now();
    let loaded = args.place.load();
    let plugins = match &loaded {
        Ok(loaded) => {
            let options = SandboxOptions { cache_dir: super::run::cache_dir(), ..SandboxOptions::default() };
            let sandbox = Sandbox::new(options).map_err(Failure::new)?;
            Loader::new(sandbox).load(&loaded.manifest).problems
        }
        Err(_) => Vec::new(),
    };
    if args.output.json {
        let mut report = manifest::report_json(&loaded, now);
        let problem = |problem: &crate::reload::LoadProblem| {
            serde_json::json!({
                "severity": "error",
                "source": "file",
                "file": problem.path.display().to_string(),
                "key": format!("plugins.{}", problem.plugin),
                "message": problem.message,
            })
        };
        if let Some(problems) = report["problems"].as_array_mut() {
            problems.extend(plugins.iter().map(problem));
        }
        if !plugins.is_empty() {
            report["ok"] = false.into();
        }
        print_json(&report)?;
    } else {
        print(&manifest::report(&loaded, now))?;
        for problem in &plugins {
            print(&format!("{problem}\n"))?;
        }
    }
    match loaded {
        Ok(loaded) if loaded.refused.is_empty() && plugins.is_empty() => Ok(()),
        _ => Err(Failure::no("")),
    }
}

//! `clockbox check`: is this manifest good, are its plugins?

use clap::Args;

use super::{
    Output,
    exit::{Failure, print, print_json},
    place::Place,
    plugin_sandbox,
};
use crate::{
    clock::Clock,
    granted::RIGHTS,
    manifest::{self, Problem, Problems, RefusedPlugin, Stored},
    reload::{LoadProblem, Loader},
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
    let mut loaded = args.place.load();
    if let Ok(loaded) = &mut loaded {
        let sandbox = plugin_sandbox::open(plugin_sandbox::options(&loaded.manifest, None))?;
        let problems = Loader::new(sandbox).load(&loaded.manifest).problems;
        loaded.manifest.warnings.retain(|warning| !is_told(warning, &problems));
        loaded.refused.extend(problems.into_iter().map(refused));
    }
    let mut stored = Stored::new();
    if let Ok(loaded) = &mut loaded {
        match args.place.jobs_on_record(&loaded.manifest) {
            Ok(jobs) => stored = jobs.into_iter().map(|record| (record.job.id.clone(), record)).collect(),
            Err(error) => {
                let hint = "the host would not start with it".to_owned();
                let problem = Problem::in_file(&loaded.manifest.path, error.to_string(), Some(hint));
                loaded.manifest.warnings.push(Problem { key: "store.url".to_owned(), ..problem });
            }
        }
        let cache_dir = plugin_sandbox::options(&loaded.manifest, None).cache_dir;
        loaded.manifest.warnings.extend(loaded.manifest.exposed(cache_dir.as_deref()));
        let exhausted = loaded.manifest.exhausted(&stored, now);
        loaded.manifest.warnings.extend(exhausted.into_iter().map(|(_, problem)| problem));
    }
    if args.output.json {
        print_json(&manifest::report_json(&loaded, &stored, now))?;
    } else {
        print(&manifest::report(&loaded, &stored, now))?;
    }
    if manifest::passes(&loaded) { Ok(()) } else { Err(Failure::no("")) }
}

/// Whether a warning of a right that a plugin asks for says no more than the error that it cannot do without.
fn is_told(warning: &Problem, problems: &[LoadProblem]) -> bool {
    let says_the_same = |problem: &LoadProblem, right: &str| {
        problem.message.contains(&format!("`allow.{right}`"))
            && warning.message == manifest::asks_for_more(&problem.plugin, right)
    };
    problems.iter().any(|problem| RIGHTS.iter().any(|right| says_the_same(problem, right)))
}

/// A file that is no good plugin, as a problem of the manifest that names it.
fn refused(problem: LoadProblem) -> RefusedPlugin {
    let LoadProblem { plugin, path, message, hint, .. } = problem;
    let key = format!("plugins.{plugin}");
    let problem = Problem { key, ..Problem::in_file(&path, message, hint) };
    RefusedPlugin { plugins: vec![plugin], path, jobs: Vec::new(), problems: Problems(vec![problem]) }
}

//! `clockbox plugins list`: every plugin of a manifest.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use clap::Args;
use clockbox_core::model::Limits;

use super::{
    at_host::{self, Seen},
    inspection::Fault,
    listing::{Facts, Key, Listing, stray_files},
    table::table,
};
use crate::{
    cli::{
        Output,
        ask::HostArgs,
        exit::{Failure, print, print_json},
        plugin_sandbox,
    },
    clock::Clock,
    manifest::Survey,
    reload,
    sandbox::{CacheView, Inspection as Outline, inspect},
};

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    host: HostArgs,
    /// Where compiled plugins are kept, if the host was started with that flag.
    #[arg(long, value_name = "FOLDER")]
    cache_dir: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
}

pub(super) fn run(args: &ListArgs) -> Result<(), Failure> {
    let mut host = args.host.host_or("what is said of plugins is what the files say")?;
    // One that is named is perhaps on another machine.
    let of_files = || {
        let survey = args.host.place.survey();
        let survey = survey.map_err(|problems| Failure::new(problems.to_string().trim_end()))?;
        let mut cache = cache(&survey, args.cache_dir.clone());
        let facts = facts(&survey, cache.as_mut());
        Ok::<_, Failure>((Listing::of(&survey, facts), survey.manifest.scheduler.plugin_dir.clone()))
    };
    let (mut listing, folder) = match args.host.is_of_manifest() {
        true => of_files().map(|(listing, folder)| (listing, Some(folder)))?,
        false => (Listing::default(), None),
    };
    if let Some(host) = &mut host {
        at_host::lay_over(&mut listing, Seen::of(host)?);
    }
    for problem in &listing.others {
        eprintln!("{problem}");
    }
    if args.output.json {
        return print_json(&listing.plugins);
    }
    if listing.plugins.is_empty() {
        match folder {
            Some(folder) => eprintln!("there are no plugins: put .wasm files into {}", folder.display()),
            None => eprintln!("the host has no plugins"),
        }
        return Ok(());
    }
    print(&table(&listing, Clock::system().now()))
}

/// The compile cache that a host of this manifest has, to look into.
fn cache(survey: &Survey, given: Option<PathBuf>) -> Option<CacheView> {
    let options = plugin_sandbox::options(&survey.manifest, given);
    let view = CacheView::open(&options.cache_dir?, options.compile.cache);
    view.inspect_err(|error| {
        eprintln!("warning: what is compiled is not known: {error}");
    })
    .ok()
}

/// Looks at the file of each plugin, and for its code in the cache.
fn facts(survey: &Survey, mut cache: Option<&mut CacheView>) -> BTreeMap<Key, Facts> {
    let most = survey.manifest.scheduler.compile.max_size;
    let specs =
        survey.manifest.plugins.values().map(|spec| (&spec.path, spec.name.as_str(), spec.limits.clone()));
    let strays = stray_files(survey).map(|(stem, path)| (path, stem.as_str(), Limits::default()));
    let look = |(path, name, limits): (&PathBuf, &str, Limits)| {
        let outline = outline(path, most);
        let cached = outline.as_ref().ok().zip(cache.as_deref_mut()).and_then(|(outline, cache)| {
            let found = cache.find(&outline.sha256, outline.kind?, &limits);
            Some(found.map_err(|error| error.to_string()))
        });
        ((path.clone(), name.to_owned()), Facts { outline: Some(outline), cached })
    };
    specs.chain(strays).map(look).collect()
}

fn outline(path: &Path, most: u64) -> Result<Outline, Fault> {
    let fault = |message: String| Fault { message: format!("{}: {message}", path.display()), hint: None };
    let bytes = reload::read_plugin(path, most).map_err(|error| fault(error.to_string()))?;
    if bytes.len() as u64 > most {
        let error = crate::sandbox::PluginError::TooLarge { size: bytes.len() as u64, max: most };
        return Err(Fault::from(error));
    }
    inspect(&bytes).map_err(Fault::from)
}

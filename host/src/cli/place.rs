//! Which manifest a command is about, and the store that it names.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use chrono_tz::Tz;
use clap::Args;
use clockbox_core::model::JobRecord;
use clockbox_store::{Access, JobStore, StoreError};

use super::exit::Failure;
use crate::{
    manifest::{self, Loaded, Manifest, Overrides, Problems, ServerSettings, Setting, StoreSettings, Survey},
    reload,
};

/// Which manifest a command is about.
#[derive(Debug, Clone, Default, Args)]
pub struct Place {
    /// The manifest, or the folder that holds clockbox.toml.
    #[arg(value_name = "MANIFEST")]
    manifest: Option<PathBuf>,
    /// Look for the manifest from this folder on.
    #[arg(short = 'C', long = "directory", value_name = "FOLDER")]
    directory: Option<PathBuf>,
    /// Lay a value over the manifest: --set pools.default.max_instances=20. May be given more than once.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
}

impl Place {
    /// The manifest at a path, or in the folder there, with values laid over it.
    pub(crate) fn at(path: &Path, set: &[String]) -> Self {
        Self { manifest: Some(path.to_owned()), directory: None, set: set.to_vec() }
    }

    /// The manifest or its folder, as it was named.
    pub(crate) fn path(&self) -> PathBuf {
        let start = self.directory.clone().unwrap_or_default();
        match &self.manifest {
            Some(path) => start.join(path),
            None if start.as_os_str().is_empty() => PathBuf::from("."),
            None => start,
        }
    }

    /// Whether one was named.
    pub(crate) fn is_given(&self) -> bool {
        self.manifest.is_some() || self.directory.is_some()
    }

    /// Flags of this command line and variables of the environment.
    pub(crate) fn overrides(&self) -> Overrides {
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        self.set.iter().fold(Overrides::from_env(variables), Overrides::with_flag)
    }

    /// Reads the manifest.
    pub(crate) fn load(&self) -> Result<Loaded, Problems> {
        manifest::load(&self.path(), &self.overrides(), &reload::description)
    }

    /// Every value that is in force, with where it comes from.
    pub(crate) fn settings(&self) -> Result<Vec<Setting>, Problems> {
        manifest::settings(&self.path(), &self.overrides(), &reload::description)
    }

    /// Reads what can be read of the manifest.
    pub(crate) fn survey(&self) -> Result<Survey, Problems> {
        manifest::survey(&self.path(), &self.overrides(), &reload::description)
    }

    /// The jobs as the store of a manifest has them; nothing, with a word about it, when it cannot be read. A host that
    /// never ran has no store yet.
    pub(crate) fn stored_jobs(&self, manifest: &Manifest) -> Vec<JobRecord> {
        self.jobs_on_record(manifest).unwrap_or_else(|error| {
            eprintln!("warning: answered from the manifest alone: {error}");
            Vec::new()
        })
    }

    /// The same, with the reason when the store cannot be read.
    pub(crate) fn jobs_on_record(&self, manifest: &Manifest) -> Result<Vec<JobRecord>, StoreError> {
        let (url, folder) = (&manifest.store.url, manifest.folder());
        match clockbox_store::open(url, &folder, Access::ReadOnly).and_then(|store| store.jobs()) {
            Err(StoreError::Missing(_)) => Ok(Vec::new()),
            answer => answer,
        }
    }

    /// The store that the manifest names. A manifest with problems, or one that is gone, does not hide its history.
    pub(crate) fn store(&self) -> Result<NamedStore, Failure> {
        match self.load() {
            Ok(Loaded { manifest, .. }) => Ok(NamedStore {
                url: manifest.store.url.clone(),
                folder: manifest.folder(),
                zone: manifest.scheduler.timezone,
            }),
            Err(problems) => self.guess_store().ok_or_else(|| Failure::new(problems.to_string().trim_end())),
        }
    }

    /// Opens the store for reading, with the zone that its times are shown in.
    pub(crate) fn open_store(&self) -> Result<(Arc<dyn JobStore>, Tz), Failure> {
        let NamedStore { url, folder, zone } = self.store()?;
        let store = clockbox_store::open(&url, &folder, Access::ReadOnly).map_err(Failure::no)?;
        if clockbox_store::host(&url, &folder).is_none() {
            eprintln!("note: no host is running: this is what the last one left");
        }
        Ok((store, zone))
    }

    /// Where the manifest's host is asked. A manifest with problems, or one that is gone, does not hide it.
    pub(crate) fn server(&self) -> Result<ServerSettings, Failure> {
        if let Ok(loaded) = self.load() {
            return Ok(loaded.manifest.server);
        }
        if let Ok(survey) = self.survey() {
            return Ok(survey.manifest.server);
        }
        let path = self.path();
        let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new("")).to_owned() };
        let settings = ServerSettings::defaults(&folder, &StoreSettings::defaults(&folder));
        let is_there = settings.socket.as_ref().is_some_and(|socket| socket.exists());
        match self.survey() {
            Err(problems) if !is_there && !folder.join(manifest::FILE_NAME).is_file() => {
                Err(Failure::new(problems.to_string().trim_end()))
            }
            _ => Ok(settings),
        }
    }

    /// The store of a manifest that cannot be read as a whole, or that is not there any more while its database is.
    fn guess_store(&self) -> Option<NamedStore> {
        const USUAL: &str = "clockbox.db";
        let path = self.path();
        let file = if path.is_dir() { path.join(manifest::FILE_NAME) } else { path };
        let folder = file.parent().unwrap_or(Path::new("")).to_owned();
        let url = match std::fs::read_to_string(&file) {
            Ok(text) => {
                eprintln!("warning: the manifest has problems; `clockbox check` shows them");
                toml::from_str::<toml::Table>(&text)
                    .ok()
                    .and_then(|table| Some(table.get("store")?.get("url")?.as_str()?.to_owned()))
            }
            Err(_) if folder.join(USUAL).is_file() => {
                eprintln!("warning: there is no manifest {}; {USUAL} beside it is read", file.display());
                None
            }
            Err(_) => return None,
        };
        let url = url.unwrap_or_else(|| format!("sqlite:{USUAL}"));
        Some(NamedStore { url, folder, zone: Tz::UTC })
    }
}

/// A store as a manifest names it.
#[derive(Debug)]
pub(crate) struct NamedStore {
    pub(crate) url: String,
    /// What a relative path in the URL starts at.
    pub(crate) folder: PathBuf,
    /// The zone that times are shown in.
    pub(crate) zone: Tz,
}

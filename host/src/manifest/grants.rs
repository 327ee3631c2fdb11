//! Where a plugin's rights are granted: whoever has something to say about a grant later names its place.

use std::path::PathBuf;

use super::{
    problem::{Excerpt, Place},
    source::{Sources, Spot},
};

/// Where the rights of one plugin are granted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    /// Its table `allow`, where it has one.
    pub allow: Option<AllowTable>,
    /// Whether `allow.env` is an array of names.
    pub env_is_list: bool,
    /// Its folders.
    pub folders: Vec<FolderGrant>,
    /// The files that hold its secrets.
    pub secret_files: Vec<PathBuf>,
}

/// The table `allow` of a plugin: in the manifest, or in a sidecar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowTable {
    /// Where it stands.
    pub place: Place,
    /// How it is written, which says how something is added to it.
    pub form: AllowForm,
}

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AllowForm {
    /// `allow = { … }`.
    Inline,
    /// `[plugins.NAME.allow]`.
    Section,
    /// `allow.http = …`.
    Dotted,
}

/// A folder of the host that is granted under a path of the guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderGrant {
    /// Whether the guest may change what is in it.
    pub write: bool,
    /// The path of the guest.
    pub guest: String,
    /// The folder.
    pub host: PathBuf,
    /// The dotted key.
    pub key: String,
    /// Where it stands.
    pub place: Place,
    /// The line that it stands on.
    pub excerpt: Option<Excerpt>,
}

/// The same as it is noted while reading.
#[derive(Debug, Clone, Default)]
pub(super) struct GrantSpots {
    pub(super) allow: Option<Spot>,
    pub(super) env_is_list: bool,
    pub(super) folders: Vec<FolderSpot>,
    pub(super) secret_files: Vec<PathBuf>,
}

/// A folder and where it is granted.
#[derive(Debug, Clone)]
pub(super) struct FolderSpot {
    pub(super) write: bool,
    pub(super) guest: String,
    pub(super) host: PathBuf,
    pub(super) key: String,
    pub(super) spot: Spot,
}

impl GrantSpots {
    pub(super) fn placed(self, sources: &Sources) -> Grants {
        let folder = |FolderSpot { write, guest, host, key, spot }| {
            let (place, excerpt) = (sources.place(&spot), sources.excerpt(&spot));
            FolderGrant { write, guest, host, key, place, excerpt }
        };
        let allow = self.allow.map(|spot| {
            let form = match sources.at(&spot).chars().next() {
                Some('{') => AllowForm::Inline,
                Some('[') => AllowForm::Section,
                _ => AllowForm::Dotted,
            };
            AllowTable { place: sources.place(&spot), form }
        });
        let folders = self.folders.into_iter().map(folder).collect();
        Grants { allow, env_is_list: self.env_is_list, folders, secret_files: self.secret_files }
    }
}

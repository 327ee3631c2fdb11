//! The rights `read` and `write`: folders of the host under paths of the guest.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{
    grants::{FolderSpot, GrantSpots},
    reader::{Field, TableReader},
    scheduler::read_path,
    surroundings::{PathKind, Surroundings},
    tree::shortened,
};

type Folders = BTreeMap<String, PathBuf>;

/// Reads both from the table `allow`, and notes where each stands.
pub(super) fn read(
    table: &TableReader<'_>,
    folder: &Path,
    around: &Surroundings<'_>,
    spots: &mut GrantSpots,
) -> (Folders, Folders) {
    let mut folders = |field: Option<&Field<'_>>, write| {
        let found = field.map(|field| entries(field, folder, around)).unwrap_or_default();
        spots.folders.extend(found.iter().map(|spot| FolderSpot { write, ..spot.clone() }));
        found.into_iter().map(|spot| (spot.guest, spot.host)).collect::<Folders>()
    };
    let (read, write) = (table.field("read"), table.field("write"));
    let reads = folders(read.as_ref(), false);
    let writes = folders(write.as_ref(), true);
    if let Some(write) = write {
        for guest in writes.keys().filter(|guest| reads.contains_key(*guest)) {
            let hint = "a folder under `write` can be read too: leave it out of `read`";
            write.error(format!("{guest:?} is granted twice"), Some(hint.to_owned()));
        }
    }
    (reads, writes)
}

fn entries(field: &Field<'_>, folder: &Path, around: &Surroundings<'_>) -> Vec<FolderSpot> {
    let mut folders = Vec::new();
    let Some(table) = field.table("{ \"/data\" = \"./data\" }") else { return folders };
    for (guest, spot, value) in table.entries() {
        if !guest.starts_with('/') || guest.split('/').any(|part| part == "..") || guest.contains('\0') {
            let hint =
                "the plugin sees the folder under this path: write for instance \"/data\" = \"./data\"";
            let message = format!("{} is not an absolute path", shortened(guest));
            field.findings.error(spot, &value.key, message, Some(hint.to_owned()));
        }
        let Some(path) = read_path(&value, "./data", folder) else { continue };
        match (around.path_kind)(&path) {
            PathKind::Absent => {
                let hint = "create it before the job runs; paths are relative to the manifest";
                value.warn(format!("there is no folder {}", path.display()), Some(hint.to_owned()));
            }
            PathKind::File => {
                let hint = "grant the folder that it is in";
                value.error(format!("{} is a file, not a folder", path.display()), Some(hint.to_owned()));
            }
            PathKind::Folder | PathKind::Unknown => {}
        }
        let (guest, spot, key) = (guest.to_owned(), value.node.spot.clone(), value.key.clone());
        folders.push(FolderSpot { write: false, guest, host: path, key, spot });
    }
    folders
}

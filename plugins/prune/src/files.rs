//! The files below a folder that fit a pattern.

use std::{fs, io, path::Path, time::SystemTime};

pub(crate) struct Found {
    pub(crate) path: String,
    pub(crate) changed: SystemTime,
    pub(crate) bytes: u64,
}

/// A pattern that can never match would make a job that is green and does nothing.
pub(crate) fn check_glob(glob: &str) -> Result<(), String> {
    if ["/", "./", "../"].iter().any(|start| glob.starts_with(start)) {
        return Err(format!(
            "glob {glob:?} can never match: it is compared with paths below the folder, such as a/b.log"
        ));
    }
    for (open, close) in [('[', ']'), ('{', '}')] {
        if glob.matches(open).count() != glob.matches(close).count() {
            return Err(format!(
                "glob {glob:?} has a {open:?} without its {close:?}, or the other way round"
            ));
        }
    }
    Ok(())
}

/// The files below `folder` whose path fits; symbolic links are neither followed nor deleted.
pub(crate) fn collect(folder: &Path, below: &str, glob: &str, found: &mut Vec<Found>) -> io::Result<()> {
    for entry in fs::read_dir(folder.join(below))? {
        let entry = entry?;
        let path = format!("{below}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            collect(folder, &format!("{path}/"), glob, found)?;
        } else if kind.is_file() && fast_glob::glob_match(glob, &path) {
            let meta = entry.metadata()?;
            found.push(Found { path, changed: meta.modified()?, bytes: meta.len() });
        }
    }
    Ok(())
}

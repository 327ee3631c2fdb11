//! Watches the size of a folder: its output is the size, and too much is a failure.

use std::{fs, path::Path};

use clockbox_sdk::{JobError, OrFail, job, log};

#[derive(serde::Deserialize)]
struct Args {
    folder: String,
    max_bytes: u64,
}

fn run(args: Args) -> Result<u64, JobError> {
    let bytes = size(Path::new(&args.folder)).or_fatal("unreadable")?;
    log::info!(bytes, "{}", args.folder);
    if bytes > args.max_bytes {
        let message = format!("{} has {bytes} bytes, {} are allowed", args.folder, args.max_bytes);
        return Err(JobError::fatal("too-large", message));
    }
    Ok(bytes)
}

fn size(folder: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            bytes += size(&entry.path())?;
        } else if kind.is_file() {
            bytes += entry.metadata()?.len();
        }
    }
    Ok(bytes)
}

job!(run);

#[cfg(test)]
mod tests {
    use clockbox_sdk::{JobError, testing};
    use serde_json::json;

    use super::run;

    #[test]
    fn the_size_counts_folders_within() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("in")).unwrap();
        std::fs::write(folder.path().join("in/a"), "12345").unwrap();
        let args = |max| json!({ "folder": folder.path(), "max_bytes": max }).to_string();
        assert_eq!(testing::call(run, &args(5)), Ok(Some(5.into())));
        assert!(matches!(testing::call(run, &args(4)), Err(JobError::Fatal(_))));
    }
}

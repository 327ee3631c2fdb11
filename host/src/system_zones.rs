//! The system's time zone data, used where it is newer than the bundled.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use clockbox_core::trigger::zone_data::ZoneData;

/// Where systems keep it.
const FOLDERS: [&str; 4] =
    ["/usr/share/zoneinfo", "/var/db/timezone/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo"];
/// More than any zone's file has.
const MOST_BYTES: u64 = 1 << 20;

/// Uses the system's time zone data where it is newer than the bundled; says whether it is used.
///
/// It is looked for in the folder that the environment variable `TZDIR` names, else in the usual ones, and counts only
/// when its release is told there (`tzdata.zi` or `+VERSION`). To be called before the first trigger is read; the
/// `clockbox` command does so. A program that does not call it uses the bundled data, which makes fire times the same
/// on every machine.
///
/// ```
/// let used = clockbox::prefer_system_zone_data();
/// assert_eq!(used, clockbox::zone_data::origin() != "bundled");
/// ```
pub fn prefer_system_zone_data() -> bool {
    let folders = match std::env::var_os("TZDIR") {
        Some(folder) => vec![PathBuf::from(folder)],
        None => FOLDERS.iter().map(PathBuf::from).collect(),
    };
    let found = folders.into_iter().find_map(|folder| Some((release(&folder)?, folder)));
    let Some((release, folder)) = found else { return false };
    let origin = folder.display().to_string();
    ZoneData::new(&release, &origin, move |zone| contents(&folder.join(zone))).prefer_if_newer()
}

/// The release that a folder says it holds.
fn release(folder: &Path) -> Option<String> {
    let first_line = |name: &str| {
        let mut line = String::new();
        BufReader::new(File::open(folder.join(name)).ok()?.take(100)).read_line(&mut line).ok()?;
        Some(line.trim_end().to_owned())
    };
    let of_rules = || Some(first_line("tzdata.zi")?.strip_prefix("# version ")?.to_owned());
    of_rules().or_else(|| first_line("+VERSION"))
}

fn contents(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(MOST_BYTES).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_is_read_from_either_file() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(release(folder.path()), None);
        std::fs::write(folder.path().join("+VERSION"), "2027b\n").unwrap();
        assert_eq!(release(folder.path()).as_deref(), Some("2027b"));
        std::fs::write(folder.path().join("tzdata.zi"), "# version 2027c\n# more\n").unwrap();
        assert_eq!(release(folder.path()).as_deref(), Some("2027c"));
    }
}

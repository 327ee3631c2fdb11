//! A small disk that can be full, or must not be written.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use rustix::process::{Pid, Resource, Rlimit, prlimit};

/// A file system of a few megabytes, in memory.
#[derive(Debug)]
pub struct SmallDisk {
    path: PathBuf,
}

impl SmallDisk {
    /// Mounts one on the folder `path`, which it creates; `None` where this user may not.
    #[must_use]
    pub fn mount(path: &Path) -> Option<Self> {
        fs::create_dir_all(path).ok()?;
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"]).arg(path);
        let mounted = mount.output().is_ok_and(|output| output.status.success());
        if !mounted {
            eprintln!("this user may not mount a small disk: nothing is tried on one");
        }
        mounted.then(|| Self { path: path.to_owned() })
    }

    /// Fills it to the last byte.
    ///
    /// # Panics
    /// When that is not possible.
    #[track_caller]
    pub fn fill(&self) {
        let mut ballast = fs::File::create(self.path.join("ballast")).unwrap_or_else(|e| panic!("{e}"));
        while ballast.write_all(&[0x5a; 4096]).is_ok() {}
        while ballast.write_all(&[0x5a]).is_ok() {}
    }

    /// Makes room again.
    ///
    /// # Panics
    /// When it was not filled.
    #[track_caller]
    pub fn free(&self) {
        fs::remove_file(self.path.join("ballast")).unwrap_or_else(|e| panic!("{e}"));
    }

    /// Lets nobody write it any more.
    ///
    /// # Panics
    /// When somebody is writing it.
    #[track_caller]
    pub fn seal(&self) {
        let mut mount = Command::new("mount");
        mount.args(["-o", "remount,ro"]).arg(&self.path);
        let sealed = mount.output().unwrap_or_else(|e| panic!("{e}"));
        assert!(sealed.status.success(), "{sealed:?}");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // What still has a file open there keeps it until it ends; nobody else sees it any more.
        _ = Command::new("umount").arg("-l").arg(&self.path).output();
    }
}

/// Sets the size beyond which a process cannot write its files; `None` takes the bound away. The process must ignore
/// `SIGXFSZ`, so that its writes fail as on a full disk.
///
/// # Panics
/// When there is no such process.
#[track_caller]
pub fn limit_file_size(pid: u32, bytes: Option<u64>) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    prlimit(pid, Resource::Fsize, Rlimit { current: bytes, maximum: None }).unwrap_or_else(|e| panic!("{e}"));
}

//! The places where the control API is listened for.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use tokio::net::TcpListener;
#[cfg(unix)]
use tokio::net::UnixListener;

/// A unix socket that only its owner may open; its file goes when this does.
#[cfg(unix)]
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) listener: UnixListener,
    path: PathBuf,
    /// Which file it is: another host may have put its own there meanwhile.
    file: (u64, u64),
}

#[cfg(unix)]
impl Socket {
    /// Listens at a path. What an earlier host left there is replaced; a host that lives is not.
    pub(super) fn bind(path: &Path) -> io::Result<Self> {
        use std::os::unix::{
            fs::{DirBuilderExt, PermissionsExt},
            net::UnixStream,
        };
        if UnixStream::connect(path).is_ok() {
            let message = "another program listens there";
            return Err(io::Error::new(io::ErrorKind::AddrInUse, message));
        }
        if std::fs::symlink_metadata(path).is_ok_and(|meta| !is_socket(&meta)) {
            let message = "there is a file of that name, and it is not a socket";
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
        }
        // Made where nobody else can reach it, so that it is never open to others, not even for a moment.
        let folder = path.parent().unwrap_or(Path::new("")).join(format!(".clockbox-{}", std::process::id()));
        std::fs::DirBuilder::new().mode(0o700).create(&folder)?;
        let bound = (|| {
            let made = folder.join("s");
            let listener = UnixListener::bind(&made)?;
            std::fs::set_permissions(&made, std::fs::Permissions::from_mode(0o600))?;
            let file = identity(&made)?;
            std::fs::rename(&made, path)?;
            Ok(Self { listener, path: path.to_owned(), file })
        })();
        // An error leaves an empty folder behind, which does no harm.
        drop(std::fs::remove_dir_all(&folder));
        bound
    }
}

#[cfg(unix)]
impl Drop for Socket {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|file| file == self.file) {
            drop(std::fs::remove_file(&self.path));
        }
    }
}

#[cfg(unix)]
fn is_socket(meta: &std::fs::Metadata) -> bool {
    std::os::unix::fs::FileTypeExt::is_socket(&meta.file_type())
}

#[cfg(unix)]
fn identity(path: &Path) -> io::Result<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let meta = std::fs::symlink_metadata(path)?;
    Ok((meta.dev(), meta.ino()))
}

/// Listens on a TCP address.
pub(super) fn bind_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[tokio::test]
    async fn only_the_owner_may_open_a_socket_and_a_dead_one_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clockbox.sock");
        // As a host that was killed leaves it.
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let socket = Socket::bind(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Socket::bind(&path).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop(socket);
        assert!(!path.exists());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
    }

    #[tokio::test]
    async fn a_file_is_not_taken_for_a_socket() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.txt");
        std::fs::write(&path, "mine").unwrap();
        assert!(Socket::bind(&path).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    }
}

//! How many files this process may hold open.

/// Raises the limit to what the system lets this user have. What a guest opens counts for the host: at the usual 1,024
/// a few of them, each within its own limit, could keep the host from opening its database.
#[cfg(unix)]
pub(super) fn raise() {
    use rustix::process::{Resource, getrlimit, setrlimit};

    let mut limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return;
    }
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!("the limit of open files cannot be raised: {error}");
    }
}

#[cfg(not(unix))]
pub(super) fn raise() {}

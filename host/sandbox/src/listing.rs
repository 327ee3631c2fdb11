//! Listings of folders: the host holds every entry while a guest reads them one by one, so they count as its memory.

use std::{collections::BTreeMap, fs::File, io, sync::Arc};

use clockbox_core::model::format_size;
use wasmtime::{
    StoreContextMut,
    component::{Linker, Resource, ResourceType},
};
use wasmtime_wasi::{
    filesystem::{Descriptor, WasiFilesystemView as _},
    p2::{
        ReaddirIterator,
        bindings::filesystem::types::{ErrorCode, HostDescriptor as _},
    },
};

use crate::guest::Guest;

const TYPES: &str = "wasi:filesystem/types@0.2.12";
/// What the host holds of an entry beside its name: the entry itself and the allocation of the name.
const EACH: u64 = 64;

/// What the open listings of a run count for, by their handles.
pub(crate) type Listings = BTreeMap<u32, u64>;

/// Lets listings count for `limits.memory`, from when they are made until they are dropped.
pub(crate) fn count(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let mut types = linker.instance(TYPES)?;
    types.func_wrap_async(
        "[method]descriptor.read-directory",
        |mut store: StoreContextMut<'_, Guest>, (folder,): (Resource<Descriptor>,)| {
            Box::new(async move { Ok((list(store.data_mut(), folder).await?,)) })
        },
    )?;
    types.resource(
        "directory-entry-stream",
        ResourceType::host::<ReaddirIterator>(),
        |mut store: StoreContextMut<'_, Guest>, handle| {
            let guest = store.data_mut();
            let bytes = guest.listings.remove(&handle).unwrap_or_default();
            guest.limiter.release(bytes);
            guest.filesystem().table.delete(Resource::<ReaddirIterator>::new_own(handle))?;
            Ok(())
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

async fn list(
    guest: &mut Guest,
    folder: Resource<Descriptor>,
) -> wasmtime::Result<Result<Resource<ReaddirIterator>, ErrorCode>> {
    let limit = guest.facts.spec.limits.memory;
    let mut bytes = 0;
    if let Descriptor::Dir(dir) = guest.filesystem().table.get(&folder)? {
        let dir = dir.dir.clone();
        bytes = match tokio::task::spawn_blocking(move || size(&dir, limit)).await? {
            Ok(bytes) => bytes,
            Err(e) => return Ok(Err(e.into())),
        };
    }
    if !guest.limiter.hold(bytes) {
        guest.journal.refuse(format!(
            "listing of a folder refused: its entries count as memory of the run, and with them it would hold more than {} (raise \
             limits.memory)",
            format_size(limit)
        ));
        return Ok(Err(ErrorCode::InsufficientMemory));
    }
    match guest.filesystem().read_directory(folder).await {
        Ok(listing) => {
            guest.listings.insert(listing.rep(), bytes);
            Ok(Ok(listing))
        }
        Err(e) => {
            guest.limiter.release(bytes);
            Ok(Err(e.downcast()?))
        }
    }
}

/// What the host would hold of a listing, counted until it is more than `most`. A folder that grows right after it was counted
/// takes that much more.
#[cfg(unix)]
fn size(folder: &Arc<File>, most: u64) -> io::Result<u64> {
    use rustix::fs::{Dir, Mode, OFlags, openat};

    let mut bytes = 0;
    // Its own handle may be one that nothing can be read by.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    for entry in Dir::new(openat(folder, ".", flags, Mode::empty())?)? {
        bytes += EACH + entry?.file_name().count_bytes() as u64;
        if bytes > most {
            break;
        }
    }
    Ok(bytes)
}

/// Nothing is counted where folders cannot be read by their handle.
#[cfg(not(unix))]
fn size(_: &Arc<File>, _: u64) -> io::Result<u64> {
    Ok(0)
}

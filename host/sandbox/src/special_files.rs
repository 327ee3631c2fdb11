//! Files that are none: opening a named pipe waits for whoever opens its other end, on a thread of the host that nothing
//! can stop. So a guest opens plain files and folders, and nothing else.
//!
//! wasmtime-wasi opens whatever a path leads to. It is asked first what that is, with its own resolution of paths, and
//! opens only then. Between the two another program may put a pipe there; a guest can do so only where there is one.

use wasmtime::{
    AsContextMut as _, Caller, Extern, StoreContextMut,
    component::{Linker, Resource},
};
use wasmtime_wasi::{
    filesystem::{Descriptor, WasiFilesystemView as _},
    p1::{
        types::{Errno, Filetype},
        wasi_snapshot_preview1::{self, WasiSnapshotPreview1 as _},
    },
    p2::bindings::filesystem::types::{
        DescriptorFlags, DescriptorType, ErrorCode, HostDescriptor as _, OpenFlags, PathFlags,
    },
};
use wiggle::{GuestMemory, GuestPtr};

use crate::guest::Guest;

/// How much of a path is repeated, in characters.
const LONGEST_SHOWN: usize = 200;
/// The interface, in the version that wasmtime has it under.
const TYPES: &str = "wasi:filesystem/types@0.2.12";

/// Refuses to open them, for components.
pub(crate) fn refuse(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    linker.instance(TYPES)?.func_wrap_async(
        "[method]descriptor.open-at",
        |mut store: StoreContextMut<'_, Guest>,
         (folder, follow, path, how, flags): (
            Resource<Descriptor>,
            PathFlags,
            String,
            OpenFlags,
            DescriptorFlags,
        )| {
            Box::new(async move {
                let guest = store.data_mut();
                let at = Resource::new_borrow(folder.rep());
                // Where that cannot be told, opening fails too, or makes the file.
                let found = guest.wasi.filesystem().stat_at(at, follow, path.clone()).await;
                if found.is_ok_and(|found| is_special(found.type_)) {
                    guest.remark_special(&path);
                    return Ok((Err(ErrorCode::NotPermitted),));
                }
                let opened = guest.wasi.filesystem().open_at(folder, follow, path.clone(), how, flags).await;
                let opened = opened.map(Ok).or_else(|error| error.downcast().map(Err))?;
                if matches!(opened, Err(ErrorCode::NotPermitted)) {
                    guest.refuse_way_out(&path);
                }
                Ok((opened,))
            })
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

/// Refuses to open them, for modules of preview 1.
pub(crate) fn refuse_in_preview_1(linker: &mut wasmtime::Linker<Guest>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    linker.func_wrap_async(
        "wasi_snapshot_preview1",
        "path_open",
        |mut caller: Caller<'_, Guest>,
         (folder, follow, path, len, how, rights, inherited, flags, opened): (
            i32,
            i32,
            i32,
            i32,
            i32,
            i64,
            i64,
            i32,
            i32,
        )| {
            Box::new(async move {
                let Some(Extern::Memory(memory)) = caller.get_export("memory") else {
                    wasmtime::bail!("missing required memory export");
                };
                let fuel = caller.as_context_mut().hostcall_fuel();
                let (memory, guest) = memory.data_and_store_mut(&mut caller);
                let mut memory = GuestMemory::Unshared(memory);
                if let Ok(follow) = follow.try_into() {
                    let text = GuestPtr::<str>::new((path.cast_unsigned(), len.cast_unsigned()));
                    guest.wasi.set_hostcall_fuel(fuel);
                    let found = guest.wasi.path_filestat_get(&mut memory, folder.into(), follow, text).await;
                    if found.is_ok_and(|found| is_special_in_preview_1(found.filetype)) {
                        guest.remark_special(&memory.as_cow_str(text)?);
                        return Ok(Errno::Perm as i32);
                    }
                }
                guest.wasi.set_hostcall_fuel(fuel);
                let answer = wasi_snapshot_preview1::path_open(
                    &mut guest.wasi,
                    &mut memory,
                    folder,
                    follow,
                    path,
                    len,
                    how,
                    rights,
                    inherited,
                    flags,
                    opened,
                )
                .await?;
                if [Errno::Perm as i32, Errno::Notcapable as i32].contains(&answer) {
                    let text = GuestPtr::<str>::new((path.cast_unsigned(), len.cast_unsigned()));
                    guest.refuse_way_out(&memory.as_cow_str(text)?);
                }
                Ok(answer)
            })
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

/// A link is refused by whoever opens it without following it.
fn is_special(found: DescriptorType) -> bool {
    !matches!(found, DescriptorType::RegularFile | DescriptorType::Directory | DescriptorType::SymbolicLink)
}

fn is_special_in_preview_1(found: Filetype) -> bool {
    !matches!(found, Filetype::RegularFile | Filetype::Directory | Filetype::SymbolicLink)
}

impl Guest {
    fn remark_special(&self, path: &str) {
        self.journal.refuse(format!(
            "opening {path:?} refused: it is a named pipe, a socket or a device; only files and folders can be opened"
        ));
    }

    /// It leads out of the folder that it starts from, or is to be changed where only reading is granted.
    fn refuse_way_out(&self, path: &str) {
        let shown: String = path.chars().take(LONGEST_SHOWN).collect();
        self.journal.refuse(format!(
            "opening {shown:?} refused: it leads out of the folder that was granted, or that is not granted for writing \
             (allow.read, allow.write)"
        ));
    }
}

//! How long the parts of a request may be that nothing else bounds.

use clockbox_core::model::format_size;
use wasmtime::{
    StoreContextMut,
    component::{Linker, Resource},
};
use wasmtime_wasi_http::{
    WasiHttpView as _,
    p2::{
        bindings::http::types::{HostOutgoingRequest as _, Method},
        types::HostOutgoingRequest,
    },
};

use crate::guest::Guest;

/// The interface, in the version that wasmtime has it under.
const TYPES: &str = "wasi:http/types@0.2.12";
/// The longest authority in bytes: a host name has at most 253.
const LONGEST_AUTHORITY: usize = 1_024;
/// The longest method of a guest's own making.
const LONGEST_METHOD: usize = 64;

/// Bounds method and authority of a request: the host keeps both beside the guest's memory, for as many requests as a guest
/// may hold, whether they are sent or not.
pub(crate) fn bound(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let mut types = linker.instance(TYPES)?;
    types.func_wrap(
        "[method]outgoing-request.set-method",
        |mut store: StoreContextMut<'_, Guest>,
         (request, method): (Resource<HostOutgoingRequest>, Method)| {
            if let Method::Other(name) = &method
                && name.len() > LONGEST_METHOD
            {
                too_long(&store, "method", name.len(), LONGEST_METHOD);
                return Ok((Err(()),));
            }
            Ok((store.data_mut().http().set_method(request, method)?,))
        },
    )?;
    types.func_wrap(
        "[method]outgoing-request.set-authority",
        |mut store: StoreContextMut<'_, Guest>,
         (request, authority): (Resource<HostOutgoingRequest>, Option<String>)| {
            if let Some(authority) = &authority
                && authority.len() > LONGEST_AUTHORITY
            {
                too_long(&store, "authority", authority.len(), LONGEST_AUTHORITY);
                return Ok((Err(()),));
            }
            Ok((store.data_mut().http().set_authority(request, authority)?,))
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

fn too_long(store: &StoreContextMut<'_, Guest>, what: &str, size: usize, most: usize) {
    let (size, most) = (format_size(size as u64), format_size(most as u64));
    store.data().journal.refuse(format!(
        "{what} of an HTTP request refused: it has {size} and may have {most}, which no key raises; make it shorter"
    ));
}

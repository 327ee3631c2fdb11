//! Everything that a guest may import.

use wasmtime::{
    Engine,
    component::{HasData, HasSelf, Linker},
};
use wasmtime_wasi::I32Exit;
use wasmtime_wasi_config::WasiConfig;

use crate::{
    bindings::clockbox::{
        http::client,
        job::{context, log, progress, types},
        jobs::control,
        state::store,
    },
    facts::Facts,
    guest::Guest,
    http, listing, sockets, special_files,
};

struct HasFacts;

impl HasData for HasFacts {
    type Data<'a> = &'a mut Facts;
}

/// A linker with all interfaces. What is not granted is there too and refuses each call, except that a plugin which
/// imports outgoing HTTP, `state` or `jobs` without the right is refused before it is linked.
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    http::bound(&mut linker)?;
    sockets::explain(&mut linker)?;
    listing::count(&mut linker)?;
    special_files::refuse(&mut linker)?;
    wasmtime_wasi_config::add_to_linker(&mut linker, |guest: &mut Guest| WasiConfig::new(&guest.config))?;
    types::add_to_linker::<Guest, HasSelf<Guest>>(&mut linker, |guest| guest)?;
    context::add_to_linker::<Guest, HasFacts>(&mut linker, |guest| &mut guest.facts)?;
    log::add_to_linker::<Guest, HasSelf<Guest>>(&mut linker, |guest| guest)?;
    progress::add_to_linker::<Guest, HasSelf<Guest>>(&mut linker, |guest| guest)?;
    store::add_to_linker::<Guest, HasSelf<Guest>>(&mut linker, |guest| guest)?;
    client::add_to_linker::<Guest, HasSelf<Guest>>(&mut linker, |guest| guest)?;
    control::add_to_linker::<Guest, HasSelf<Guest>>(&mut linker, |guest| guest)?;
    Ok(linker)
}

/// A linker with the functions of WASI preview 1.
pub(crate) fn preview_1(engine: &Engine) -> wasmtime::Result<wasmtime::Linker<Guest>> {
    let mut linker = wasmtime::Linker::new(engine);
    wasmtime_wasi::p1::add_to_linker_async(&mut linker, |guest: &mut Guest| &mut guest.wasi)?;
    special_files::refuse_in_preview_1(&mut linker)?;
    // wasmtime's own ends in an error for codes from 126 on; a command may mean them.
    linker.allow_shadowing(true);
    linker.func_wrap("wasi_snapshot_preview1", "proc_exit", |code: i32| -> wasmtime::Result<()> {
        Err(I32Exit(code).into())
    })?;
    Ok(linker)
}

//! What a guest is told who begins with the network and may not: the host's log names the right, which the guest's error does not.

use wasmtime::{
    StoreContextMut,
    component::{Linker, Resource},
};
use wasmtime_wasi::{
    p2::{
        SocketResult, UdpSocket,
        bindings::sockets::{
            ip_name_lookup::Host as _,
            network::{ErrorCode, IpAddressFamily, Network},
            tcp_create_socket::Host as _,
        },
    },
    sockets::WasiSocketsView as _,
};

use crate::guest::Guest;

const CREATE_TCP: &str = "wasi:sockets/tcp-create-socket@0.2.12";
const CREATE_UDP: &str = "wasi:sockets/udp-create-socket@0.2.12";
const LOOKUP: &str = "wasi:sockets/ip-name-lookup@0.2.12";
/// How much of a name is repeated, in characters.
const LONGEST_NAME: usize = 253;

/// Refuses sockets and lookups that no right covers, in so many words; the others are wasmtime's.
pub(crate) fn explain(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    linker.instance(CREATE_TCP)?.func_wrap(
        "create-tcp-socket",
        |mut store: StoreContextMut<'_, Guest>, (family,): (IpAddressFamily,)| {
            let guest = store.data_mut();
            if guest.facts.spec.rights.tcp.is_empty() {
                guest.journal.refuse(
                    "TCP socket refused: the right allow.tcp is not granted; list what the plugin may connect to, as in allow = \
                     { tcp = [\"db.example.com:5432\"] }"
                        .to_owned(),
                );
                return Ok((Err(ErrorCode::AccessDenied),));
            }
            Ok((told(guest.sockets().create_tcp_socket(family))?,))
        },
    )?;
    linker.instance(CREATE_UDP)?.func_wrap(
        "create-udp-socket",
        |store: StoreContextMut<'_, Guest>, (_,): (IpAddressFamily,)| {
            store.data().journal.refuse("UDP socket refused: it cannot be granted".to_owned());
            Ok((Err::<Resource<UdpSocket>, _>(ErrorCode::AccessDenied),))
        },
    )?;
    linker.instance(LOOKUP)?.func_wrap(
        "resolve-addresses",
        |mut store: StoreContextMut<'_, Guest>, (network, name): (Resource<Network>, String)| {
            let guest = store.data_mut();
            if !guest.facts.spec.rights.dns {
                let name: String = name.chars().take(LONGEST_NAME).collect();
                guest.journal.refuse(format!(
                    "lookup of {name:?} refused: the right allow.dns is not granted; set allow = {{ dns = true }} to grant it"
                ));
                return Ok((Err(ErrorCode::PermanentResolverFailure),));
            }
            Ok((told(guest.sockets().resolve_addresses(network, name))?,))
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

/// What the guest is told; what is not for it ends the run.
fn told<T>(answer: SocketResult<T>) -> wasmtime::Result<Result<T, ErrorCode>> {
    match answer {
        Ok(done) => Ok(Ok(done)),
        Err(e) => Ok(Err(e.downcast()?)),
    }
}

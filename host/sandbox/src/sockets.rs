//! TCP connections: only to granted endpoints, only to addresses that are meant to be reached.

use std::{net::SocketAddr, sync::Arc};

use clockbox_core::model::{Endpoint, Rights};
use wasmtime_wasi::{WasiCtxBuilder, sockets::SocketAddrUse};

use crate::{http::address::reserved, log::Journal};

/// Opens what is granted; everything else is refused, listening and UDP included.
pub(crate) fn grant(wasi: &mut WasiCtxBuilder, rights: &Rights, journal: &Journal) {
    wasi.allow_udp(false).allow_ip_name_lookup(rights.dns).allow_tcp(!rights.tcp.is_empty());
    if rights.tcp.is_empty() {
        return;
    }
    let (endpoints, journal) = (Arc::new(rights.tcp.clone()), journal.clone());
    wasi.socket_addr_check(move |address, purpose| {
        let (endpoints, journal) = (endpoints.clone(), journal.clone());
        Box::pin(async move {
            match purpose {
                SocketAddrUse::TcpConnect => is_granted(address, endpoints, &journal).await,
                // What connecting begins with; nothing can be reached by it.
                SocketAddrUse::TcpBind => address.ip().is_unspecified() && address.port() == 0,
                _ => {
                    journal.remark("listening for connections refused: it cannot be granted".to_owned());
                    false
                }
            }
        })
    });
}

async fn is_granted(address: SocketAddr, endpoints: Arc<Vec<Endpoint>>, journal: &Journal) -> bool {
    if endpoints.iter().any(|endpoint| endpoint.names(address.ip(), address.port())) {
        return true;
    }
    // A name stands for what it resolves to now: what the guest was told when it asked may be something else. The
    // resolver's future cannot be shared between threads, a task's handle can.
    let found = tokio::spawn(async move { name_of(address, &endpoints).await }).await.ok().flatten();
    match (found, reserved(address.ip())) {
        (Some(endpoint), Some(why)) if !endpoint.is_private() => {
            journal.remark(format!(
                "TCP connection to {endpoint} refused: the host resolves to {why}, which only an allow.tcp entry that \
                 names the address or its network, or has private = true, opens"
            ));
            false
        }
        (Some(_), _) => true,
        (None, _) => {
            journal.remark(format!(
                "TCP connection to {address} refused: not granted; add \"{address}\" to the plugin's allow.tcp to grant it"
            ));
            false
        }
    }
}

/// The granted name that resolves to this address.
async fn name_of(address: SocketAddr, endpoints: &[Endpoint]) -> Option<Endpoint> {
    let wanted = address.ip().to_canonical();
    for endpoint in endpoints {
        let Some((name, port)) = endpoint.name().filter(|(_, port)| *port == address.port()) else {
            continue;
        };
        // A name that cannot be resolved stands for nothing.
        let Ok(mut found) = tokio::net::lookup_host((name, port)).await else { continue };
        if found.any(|found| found.ip().to_canonical() == wanted) {
            return Some(endpoint.clone());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use clockbox_core::model::{LogLine, Timestamp};

    use super::*;
    use crate::{RunSink, log::Redactor};

    #[derive(Default)]
    struct Remarks(Mutex<Vec<String>>);

    impl RunSink for Remarks {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }

        fn log(&self, line: LogLine) {
            self.0.lock().unwrap().push(line.message);
        }

        fn progress(&self, _: u64, _: Option<u64>, _: Option<String>) {}
    }

    /// Whether a connection is granted, and what is remarked.
    async fn ask(address: &str, endpoints: &[Endpoint]) -> (bool, Vec<String>) {
        let sink = Arc::new(Remarks::default());
        let journal = Journal::new(sink.clone(), 1_000, Arc::new(Redactor::default()));
        let granted = is_granted(address.parse().unwrap(), Arc::new(endpoints.to_vec()), &journal).await;
        let remarks = sink.0.lock().unwrap().clone();
        (granted, remarks)
    }

    fn endpoint(text: &str) -> Endpoint {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn addresses_and_networks_open_what_they_name() {
        let endpoints = [endpoint("10.0.0.0/8:5432"), endpoint("[::1]:80")];
        for address in ["10.1.2.3:5432", "[::1]:80", "[::ffff:10.0.0.1]:5432"] {
            assert_eq!(ask(address, &endpoints).await, (true, Vec::new()), "{address}");
        }
        for address in ["10.1.2.3:22", "11.0.0.1:5432", "169.254.169.254:80", "127.0.0.1:80"] {
            let (granted, remarks) = ask(address, &endpoints).await;
            assert!(!granted && remarks[0].contains(&format!("add \"{address}\"")), "{remarks:?}");
        }
    }

    #[tokio::test]
    async fn a_name_opens_what_it_resolves_to_unless_that_is_private() {
        // Every resolver turns this into 127.0.0.1 without asking anybody.
        let name = endpoint("127.1:5432");
        let (granted, remarks) = ask("127.0.0.1:5432", std::slice::from_ref(&name)).await;
        assert!(!granted && remarks[0].contains("loopback"), "{remarks:?}");
        assert!(ask("127.0.0.1:5432", &[name.clone().with_private(true)]).await.0);
        assert!(!ask("127.0.0.2:5432", &[name.with_private(true)]).await.0);
    }
}

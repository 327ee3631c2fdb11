//! TCP connections: only to granted endpoints, only to addresses that are meant to be reached.

use std::{net::SocketAddr, sync::Arc};

use clockbox_core::model::{Endpoint, Rights};
use wasmtime_wasi::{WasiCtxBuilder, sockets::SocketAddrUse};

use crate::{Resolver, http::address::reserved, log::Journal};

mod creation;

pub(crate) use self::creation::explain;

/// Opens what is granted; everything else is refused, listening and UDP included.
pub(crate) fn grant(wasi: &mut WasiCtxBuilder, rights: &Rights, resolver: &Resolver, journal: &Journal) {
    wasi.allow_udp(false).allow_ip_name_lookup(rights.dns).allow_tcp(!rights.tcp.is_empty());
    if rights.tcp.is_empty() {
        return;
    }
    let (endpoints, resolver, journal) = (Arc::new(rights.tcp.clone()), resolver.clone(), journal.clone());
    wasi.socket_addr_check(move |address, purpose| {
        let (endpoints, resolver, journal) = (endpoints.clone(), resolver.clone(), journal.clone());
        Box::pin(async move {
            match purpose {
                SocketAddrUse::TcpConnect => is_granted(address, endpoints, resolver, &journal).await,
                // What connecting begins with; nothing can be reached by it.
                SocketAddrUse::TcpBind => address.ip().is_unspecified() && address.port() == 0,
                _ => {
                    journal.refuse("listening for connections refused: it cannot be granted".to_owned());
                    false
                }
            }
        })
    });
}

async fn is_granted(
    address: SocketAddr,
    endpoints: Arc<Vec<Endpoint>>,
    resolver: Resolver,
    journal: &Journal,
) -> bool {
    if endpoints.iter().any(|endpoint| endpoint.names(address.ip(), address.port())) {
        return true;
    }
    // A name stands for what it resolves to now: what the guest was told when it asked may be something else. The
    // resolver's future cannot be shared between threads, a task's handle can.
    let found =
        tokio::spawn(async move { name_of(address, &endpoints, &resolver).await }).await.ok().flatten();
    match (found, reserved(address.ip())) {
        (Some(endpoint), Some(why)) if !endpoint.is_private() && !means_loopback(&endpoint, address) => {
            journal.refuse(format!(
                "TCP connection to {endpoint} refused: the host resolves to {why}, which only an allow.tcp entry that \
                 names the address or its network, or has private = true, opens"
            ));
            false
        }
        (Some(_), _) => true,
        (None, _) => {
            journal.refuse(format!(
                "TCP connection to {address} refused: not granted; add \"{address}\" to the plugin's allow.tcp to grant it"
            ));
            false
        }
    }
}

/// Whether the grant says `localhost` and the address is that: then it names what it opens.
fn means_loopback(endpoint: &Endpoint, address: SocketAddr) -> bool {
    endpoint.name().is_some_and(|(name, _)| name.eq_ignore_ascii_case("localhost"))
        && address.ip().to_canonical().is_loopback()
}

/// The granted name that resolves to this address.
async fn name_of(address: SocketAddr, endpoints: &[Endpoint], resolver: &Resolver) -> Option<Endpoint> {
    let wanted = address.ip().to_canonical();
    for endpoint in endpoints {
        let Some((name, port)) = endpoint.name().filter(|(_, port)| *port == address.port()) else {
            continue;
        };
        // A name that cannot be resolved stands for nothing.
        let Ok(found) = resolver.resolve(name, port).await else { continue };
        if found.into_iter().any(|found| found.ip().to_canonical() == wanted) {
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
        ask_with(&Resolver::default(), address, endpoints).await
    }

    async fn ask_with(resolver: &Resolver, address: &str, endpoints: &[Endpoint]) -> (bool, Vec<String>) {
        let sink = Arc::new(Remarks::default());
        let journal = Journal::new(sink.clone(), 1_000, Arc::new(Redactor::default()));
        let endpoints = Arc::new(endpoints.to_vec());
        let granted = is_granted(address.parse().unwrap(), endpoints, resolver.clone(), &journal).await;
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

    #[tokio::test]
    async fn a_name_that_changes_its_mind_opens_only_what_it_stands_for_at_the_moment() {
        let answers = Arc::new(Mutex::new(vec!["10.0.0.7", "8.8.8.8", "8.8.8.8"]));
        let resolver = Resolver::new(move |_| {
            let answer = answers.lock().unwrap().pop().unwrap();
            async move { Ok(vec![answer.parse().unwrap()]) }
        });
        let name = [endpoint("db.example:5432")];
        // First it is public, and what it is asked for is that: the guest connects to what was checked.
        assert!(ask_with(&resolver, "8.8.8.8:5432", &name).await.0);
        // The guest was told of a private address, at another time.
        let (granted, remarks) = ask_with(&resolver, "10.0.0.7:5432", &name).await;
        assert!(!granted && remarks[0].contains("add \"10.0.0.7:5432\""), "{remarks:?}");
        // Now the name stands for it, and that opens nothing.
        let (granted, remarks) = ask_with(&resolver, "10.0.0.7:5432", &name).await;
        assert!(!granted && remarks[0].contains("a private address"), "{remarks:?}");
    }
}

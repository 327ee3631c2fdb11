//! How names of hosts become addresses.

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
};

type Lookup = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Looks up the names that guests connect to: by default as the system does. Whatever it answers is checked against the
/// plugin's rights, and what was checked is connected to, without another look.
///
/// It is not asked about addresses, nor for what a guest looks up itself with the right `dns`: by that nothing is reached.
///
/// ```
/// use clockbox_sandbox::{Resolver, SandboxOptions};
///
/// let resolver = Resolver::new(|name| async move {
///     match name.as_str() {
///         "db.internal" => Ok(vec!["10.0.0.5".parse().unwrap()]),
///         _ => Err(std::io::Error::other("no such host")),
///     }
/// });
/// let options = SandboxOptions { resolver, ..Default::default() };
/// # drop(options);
/// ```
#[derive(Clone, Default)]
pub struct Resolver(Option<Arc<dyn Fn(String) -> Lookup + Send + Sync>>);

impl Resolver {
    /// A resolver that asks this function.
    #[must_use]
    pub fn new<F>(lookup: impl Fn(String) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = io::Result<Vec<IpAddr>>> + Send + 'static,
    {
        Self(Some(Arc::new(move |name| Box::pin(lookup(name)))))
    }

    /// The addresses of a host, which may be one already (without brackets).
    pub(crate) async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        match &self.0 {
            Some(lookup) => {
                let found = lookup(host.to_owned()).await?;
                Ok(found.into_iter().map(|address| SocketAddr::new(address, port)).collect())
            }
            None => Ok(tokio::net::lookup_host((host, port)).await?.collect()),
        }
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Resolver(own)" } else { "Resolver(system)" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_is_nobodys_to_decide() {
        let elsewhere = Resolver::new(|_| async { Ok(vec![IpAddr::from([8, 8, 8, 8])]) });
        for (host, found) in [("10.0.0.7", "10.0.0.7:1"), ("::1", "[::1]:1"), ("a.example", "8.8.8.8:1")] {
            let addresses = elsewhere.resolve(host, 1).await.unwrap();
            assert_eq!(addresses, [found.parse().unwrap()], "{host}");
        }
        // Every system turns this into 127.0.0.1 without asking anybody.
        assert_eq!(Resolver::default().resolve("127.1", 1).await.unwrap(), ["127.0.0.1:1".parse().unwrap()]);
    }
}

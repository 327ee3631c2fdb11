//! Asking a running host: where it is found, and how its answers become the command's own.

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use clap::Args;
use http::{HeaderName, Method, StatusCode, Uri, header::IF_MATCH, uri::Scheme};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{exit::Failure, place::Place};
use crate::{
    control::{
        Problem,
        client::{Address, Answer, Client, ClientError},
    },
    manifest::ServerSettings,
};

/// The longest token in a file, in bytes.
const LONGEST_TOKEN: u64 = 64 << 10;

/// Which host a command asks.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct HostArgs {
    #[command(flatten)]
    pub(super) place: Place,
    /// Ask the host at this unix socket.
    #[arg(long, value_name = "PATH", conflicts_with = "url")]
    socket: Option<PathBuf>,
    /// Ask the host at this address, such as http://127.0.0.1:7878, or https://clock.example of a proxy in front of it.
    #[arg(long)]
    url: Option<String>,
    /// The file that holds the token for --url; else the variable CLOCKBOX_TOKEN does.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Trust the certificate authorities of this PEM file as well, with an address that begins with https://.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

/// What the environment says about the host to ask.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Variables {
    socket: Option<PathBuf>,
    url: Option<String>,
    token: Option<String>,
}

impl Variables {
    fn read() -> Self {
        let text = |name| std::env::var(name).ok().filter(|text| !text.is_empty());
        Self {
            socket: text("CLOCKBOX_SOCKET").map(PathBuf::from),
            url: text("CLOCKBOX_URL"),
            token: text("CLOCKBOX_TOKEN"),
        }
    }
}

/// Where a host is, and with which token it is asked.
#[derive(Debug)]
struct Door {
    address: Address,
    token: Option<String>,
}

impl HostArgs {
    /// Whether the host is the one of a manifest, and not one that is named otherwise.
    pub(super) fn is_of_manifest(&self) -> bool {
        let is_named = self.socket.is_some() || self.url.is_some();
        !is_named && (self.place.is_given() || Variables::read().is_silent())
    }

    /// What is said here; where nothing is, what `outer` says.
    pub(super) fn or(&self, outer: &Self) -> Self {
        let is_given = self.place.is_given() || self.socket.is_some() || self.url.is_some();
        let said = if is_given { self } else { outer };
        let token_file = self.token_file.as_ref().or(outer.token_file.as_ref()).cloned();
        Self { token_file, ..said.clone() }
    }

    /// Connects to the host.
    pub(super) fn connect(&self) -> Result<Host, Failure> {
        match self.try_connect()? {
            Ok(host) => Ok(host),
            Err(nobody) => Err(nobody.failure()),
        }
    }

    /// Connects to the host, or answers that there is none at the place where it would be.
    pub(super) fn try_connect(&self) -> Result<Result<Host, Nobody>, Failure> {
        let Door { address, token } = self.door(&Variables::read())?;
        match Client::connect_trusting(address, token.as_deref(), self.ca.as_deref()) {
            Ok(client) => Ok(Ok(Host(client))),
            Err(ClientError::Unreachable { address, error }) => {
                let is_guessed = self.is_of_manifest();
                Ok(Err(Nobody { address, error, is_guessed }))
            }
            Err(error) => Err(failure(error)),
        }
    }

    /// Connects to the host; where none is found at the manifest's own place, answers `None`, with a word about it: the
    /// store says what the last one left. A host that was named must be there.
    pub(super) fn host_or_store(&self) -> Result<Option<Host>, Failure> {
        match self.try_connect()? {
            Ok(host) => Ok(Some(host)),
            Err(nobody) if nobody.is_guessed => Ok(None),
            Err(nobody) => Err(nobody.failure()),
        }
    }

    /// Connects to the host; where none is asked at the manifest's own place, answers `None`, with a note that says `instead`,
    /// what the answer comes from then. A host that was named must be there.
    pub(super) fn host_or(&self, instead: &str) -> Result<Option<Host>, Failure> {
        let why = match self.try_connect() {
            Ok(Ok(host)) => return Ok(Some(host)),
            Ok(Err(nobody)) if nobody.is_guessed => "no host is running".to_owned(),
            Ok(Err(nobody)) => return Err(nobody.failure()),
            Err(failure) if !self.is_of_manifest() => return Err(failure),
            // Whoever reads the manifest next says what is wrong with it.
            Err(_) if self.place.survey().is_err() => return Ok(None),
            Err(failure) => format!("the host is not asked: {}", failure.message()),
        };
        eprintln!("note: {why}: {instead}");
        Ok(None)
    }

    /// A flag wins, then a manifest that is named, then the environment, then the manifest here.
    fn door(&self, variables: &Variables) -> Result<Door, Failure> {
        let token = match &self.token_file {
            Some(file) => Some(read_token(file)?),
            None => variables.token.clone(),
        };
        let at = |address| Ok(Door { address, token: token.clone() });
        if let Some(url) = &self.url {
            return at(address(url)?);
        }
        if let Some(socket) = &self.socket {
            return at(Address::Socket(socket.clone()));
        }
        if !self.place.is_given() {
            match variables {
                Variables { url: Some(url), .. } => return at(address(url)?),
                Variables { socket: Some(socket), .. } => return at(Address::Socket(socket.clone())),
                _ => {}
            }
        }
        let ServerSettings { socket, listen, token: own, .. } = self.place.server()?;
        if let Some(socket) = socket {
            return at(Address::Socket(socket));
        }
        let Some(listen) = listen else {
            return Err(Failure::new("the manifest says that its host is not to be asked")
                .hint("set [server] socket or listen, or name the host with --socket or --url"));
        };
        // Whoever may read the manifest's secret may use it.
        let own = own.map(|own| own.expose().to_owned());
        Ok(Door { address: Address::Tcp(reachable(listen).to_string()), token: token.or(own) })
    }
}

impl Variables {
    /// Whether they name no host.
    fn is_silent(&self) -> bool {
        self.socket.is_none() && self.url.is_none()
    }
}

/// The address at which a host that listens on every address is asked.
fn reachable(mut listen: std::net::SocketAddr) -> std::net::SocketAddr {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
    if listen.ip().is_unspecified() {
        listen.set_ip(match listen.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    listen
}

/// The host and port of a URL.
fn address(url: &str) -> Result<Address, Failure> {
    let bad = |why: &str| {
        Failure::new(format!("--url: {url:?} {why}")).hint("write for instance http://127.0.0.1:7878")
    };
    let uri: Uri = url.parse().map_err(|_| bad("is not a URL"))?;
    let is_tls = match uri.scheme() {
        Some(scheme) if *scheme == Scheme::HTTP => false,
        Some(scheme) if *scheme == Scheme::HTTPS => true,
        _ => return Err(bad("does not begin with http:// or https://")),
    };
    if uri.path_and_query().is_some_and(|path| path.as_str() != "/") {
        return Err(bad("has a path"));
    }
    let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'));
    let authority = authority.ok_or_else(|| bad("names no host and port"))?;
    let port = authority.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
    let authority = format!("{}:{port}", authority.host());
    Ok(if is_tls { Address::Tls(authority) } else { Address::Tcp(authority) })
}

fn read_token(file: &Path) -> Result<String, Failure> {
    use std::io::Read as _;
    let failed =
        |why: &dyn std::fmt::Display| Failure::new(format!("--token-file {}: {why}", file.display()));
    let mut text = String::new();
    let opened = std::fs::File::open(file).map_err(|error| failed(&error))?;
    opened.take(LONGEST_TOKEN).read_to_string(&mut text).map_err(|error| failed(&error))?;
    match text.trim() {
        "" => Err(failed(&"is empty")),
        token => Ok(token.to_owned()),
    }
}

/// No host answers.
#[derive(Debug)]
pub(super) struct Nobody {
    address: Address,
    error: std::io::Error,
    is_guessed: bool,
}

impl Nobody {
    /// Whether somebody answers there who speaks another protocol.
    pub(super) fn is_mixed_up(&self) -> bool {
        mixed_up(&self.address, Some(&self.error)).is_some()
    }

    /// What a command that needs a host says.
    pub(super) fn failure(&self) -> Failure {
        let failure = Failure::new(self.to_string());
        if let Some(hint) = mixed_up(&self.address, Some(&self.error)) {
            return failure.hint(hint);
        }
        failure.hint(if self.is_guessed {
            "start one with `clockbox run`, or name the one that runs: a manifest, --socket or --url"
        } else {
            "see that the host runs, and that [server] in its manifest names this place"
        })
    }
}

impl std::fmt::Display for Nobody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use std::io::ErrorKind::{ConnectionRefused, NotFound};
        match self.error.kind() {
            NotFound | ConnectionRefused => write!(f, "no host is running at {}", self.address),
            _ => write!(f, "no host can be asked at {}: {}", self.address, self.error),
        }
    }
}

/// What to do where TLS was spoken to somebody who does not speak it, or the other way round: what comes back is gibberish.
fn mixed_up(address: &Address, error: Option<&std::io::Error>) -> Option<&'static str> {
    match (address, error) {
        (Address::Tls(_), Some(error)) if error.kind() == std::io::ErrorKind::InvalidData => Some(
            "what answers there speaks no TLS, as a host itself does not: write http://, or the address of the proxy in front",
        ),
        (Address::Tcp(_), None) => {
            Some("is it a host, and not a proxy with TLS in front of one? ask that with https://")
        }
        _ => None,
    }
}

/// A running host.
#[derive(Debug)]
pub(super) struct Host(Client);

impl Host {
    /// Where it is asked.
    pub(super) fn address(&self) -> String {
        self.0.address().to_string()
    }

    /// What came of a request, with what to do where it came to nothing.
    fn told<T>(&self, answer: Result<T, ClientError>) -> Result<T, Failure> {
        answer.map_err(|error| match (&error, mixed_up(self.0.address(), None)) {
            (ClientError::Broken(_), Some(hint)) => failure(error).hint(hint),
            _ => failure(error),
        })
    }

    /// Gets what is at a path.
    pub(super) fn get<T: DeserializeOwned>(&mut self, path: &str) -> Result<T, Failure> {
        let got = self.0.get(path);
        self.told(got)
    }

    /// Gets what is at a path; `None` where there is nothing.
    pub(super) fn find<T: DeserializeOwned>(&mut self, path: &str) -> Result<Option<T>, Failure> {
        match self.0.get(path) {
            Ok(found) => Ok(Some(found)),
            Err(ClientError::Refused(problem)) if problem.status == StatusCode::NOT_FOUND => Ok(None),
            Err(error) => self.told(Err(error)),
        }
    }

    /// Sends a request.
    pub(super) fn send(
        &mut self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, Failure> {
        let answer = self.0.call(method, path, &[], body);
        self.told(answer)
    }

    /// Sends a body that is no JSON, or not known to be any.
    pub(super) fn post(&mut self, path: &str, media_type: &str, body: Bytes) -> Result<Answer, Failure> {
        let answer = self.0.call_with(Method::POST, path, &[], Some((media_type, body)));
        self.told(answer)
    }

    /// Gets what is at a path line by line, as it comes, until `each` says that it is enough or the host has no more.
    pub(super) fn follow_lines(
        &mut self,
        path: &str,
        headers: &[(HeaderName, &str)],
        mut each: impl FnMut(&str) -> ControlFlow<()>,
    ) -> Result<(), Failure> {
        let mut rest = Vec::new();
        let followed = self.0.follow(path, headers, |bytes| {
            rest.extend_from_slice(bytes);
            let whole = rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            let lines: Vec<u8> = rest.drain(..whole).collect();
            String::from_utf8_lossy(&lines).lines().try_for_each(&mut each)
        });
        self.told(followed)
    }

    /// Sends a request to change what is still the version `if_match`, where one is given.
    pub(super) fn send_if(
        &mut self,
        method: Method,
        path: &str,
        if_match: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Answer, Failure> {
        // The quotes belong to the tag, and are easily lost to a shell.
        let quoted = if_match.map(|tag| match tag {
            "*" => tag.to_owned(),
            tag if tag.starts_with('"') => tag.to_owned(),
            tag => format!("\"{tag}\""),
        });
        let headers: Vec<(HeaderName, &str)> =
            quoted.as_deref().map(|tag| (IF_MATCH, tag)).into_iter().collect();
        let answer = self.0.call(method, path, &headers, body);
        self.told(answer)
    }
}

/// What an answer says.
pub(super) fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, Failure> {
    answer.json().map_err(failure)
}

/// A name as a part of a path.
pub(super) fn part(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// What follows the `?` of a path, with what leads to it; nothing without any parameter.
pub(super) fn query(parameters: &[(&str, Option<&str>)]) -> String {
    let said = parameters.iter().filter_map(|(key, value)| Some(format!("{key}={}", part((*value)?))));
    let said: Vec<String> = said.collect();
    if said.is_empty() { String::new() } else { format!("?{}", said.join("&")) }
}

/// Why the host did not do it, with the exit code.
pub(super) fn failure(error: ClientError) -> Failure {
    match error {
        ClientError::Refused(problem) => refused(&problem),
        ClientError::Untrusted { .. } => Failure::new(error)
            .hint("give --ca the certificate of the authority that has signed it, as a PEM file"),
        ClientError::Unreachable { .. } | ClientError::Broken(_) => Failure::new(error),
    }
}

fn refused(problem: &Problem) -> Failure {
    let mut message = problem.detail.clone();
    for one in &problem.problems {
        let key = if one.key.is_empty() { String::new() } else { format!("{}: ", one.key) };
        message.push_str(&format!("\n  {key}{}", one.message));
        if let Some(hint) = &one.hint {
            message.push_str(&format!("\n    hint: {hint}"));
        }
    }
    // What is not there, is there already or has changed is an answer; everything else could not be done.
    let failure = match StatusCode::from_u16(problem.status) {
        Ok(StatusCode::NOT_FOUND | StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED) => {
            Failure::no(message)
        }
        _ if problem.code() == "state-full" => Failure::no(message),
        _ => Failure::new(message),
    };
    // The words of the API that are others here.
    failure.of_problem(problem.code()).with_hint(match problem.code() {
        "job-exists" => Some("choose another name, or give --replace or --ignore"),
        "changed" => Some("look at it again with `clockbox jobs show`: it says what --if-match is to say"),
        "no-token" => {
            Some("give --token-file, or set CLOCKBOX_TOKEN, to a token of [server] in the host's manifest")
        }
        _ => problem.hint.as_deref(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn door(args: &HostArgs, variables: &Variables) -> String {
        args.door(variables).map_or_else(|error| format!("{error:?}"), |door| door.address.to_string())
    }

    #[test]
    fn a_flag_wins_over_a_manifest_over_the_environment() {
        let folder = tempfile::tempdir().unwrap();
        let variables = Variables { url: Some("http://a.example:1/".to_owned()), ..Variables::default() };
        let here = HostArgs::default();
        assert_eq!(door(&here, &variables), "http://a.example:1");
        let named = HostArgs { place: Place::at(folder.path(), &[]), ..HostArgs::default() };
        let socket = folder.path().join("clockbox.sock");
        std::fs::write(folder.path().join("clockbox.toml"), "").unwrap();
        assert_eq!(door(&named, &variables), socket.display().to_string());
        let flagged = HostArgs { socket: Some("/run/x.sock".into()), ..named.clone() };
        assert_eq!(door(&flagged, &variables), "/run/x.sock");
        // A manifest with a mistake still says where its host is.
        let text =
            "[server]\nsocket = false\nlisten = \"0.0.0.0:7878\"\ninsecure = true\n[jobs.x]\nplugn = 1\n";
        std::fs::write(folder.path().join("clockbox.toml"), text).unwrap();
        assert_eq!(door(&named, &variables), "http://127.0.0.1:7878");
        std::fs::write(folder.path().join("clockbox.toml"), "[server").unwrap();
        assert_eq!(door(&named, &variables), socket.display().to_string());
    }

    #[test]
    fn a_url_names_a_host_and_nothing_else() {
        let tcp = |text: &str| Address::Tcp(text.to_owned());
        assert_eq!(address("http://localhost:7878").unwrap(), tcp("localhost:7878"));
        assert_eq!(address("http://[::1]:1/").unwrap(), tcp("[::1]:1"));
        assert_eq!(address("http://clock.example").unwrap(), tcp("clock.example:80"));
        let tls = |text: &str| Address::Tls(text.to_owned());
        assert_eq!(address("https://clock.example").unwrap(), tls("clock.example:443"));
        assert_eq!(address("https://[::1]:1/").unwrap(), tls("[::1]:1"));
        for bad in [
            "localhost:7878",
            "https://",
            "ftp://a.example",
            "https://a.example/v1",
            "http://a.example/v1",
            "http://u:p@a.example",
            "",
            "http://",
        ] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_and_parameters_are_escaped() {
        assert_eq!(part("a/b c?"), "a%2Fb%20c%3F");
        assert_eq!(query(&[("after", Some("a&b")), ("limit", None)]), "?after=a%26b");
        assert_eq!(query(&[("limit", None)]), "");
    }
}

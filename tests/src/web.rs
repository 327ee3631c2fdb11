//! A web server on this machine, for plugins that ask one.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    os::fd::OwnedFd,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver},
    },
    time::Duration,
};

use rustix::net::{self, AddressFamily, SocketType};

/// A guard against a request that never comes.
const DEADLINE: Duration = Duration::from_secs(60);

/// One request that the server was sent.
#[derive(Debug, Clone)]
pub struct Request {
    /// Method and path: `POST /hook`.
    pub line: String,
    /// The headers as they came, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Request {
    /// The header of this name, given in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn path(&self) -> &str {
        self.line.rsplit(' ').next().unwrap_or_default()
    }
}

/// A server that answers each path alike: `/204` with this status and nothing, any other with 200 and its own path. The first
/// request for `/hang` is not answered; whoever asked has to go.
#[derive(Debug)]
pub struct WebServer {
    origin: String,
    requests: Receiver<Request>,
    hung_up: Receiver<()>,
}

impl WebServer {
    /// Starts a server on a free port of the loopback.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap_or_else(|error| panic!("loopback: {error}"));
        let address = listener.local_addr().unwrap_or_else(|error| panic!("loopback: {error}"));
        let (sender, requests) = mpsc::channel();
        let (hangs_up, hung_up) = mpsc::channel();
        let hangs = Arc::new(AtomicBool::new(true));
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (sender, hangs_up, hangs) = (sender.clone(), hangs_up.clone(), hangs.clone());
                std::thread::spawn(move || {
                    // A connection that breaks is the test's to notice, by a request that is missing.
                    let Ok(request) = read(&connection) else { return };
                    if request.path() == "/hang" && hangs.swap(false, Ordering::SeqCst) {
                        _ = sender.send(request);
                        // It ends when the other side has gone, in whatever way.
                        _ = (&connection).read(&mut [0]);
                        _ = hangs_up.send(());
                    } else if reply(&connection, request.path()).is_ok() {
                        _ = sender.send(request);
                    }
                });
            }
        });
        Self { origin: format!("http://{address}"), requests, hung_up }
    }

    /// Waits until whoever asked for `/hang` has gone.
    ///
    /// # Panics
    /// When that takes a minute.
    #[track_caller]
    pub fn hung_up(&self) {
        self.hung_up.recv_timeout(DEADLINE).unwrap_or_else(|_| panic!("the connection stays open"));
    }

    /// Its origin: `http://127.0.0.1:40000`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The next request, waited for where it has not come.
    ///
    /// # Panics
    /// When none comes within a minute.
    #[must_use]
    #[track_caller]
    pub fn request(&self) -> Request {
        self.requests.recv_timeout(DEADLINE).unwrap_or_else(|_| panic!("no request came"))
    }

    /// The requests that have come and were not asked for yet.
    #[must_use]
    pub fn waiting(&self) -> Vec<Request> {
        self.requests.try_iter().collect()
    }
}

/// A port of this machine that is taken and where nothing listens: whoever connects is refused.
#[derive(Debug)]
pub struct DeadPort {
    origin: String,
    _socket: OwnedFd,
}

impl DeadPort {
    /// Takes a free port of the loopback.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn take() -> Self {
        let socket = net::socket(AddressFamily::INET, SocketType::STREAM, None);
        let socket = socket.unwrap_or_else(|error| panic!("loopback: {error}"));
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        net::bind(&socket, &any).unwrap_or_else(|error| panic!("loopback: {error}"));
        let address = net::getsockname(&socket).map(SocketAddr::try_from);
        let Ok(Ok(address)) = address else { panic!("loopback: {address:?}") };
        Self { origin: format!("http://{address}"), _socket: socket }
    }

    /// Its origin: `http://127.0.0.1:40000`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }
}

fn read(connection: &TcpStream) -> std::io::Result<Request> {
    let mut reader = BufReader::new(connection);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let mut head = head.into_iter();
    let line = head.next().unwrap_or_default().trim_end_matches(" HTTP/1.1").to_owned();
    let headers: Vec<(String, String)> = head
        .filter_map(|line| {
            line.split_once(':').map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        })
        .collect();
    let mut request = Request { line, headers, body: String::new() };
    request.body = match request.header("transfer-encoding") {
        Some("chunked") => chunks(&mut reader)?,
        _ => {
            let length = request.header("content-length").and_then(|n| n.parse().ok()).unwrap_or(0);
            text(&mut reader, length)?
        }
    };
    Ok(request)
}

fn reply(mut connection: &TcpStream, path: &str) -> std::io::Result<()> {
    let status = path.trim_start_matches('/').parse::<u16>().unwrap_or(200);
    let body = if status == 200 { format!("this is {path}") } else { String::new() };
    write!(
        connection,
        "HTTP/1.1 {status} as asked\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn chunks(reader: &mut impl BufRead) -> std::io::Result<String> {
    let mut body = String::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let length = usize::from_str_radix(line.trim_end(), 16).map_err(std::io::Error::other)?;
        body.push_str(&text(reader, length)?);
        text(reader, 2)?;
        if length == 0 {
            return Ok(body);
        }
    }
}

fn text(reader: &mut impl Read, length: usize) -> std::io::Result<String> {
    let mut bytes = vec![0; length];
    reader.read_exact(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

//! A web server that means harm.

use std::{
    io::{self, Read as _, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// A server on the loopback that answers by path: `/giant` without end, `/slow` a byte at a time, `/silent` not at all,
/// `/giant-head` with a head without end, and `/redirect/REST` with a redirect to `http://REST`. Beside it is one that nobody is
/// granted, and that counts who comes nevertheless.
pub(crate) struct HostileWeb {
    port: u16,
    inner_port: u16,
    inner_visits: Arc<AtomicUsize>,
}

impl HostileWeb {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                // It ends when the other side has had enough.
                std::thread::spawn(move || _ = answer(connection));
            }
        });
        let inner = TcpListener::bind("127.0.0.1:0").unwrap();
        let inner_port = inner.local_addr().unwrap().port();
        let inner_visits = Arc::new(AtomicUsize::new(0));
        let visits = inner_visits.clone();
        std::thread::spawn(move || {
            for _ in inner.incoming().flatten() {
                visits.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { port, inner_port, inner_visits }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The port of the server that nobody is granted.
    pub(crate) fn inner_port(&self) -> u16 {
        self.inner_port
    }

    /// How many connections that one had.
    pub(crate) fn inner_visits(&self) -> usize {
        self.inner_visits.load(Ordering::SeqCst)
    }
}

fn answer(mut connection: TcpStream) -> io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        connection.read_exact(&mut byte)?;
        request.extend(byte);
    }
    let path = request.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
    match path {
        b"/giant" => {
            connection.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
            loop {
                connection.write_all(&[b'x'; 64 << 10])?;
            }
        }
        b"/giant-head" => {
            connection.write_all(b"HTTP/1.1 200 OK\r\n")?;
            loop {
                connection.write_all(b"x-more: 0123456789abcdef\r\n")?;
            }
        }
        b"/slow" => {
            connection.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
            loop {
                connection.write_all(b"x")?;
                // What makes it slow; nothing waits for it.
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        _ if path.starts_with(b"/redirect/") => {
            connection.write_all(b"HTTP/1.1 302 Found\r\ncontent-length: 0\r\nlocation: http://")?;
            connection.write_all(&path[b"/redirect/".len()..])?;
            connection.write_all(b"\r\n\r\n")
        }
        _ => {
            // Until the other side hangs up.
            io::copy(&mut connection, &mut io::sink())?;
            Ok(())
        }
    }
}

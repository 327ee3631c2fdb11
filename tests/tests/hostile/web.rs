//! A web server that means harm.

use std::{
    io::{self, Read as _, Write},
    net::{TcpListener, TcpStream},
    time::Duration,
};

/// A server on the loopback that answers by path: `/giant` without end, `/slow` a byte at a time, `/silent` not at all, and
/// `/giant-head` with a head without end.
pub(crate) struct HostileWeb(u16);

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
        Self(port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.0
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
        _ => {
            // Until the other side hangs up.
            io::copy(&mut connection, &mut io::sink())?;
            Ok(())
        }
    }
}

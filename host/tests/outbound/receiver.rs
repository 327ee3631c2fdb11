//! A receiver of webhooks on this machine that answers as it is told.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver as Requests},
    },
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// A guard against a request that never comes.
const DEADLINE: Duration = Duration::from_secs(60);

/// What a receiver does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Status(u16),
    /// A redirect to this place.
    Elsewhere(String),
    /// No answer, until the sender is gone.
    Hang,
}

#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) line: String,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Whether it is signed with this key. HMAC is written out, so that the host's is not held against itself.
    pub(crate) fn is_signed_with(&self, key: &[u8]) -> bool {
        let digest = |pad: u8, text: &[u8]| {
            assert!(key.len() <= 64, "longer ones are hashed first");
            let mut block = [pad; 64];
            block.iter_mut().zip(key).for_each(|(byte, of_key)| *byte ^= of_key);
            Sha256::new().chain_update(block).chain_update(text).finalize()
        };
        let mut text =
            format!("{}.{}.", self.header("webhook-id"), self.header("webhook-timestamp")).into_bytes();
        text.extend(&self.body);
        let mac = digest(0x5c, &digest(0x36, &text));
        self.header("webhook-signature") == format!("v1,{}", STANDARD.encode(mac))
    }
}

pub(crate) struct Receiver {
    pub(crate) url: String,
    requests: Requests<Request>,
    answers: Arc<Mutex<Vec<Answer>>>,
}

impl Receiver {
    /// Answers with each of these in turn; with the last one for ever.
    pub(crate) fn answering(answers: impl IntoIterator<Item = Answer>) -> Self {
        let mut answers: Vec<Answer> = answers.into_iter().collect();
        answers.reverse();
        let answers = Arc::new(Mutex::new(answers));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook?a=1", listener.local_addr().unwrap());
        let (sender, requests) = mpsc::channel();
        let script = Arc::clone(&answers);
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (sender, script) = (sender.clone(), Arc::clone(&script));
                std::thread::spawn(move || serve(&connection, &sender, &script));
            }
        });
        Self { url, requests, answers }
    }

    pub(crate) fn taking() -> Self {
        Self::answering([Answer::Status(204)])
    }

    /// Answers so from now on.
    pub(crate) fn answer(&self, answer: Answer) {
        *self.answers.lock().unwrap() = vec![answer];
    }

    /// The next request, waited for where it has not come.
    #[track_caller]
    pub(crate) fn request(&self) -> Request {
        self.requests.recv_timeout(DEADLINE).expect("no request came")
    }

    /// Those that have come and were not asked for.
    pub(crate) fn waiting(&self) -> Vec<Request> {
        self.requests.try_iter().collect()
    }
}

fn serve(connection: &TcpStream, sender: &mpsc::Sender<Request>, script: &Mutex<Vec<Answer>>) {
    // A connection that breaks is the test's to notice, by a request that is missing.
    let Ok(request) = read(connection) else { return };
    let answer = {
        let mut script = script.lock().unwrap();
        if script.len() > 1 { script.pop() } else { script.last().cloned() }
    };
    // The test may have heard enough.
    _ = sender.send(request);
    let (status, more) = match answer.unwrap() {
        Answer::Status(status) => (status, String::new()),
        Answer::Elsewhere(place) => (307, format!("location: {place}\r\n")),
        Answer::Hang => {
            _ = (&*connection).read(&mut [0]);
            return;
        }
    };
    let mut out = connection;
    _ = write!(out, "HTTP/1.1 {status} as told\r\n{more}content-length: 0\r\nconnection: close\r\n\r\n");
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
    let header = |line: &String| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_lowercase(), value.trim().to_owned()))
    };
    let headers: Vec<_> = head.iter().skip(1).filter_map(header).collect();
    let line = head.into_iter().next().ok_or(std::io::ErrorKind::UnexpectedEof)?;
    let mut request = Request { line, headers, body: Vec::new() };
    let length = request.header("content-length").parse().map_err(std::io::Error::other)?;
    request.body = vec![0; length];
    reader.read_exact(&mut request.body)?;
    Ok(request)
}

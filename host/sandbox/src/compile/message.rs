//! What the host and its compiler process say to one another: a request as arguments, an answer on stdout. Pure.

use std::ffi::OsString;

use crate::{engine::EngineSettings, hex};

/// What is to be done with a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// Text becomes a binary.
    Assemble,
    /// A core module becomes code.
    Module,
    /// A component becomes code.
    Component,
}

impl Work {
    const ALL: [Self; 3] = [Self::Assemble, Self::Module, Self::Component];

    fn as_str(self) -> &'static str {
        match self {
            Self::Assemble => "text",
            Self::Module => "module",
            Self::Component => "component",
        }
    }
}

/// What is to be compiled, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) work: Work,
    pub(crate) settings: EngineSettings,
    /// Bytes of memory that the compiler may take.
    pub(crate) memory: u64,
    /// What the code is to be known by.
    pub(crate) compatibility: [u8; 32],
}

/// What the compiler answers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The code, or the binary of a text.
    Code(Vec<u8>),
    /// The plugin is not valid.
    Invalid(String),
    /// It needs more memory than there may be.
    OutOfMemory,
    /// The compiler is of another version, or has another processor before it.
    Other,
    /// The compiler cannot do its work.
    Failed(String),
}

/// How an answer begins: a name, the version of this form.
const MAGIC: &[u8; 8] = b"cbxmade\x01";

impl Request {
    /// The request as arguments of the compiler.
    pub(crate) fn to_args(self) -> [OsString; 4] {
        [
            format!("kind={}", self.work.as_str()),
            format!("fuel={}", self.settings.fuel),
            format!("memory={}", self.memory),
            format!("compatibility={}", hex::encode(&self.compatibility)),
        ]
        .map(OsString::from)
    }

    /// Reads what [`Self::to_args`] wrote.
    pub(crate) fn from_args(args: &[String]) -> Result<Self, String> {
        let value = |key: &str| {
            let found = args.iter().find_map(|arg| arg.strip_prefix(key)?.strip_prefix('='));
            found.ok_or_else(|| format!("the argument {key}=… is missing"))
        };
        let bad = |key: &str| format!("the argument {key}=… has another form");
        let fuel = value("fuel")?.parse().map_err(|_| bad("fuel"))?;
        Ok(Self {
            work: {
                let kind = value("kind")?;
                Work::ALL.into_iter().find(|work| work.as_str() == kind).ok_or_else(|| bad("kind"))?
            },
            settings: EngineSettings { fuel, stack: None },
            memory: value("memory")?.parse().map_err(|_| bad("memory"))?,
            compatibility: hex::decode(value("compatibility")?).ok_or_else(|| bad("compatibility"))?,
        })
    }
}

impl Answer {
    /// The answer as bytes: what it is, how long it is, and the rest.
    pub(crate) fn head(&self) -> (Vec<u8>, &[u8]) {
        let (tag, rest): (u8, &[u8]) = match self {
            Self::Code(code) => (0, code),
            Self::Invalid(why) => (1, why.as_bytes()),
            Self::OutOfMemory => (2, &[]),
            Self::Other => (3, &[]),
            Self::Failed(why) => (4, why.as_bytes()),
        };
        let mut head = MAGIC.to_vec();
        head.push(tag);
        head.extend_from_slice(&(rest.len() as u64).to_le_bytes());
        (head, rest)
    }

    /// Reads a whole answer; `None` when these bytes are none.
    pub(crate) fn read(mut bytes: Vec<u8>) -> Option<Self> {
        const HEAD: usize = MAGIC.len() + 1 + 8;
        let head = bytes.get(..HEAD)?;
        let length = u64::from_le_bytes(head[MAGIC.len() + 1..].try_into().ok()?);
        let tag = head[MAGIC.len()];
        if !head.starts_with(MAGIC) || length != (bytes.len() - HEAD) as u64 {
            return None;
        }
        bytes.drain(..HEAD);
        let text = |bytes| String::from_utf8(bytes).ok();
        Some(match tag {
            0 => Self::Code(bytes),
            1 => Self::Invalid(text(bytes)?),
            2 => Self::OutOfMemory,
            3 => Self::Other,
            4 => Self::Failed(text(bytes)?),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_comes_back_from_its_arguments() {
        for (work, fuel) in [(Work::Component, false), (Work::Module, true), (Work::Assemble, false)] {
            let settings = EngineSettings { fuel, stack: None };
            let request = Request { work, settings, memory: 1 << 31, compatibility: [0xa5; 32] };
            let args = request.to_args().map(|arg| arg.into_string().unwrap());
            assert_eq!(Request::from_args(&args), Ok(request));
            assert!(Request::from_args(&args[1..]).unwrap_err().contains("kind"));
        }
    }

    #[test]
    fn an_answer_comes_back_whole_or_not_at_all() {
        let answers = || {
            [
                Answer::Code(vec![1, 2, 3]),
                Answer::Invalid("bad".into()),
                Answer::OutOfMemory,
                Answer::Other,
                Answer::Failed("why".into()),
            ]
        };
        for answer in answers() {
            let (head, rest) = answer.head();
            let whole = [&head[..], rest].concat();
            for cut in 0..whole.len() {
                assert_eq!(Answer::read(whole[..cut].to_vec()), None);
            }
            assert_eq!(Answer::read([&whole[..], b"x"].concat()), None);
            assert_eq!(Answer::read(whole), Some(answer));
        }
        assert_eq!(Answer::read(b"hello, this is quite another program".to_vec()), None);
    }
}

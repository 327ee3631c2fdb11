//! How a command ends when it does not succeed.

use std::{fmt, process::ExitCode};

use clockbox_core::trigger::TriggerError;

use super::text::plain_lines;

/// Why a command did not succeed, and with it the exit code.
#[derive(Debug)]
pub struct Failure {
    message: String,
    hint: Option<String>,
    code: u8,
    /// The code of the problem that a host answered with.
    problem: Option<String>,
}

impl Failure {
    /// What was asked for could not be done: exit code 2.
    pub(crate) fn new(message: impl fmt::Display) -> Self {
        Self { message: message.to_string(), hint: None, code: 2, problem: None }
    }

    /// A trigger or time given on the command line was refused: exit code 2.
    pub(crate) fn refused(error: TriggerError) -> Self {
        let TriggerError { field, message, hint } = error;
        let message = if field.is_empty() { message } else { format!("{field}: {message}") };
        Self { message, hint, code: 2, problem: None }
    }

    /// The answer is no: exit code 1. An empty message prints nothing more.
    pub(crate) fn no(message: impl fmt::Display) -> Self {
        Self { message: message.to_string(), hint: None, code: 1, problem: None }
    }

    /// The host had started, and could not go on or not end in order: exit code 3. Starting it again may help, unlike
    /// with exit code 2.
    pub(crate) fn lost(message: impl fmt::Display) -> Self {
        Self { message: message.to_string(), hint: None, code: 3, problem: None }
    }

    /// Stopped at once: exit code 130.
    pub(crate) fn stopped() -> Self {
        Self { message: "stopped at once".to_owned(), hint: None, code: 130, problem: None }
    }

    /// Whether it was stopped at once.
    pub(crate) fn is_at_once(&self) -> bool {
        self.code == 130
    }

    pub(crate) fn hint(mut self, hint: impl fmt::Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }

    /// The same, said of this.
    pub(crate) fn within(self, whom: &str) -> Self {
        Self { message: format!("{whom}: {}", self.message), ..self }
    }

    /// The same with a hint, where there is one.
    pub(crate) fn with_hint(self, hint: Option<&str>) -> Self {
        Self { hint: hint.map(ToOwned::to_owned), ..self }
    }

    /// The same, as what a host answered with a problem of this code.
    pub(crate) fn of_problem(self, code: &str) -> Self {
        Self { problem: Some(code.to_owned()), ..self }
    }

    /// Whether a host answered with a problem of this code.
    pub(crate) fn is_of_problem(&self, code: &str) -> bool {
        self.problem.as_deref() == Some(code)
    }

    /// What is wrong.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn report(&self) -> ExitCode {
        if !self.message.is_empty() {
            eprintln!("error: {}", shown(&self.message));
        }
        if let Some(hint) = &self.hint {
            eprintln!("hint: {}", shown(hint));
        }
        ExitCode::from(self.code)
    }
}

/// The text without what steers a terminal: it may repeat the name of a file, or what a plugin says.
fn shown(text: &str) -> String {
    plain_lines(text, "")
}

/// Writes data to stdout. A reader that went away (`| head`) is no failure.
pub(crate) fn print(data: &str) -> Result<(), Failure> {
    use std::io::Write;
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(data.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        done => done.map_err(|error| Failure::new(format!("stdout: {error}"))),
    }
}

/// Writes a value to stdout as indented JSON.
pub(crate) fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let mut text = serde_json::to_string_pretty(value).map_err(Failure::new)?;
    text.push('\n');
    print(&text)
}

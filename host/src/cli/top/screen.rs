//! The terminal: taken over, and given back whatever happens.

use std::io::{self, IsTerminal};

use ratatui::{DefaultTerminal, Frame};

use crate::cli::exit::Failure;

/// The screen of a terminal; dropping it gives the terminal back, and so does a panic.
pub(super) struct Screen(DefaultTerminal);

impl Screen {
    /// Refuses what is no screen, before anything else is done.
    pub(super) fn check() -> Result<(), Failure> {
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        if io::stdout().is_terminal() && !is_dumb {
            return Ok(());
        }
        let why = if is_dumb { "the terminal cannot draw (TERM=dumb)" } else { "stdout is no terminal" };
        Err(Failure::new(format!("`top` needs a screen: {why}"))
            .hint("`clockbox status` shows how the host stands, `clockbox events` tells what happens"))
    }

    pub(super) fn open() -> Result<Self, Failure> {
        let opened = ratatui::try_init();
        opened.map(Self).map_err(|error| {
            // What was done of it is undone; that it cannot be changes nothing about the reason.
            drop(ratatui::try_restore());
            Failure::new(format!("the terminal cannot be drawn on: {error}"))
        })
    }

    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> Result<(), Failure> {
        self.0.draw(draw).map(drop).map_err(lost)
    }

    /// Draws everything anew the next time: something else has written there.
    pub(super) fn forget(&mut self) -> Result<(), Failure> {
        self.0.clear().map_err(lost)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing back.
        drop(self.0.show_cursor());
        drop(ratatui::try_restore());
    }
}

fn lost(error: io::Error) -> Failure {
    Failure::new(format!("the terminal: {error}"))
}

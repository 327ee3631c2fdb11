//! How things look, with colours and without.

use ratatui::style::{Color, Modifier, Style};

use super::ended::Mood;

/// What the screen may use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Theme {
    /// Not where `NO_COLOR` is set.
    pub(super) is_coloured: bool,
}

impl Theme {
    /// As the environment wants it: <https://no-color.org>.
    pub(super) fn from_env() -> Self {
        Self { is_coloured: std::env::var_os("NO_COLOR").is_none_or(|said| said.is_empty()) }
    }

    fn in_colour(self, colour: Color) -> Style {
        if self.is_coloured { Style::new().fg(colour) } else { Style::new() }
    }

    pub(super) fn dim(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    pub(super) fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    pub(super) fn chosen(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    pub(super) fn good(self) -> Style {
        self.in_colour(Color::Green)
    }

    pub(super) fn warn(self) -> Style {
        self.in_colour(Color::Yellow).add_modifier(Modifier::BOLD)
    }

    /// What is to stand out: without colours it is underlined.
    pub(super) fn bad(self) -> Style {
        let style = self.in_colour(Color::Red).add_modifier(Modifier::BOLD);
        if self.is_coloured { style } else { style.add_modifier(Modifier::UNDERLINED) }
    }

    pub(super) fn border(self, is_chosen: bool) -> Style {
        if is_chosen { self.in_colour(Color::Cyan).add_modifier(Modifier::BOLD) } else { self.dim() }
    }

    pub(super) fn mood(self, mood: Mood) -> Style {
        match mood {
            Mood::Good => self.good(),
            Mood::Meant => self.dim(),
            Mood::Bad => self.bad(),
        }
    }
}

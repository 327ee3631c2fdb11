//! The log of a run: what the guest says on `log`, stdout and stderr, line by line, cleaned and capped.

mod clean;
mod journal;
mod last_line;
mod last_words;
mod redactor;
mod stream;

pub(crate) use self::{
    clean::{clean, clean_lines},
    journal::{Journal, Std},
    redactor::Redactor,
};

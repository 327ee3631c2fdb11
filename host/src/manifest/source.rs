//! The texts that a manifest is made of, and where in them a value stands.

use std::{ops::Range, path::PathBuf};

use super::{
    lines::{self, Lines},
    problem::Excerpt,
    problem::Place,
};

/// Where a value was written: a byte range of one of the [`Sources`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    pub(super) source: usize,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Spot {
    pub(super) fn new(source: usize, span: Range<usize>) -> Self {
        Self { source, start: span.start, end: span.end }
    }
}

/// What kind of text it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SourceKind {
    /// A manifest or sidecar.
    File(PathBuf),
    /// A plugin file as a whole: no text of it is read.
    Whole(PathBuf),
    /// The `clockbox:job` section of this plugin file.
    Embedded(PathBuf),
    /// A `--set` flag.
    Flag,
    /// An environment variable of this name.
    Variable(String),
}

/// One text.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) kind: SourceKind,
    pub(super) text: String,
    lines: Lines,
}

/// Every text that went into a manifest, the manifest itself first.
#[derive(Debug, Clone, Default)]
pub(super) struct Sources(Vec<Source>);

impl Sources {
    /// Adds a text and answers its number.
    pub(super) fn add(&mut self, kind: SourceKind, text: impl Into<String>) -> usize {
        let text = text.into();
        self.0.push(Source { kind, lines: Lines::new(&text), text });
        self.0.len() - 1
    }

    /// The place of a spot as people read it, with the line that it stands on.
    pub(super) fn place(&self, spot: &Spot) -> (Place, Option<Excerpt>) {
        let Some(source) = self.0.get(spot.source) else {
            return (Place::File { file: PathBuf::new(), line: None, column: None }, None);
        };
        let located = || {
            let (line, column) = source.lines.position(&source.text, spot.start);
            (Some(line), Some(column), Some(lines::excerpt(&source.text, spot.start, spot.end)))
        };
        match &source.kind {
            SourceKind::File(file) => {
                let (line, column, excerpt) = located();
                (Place::File { file: file.clone(), line, column }, excerpt)
            }
            SourceKind::Whole(file) => (Place::File { file: file.clone(), line: None, column: None }, None),
            SourceKind::Embedded(file) => {
                let (line, column, excerpt) = located();
                (Place::Embedded { file: file.clone(), line, column }, excerpt)
            }
            SourceKind::Flag => (Place::Flag { flag: source.text.clone() }, None),
            SourceKind::Variable(name) => (Place::Variable { variable: name.clone() }, None),
        }
    }
}

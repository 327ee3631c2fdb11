//! The texts that a manifest is made of, and where in them a value stands.

use std::{ops::Range, path::PathBuf, sync::Arc};

use super::{
    lines::{self, Lines},
    problem::Excerpt,
    problem::Place,
};

/// The number of the manifest's own text.
pub(super) const MANIFEST: usize = 0;

/// Where a value was written: a byte range of one of the [`Sources`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

/// Which part of a text is parsed: the source, and where in it the part begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin {
    pub(super) source: usize,
    pub(super) start: usize,
}

impl Origin {
    /// The spot of a span in the part.
    pub(super) fn spot(self, span: Range<usize>) -> Spot {
        Spot::new(self.source, self.start + span.start..self.start + span.end)
    }
}

/// The whole of a source.
impl From<usize> for Origin {
    fn from(source: usize) -> Self {
        Self { source, start: 0 }
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
    /// Another flag, which stands for a key.
    Word,
    /// An environment variable of this name.
    Variable(String),
}

/// One text.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) kind: SourceKind,
    pub(super) text: Arc<str>,
    lines: Lines,
}

/// Every text that went into a manifest, the manifest itself first.
#[derive(Debug, Clone, Default)]
pub(super) struct Sources(Vec<Source>);

impl Sources {
    /// Adds a text and answers its number.
    pub(super) fn add(&mut self, kind: SourceKind, text: impl Into<Arc<str>>) -> usize {
        let text = text.into();
        self.0.push(Source { kind, lines: Lines::new(&text), text });
        self.0.len() - 1
    }

    /// The place of a spot as people read it.
    pub(super) fn place(&self, spot: &Spot) -> Place {
        let Some(source) = self.0.get(spot.source) else {
            return Place::File { file: PathBuf::new(), line: None, column: None };
        };
        let located = || {
            let (line, column) = source.lines.position(&source.text, spot.start);
            (Some(line), Some(column))
        };
        match &source.kind {
            SourceKind::File(file) => {
                let (line, column) = located();
                Place::File { file: file.clone(), line, column }
            }
            SourceKind::Whole(file) => Place::File { file: file.clone(), line: None, column: None },
            SourceKind::Embedded(file) => {
                let (line, column) = located();
                Place::Embedded { file: file.clone(), line, column }
            }
            SourceKind::Flag => Place::Flag { flag: source.text.to_string() },
            SourceKind::Word => Place::Word { word: source.text.to_string() },
            SourceKind::Variable(name) => Place::Variable { variable: name.clone() },
        }
    }

    /// The text from the start of a spot on; nothing where there is none.
    pub(super) fn at(&self, spot: &Spot) -> &str {
        self.0.get(spot.source).and_then(|source| source.text.get(spot.start..)).unwrap_or_default()
    }

    /// The line that a spot stands on, where it stands in a text of lines.
    pub(super) fn excerpt(&self, spot: &Spot) -> Option<Excerpt> {
        let source = self.0.get(spot.source)?;
        match source.kind {
            SourceKind::File(_) | SourceKind::Embedded(_) => {
                Some(lines::excerpt(&source.text, spot.start, spot.end))
            }
            SourceKind::Whole(_) | SourceKind::Flag | SourceKind::Word | SourceKind::Variable(_) => None,
        }
    }
}

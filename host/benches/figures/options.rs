//! The command line.

use std::path::PathBuf;

/// How the figures are taken.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    /// Shorter and with fewer jobs: for CI, which asks whether the bench works and nothing is lost.
    pub(crate) quick: bool,
    /// The table at the end as Markdown.
    pub(crate) markdown: bool,
    /// The folder that growth plots are written to.
    pub(crate) plots: Option<PathBuf>,
    /// The sections to run; none means all.
    sections: Vec<String>,
}

impl Options {
    pub(crate) fn wants(&self, section: &str) -> bool {
        self.sections.is_empty() || self.sections.iter().any(|wanted| wanted == section)
    }
}

/// What is to be done.
pub(crate) enum Asked {
    Figures(Options),
    /// One measurement in this process; see [`crate::support::child`].
    Child {
        section: String,
        words: Vec<String>,
    },
    Help,
}

pub(crate) fn usage(sections: &[&str]) -> String {
    format!(
        "usage: cargo bench -p clockbox --bench figures -- [SECTION…] [--quick] [--markdown] [--plots FOLDER]\n\
         sections: {}",
        sections.join(", ")
    )
}

/// Reads the words after the program's name.
///
/// # Errors
/// What is not understood, in words.
pub(crate) fn read(words: &[String], sections: &[&str]) -> Result<Asked, String> {
    let mut options = Options::default();
    let mut left = words.iter();
    while let Some(word) = left.next() {
        match word.as_str() {
            // Cargo's own word to every bench.
            "--bench" => {}
            "--quick" => options.quick = true,
            "--markdown" => options.markdown = true,
            "--plots" => {
                options.plots = Some(left.next().ok_or("--plots is followed by a folder")?.into());
            }
            "--child" => {
                let section = left.next().ok_or("--child is followed by a section")?.clone();
                return Ok(Asked::Child { section, words: left.cloned().collect() });
            }
            "--help" | "-h" => return Ok(Asked::Help),
            name if sections.contains(&name) => options.sections.push(name.to_owned()),
            other => return Err(format!("{other:?} is neither a section nor an option")),
        }
    }
    Ok(Asked::Figures(options))
}

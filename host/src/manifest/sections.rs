//! The sections of a manifest's text that declare one job each. A manifest of many jobs is read section by section, and
//! a section that has not changed is not read again.
//!
//! Where a section seems to begin and end is told from the lines alone, so it may be a mistake: a header may stand
//! inside a text of several lines. Therefore the first section of each row stays in the rest of the text, which is
//! parsed as a whole: where its name is found to be a key, a section begins indeed. Each further section follows
//! another one; and each, the first included, is parsed by itself, so that a text which it leaves open is an error.

use std::ops::Range;

/// `[jobs.NAME]`, and what stands below it up to the next header of something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section<'t> {
    /// The name as it is written, perhaps in quotes.
    written: &'t str,
    /// Where the name stands.
    pub(super) key: usize,
    /// From the header up to the next one.
    pub(super) range: Range<usize>,
}

impl<'t> Section<'t> {
    /// The section that a header begins; `line` is where its line starts, `at` where the header itself does. All that
    /// follows may follow the header.
    fn begin(header: &'t str, line: usize, at: usize) -> Option<Self> {
        let rest = header.strip_prefix("[jobs.")?;
        let end = match rest.chars().next()? {
            quote @ ('"' | '\'') => rest.get(1..)?.find(quote)? + 2,
            _ => rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-')))?,
        };
        let written = rest.get(..end).filter(|name| !name.is_empty() && !name.contains(['\\', '\n']))?;
        let is_whole = rest[end..].starts_with(']');
        is_whole.then(|| Self { written, key: at + "[jobs.".len(), range: line..line })
    }

    /// The name of the job.
    pub(super) fn name(&self) -> &'t str {
        let quoted = self.written.strip_prefix(['"', '\'']);
        quoted.map_or(self.written, |name| name.get(..name.len().saturating_sub(1)).unwrap_or_default())
    }

    /// Whether a header is of a table inside the job, such as `[jobs.NAME.args]`.
    fn holds(&self, header: &str) -> bool {
        let path = header.trim_start_matches('[').strip_prefix("jobs.");
        path.and_then(|path| path.strip_prefix(self.written)).is_some_and(|rest| rest.starts_with('.'))
    }
}

/// Every section that declares a job, in the order in which they stand.
fn find(text: &str) -> Vec<Section<'_>> {
    let mut sections = Vec::new();
    let mut open: Option<Section<'_>> = None;
    for (at, _) in text.match_indices('[') {
        let line = text[..at].trim_end_matches([' ', '\t']).len();
        let header = &text[at..];
        let begins_line = line == 0 || text.as_bytes()[line - 1] == b'\n';
        if begins_line && !open.as_ref().is_some_and(|open| open.holds(header)) {
            sections.extend(open.take().map(|open| open.until(line)));
            open = Section::begin(header, line, at);
        }
    }
    sections.extend(open.map(|open| open.until(text.len())));
    sections
}

impl Section<'_> {
    fn until(mut self, end: usize) -> Self {
        self.range.end = end;
        self
    }
}

/// A text in parts.
#[derive(Debug)]
pub(super) struct Parts<'t> {
    /// The whole text.
    pub(super) text: &'t str,
    /// The text with blanks in the place of the sections, so that all else stands where it stood.
    pub(super) rest: String,
    /// Sections to be read one by one.
    pub(super) sections: Vec<Section<'t>>,
    /// The sections before the first of them, and before others that do not follow one another: these are in the rest.
    pub(super) first: Vec<Section<'t>>,
}

impl<'t> Parts<'t> {
    /// The parts of a text; `None` when it has none.
    pub(super) fn of(text: &'t str) -> Option<Self> {
        let (mut sections, mut first) = (Vec::new(), Vec::new());
        let mut blanks: Vec<Range<usize>> = Vec::new();
        let mut end = None;
        for section in find(text) {
            let follows = end == Some(section.range.start);
            end = Some(section.range.end);
            if !follows {
                blanks.push(section.range.end..section.range.end);
                first.push(section);
                continue;
            }
            if let Some(blank) = blanks.last_mut() {
                blank.end = section.range.end;
            }
            sections.push(section);
        }
        if sections.is_empty() {
            return None;
        }
        let mut rest = String::with_capacity(text.len());
        for blank in blanks.into_iter().filter(|blank| !blank.is_empty()) {
            rest.push_str(&text[rest.len()..blank.start]);
            rest.push_str(&" ".repeat(blank.len() - 1));
            rest.push('\n');
        }
        rest.push_str(&text[rest.len()..]);
        Some(Self { text, rest, sections, first })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<(&str, &str)> {
        find(text).iter().map(|section| (section.name(), &text[section.range.clone()])).collect()
    }

    #[test]
    fn a_section_ends_at_the_next_header_of_something_else() {
        let text = "a = 1\n[jobs.x]\r\nb = 1\r\n[jobs.x.args]\n[[jobs.x.args.list]]\n[pools.p]\nc = 1\n  [jobs.\"y.z\"] # é\n\
                    [jobs.'w']";
        let wanted = [
            ("x", "[jobs.x]\r\nb = 1\r\n[jobs.x.args]\n[[jobs.x.args.list]]\n"),
            ("y.z", "  [jobs.\"y.z\"] # é\n"),
            ("w", "[jobs.'w']"),
        ];
        assert_eq!(names(text), wanted);
        for section in find(text) {
            assert!(text[section.key..].starts_with(section.written));
        }
    }

    #[test]
    fn what_is_no_plain_header_of_a_job_is_no_section() {
        let headers = [
            "[jobs]",
            "[[jobs.x]]",
            "[ jobs.x]",
            "[jobs.x.y]",
            "[jobs.]",
            "[jobs.\"\\u0061\"]",
            "[jobs.é]",
            "[jobs.\"",
        ];
        for header in headers {
            assert_eq!(names(&format!("{header}\na = 1\n")), [], "{header}");
        }
    }

    #[test]
    fn the_rest_is_what_stands_between_rows_of_sections_where_it_stood() {
        let text = "a = 1\n[jobs.x]\n[jobs.y]\né = 1\n[jobs.z]\n[pools.p]\n[jobs.v]\n[jobs.w]";
        let parts = Parts::of(text).unwrap();
        let names =
            |sections: &[Section<'_>]| sections.iter().map(|s| s.name().to_owned()).collect::<Vec<_>>();
        assert_eq!(names(&parts.first), ["x", "v"]);
        assert_eq!(names(&parts.sections), ["y", "z", "w"]);
        let blank = |text: &str| format!("{}\n", " ".repeat(text.len() - 1));
        let wanted = [
            "a = 1\n[jobs.x]\n",
            &blank("[jobs.y]\né = 1\n[jobs.z]\n"),
            "[pools.p]\n[jobs.v]\n",
            &blank("[jobs.w]"),
        ];
        assert_eq!(parts.rest, wanted.concat());
        assert!(Parts::of("[jobs.x]\n[pools.p]\n[jobs.y]\n").is_none());
    }
}

//! From byte offsets to lines and columns.

use super::problem::Excerpt;

const BOM: char = '\u{feff}';

/// The largest offset that is not beyond the text, nor inside a character.
fn floor(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// Where the line that holds `offset` starts.
pub(super) fn line_start(text: &str, offset: usize) -> usize {
    text[..floor(text, offset)].rfind('\n').map_or(0, |newline| newline + 1)
}

/// The line that holds `offset`, without its line end.
pub(super) fn line_at(text: &str, offset: usize) -> &str {
    let start = line_start(text, offset);
    let line = text[start..].split('\n').next().unwrap_or_default();
    line.strip_suffix('\r').unwrap_or(line)
}

/// Where each line of a text starts, so that many positions in it are found fast.
#[derive(Debug, Clone)]
pub(super) struct Lines(Vec<usize>);

impl Lines {
    pub(super) fn new(text: &str) -> Self {
        let after = text.match_indices('\n').map(|(newline, _)| newline + 1);
        Self(std::iter::once(0).chain(after).collect())
    }

    /// Line and column of a byte offset in the same text, both from 1; columns count characters, a byte order mark not
    /// included.
    pub(super) fn position(&self, text: &str, offset: usize) -> (u32, u32) {
        let offset = floor(text, offset);
        let line = self.0.partition_point(|start| *start <= offset).saturating_sub(1);
        let start = self.0.get(line).copied().unwrap_or_default();
        let column = text[start..offset].chars().filter(|c| *c != BOM).count();
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).saturating_add(1);
        (count(line), count(column))
    }
}

/// Line and column of one byte offset.
pub(super) fn position(text: &str, offset: usize) -> (u32, u32) {
    Lines::new(text).position(text, offset)
}

/// The line at `start`, with the range up to `end` (or to the end of the line) marked.
pub(super) fn excerpt(text: &str, start: usize, end: usize) -> Excerpt {
    let (start, end) = (floor(text, start), floor(text, end));
    let from = line_start(text, start);
    let line = line_at(text, start);
    let stop = end.min(from + line.len());
    let width = text.get(start..stop).map_or(0, |marked| marked.chars().count());
    let shown = line.strip_prefix(BOM).unwrap_or(line);
    Excerpt { text: shown.to_owned(), width: u32::try_from(width).unwrap_or(u32::MAX).max(1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_end_at_newlines() {
        let text = "a = 1\r\nπ = \"é\" # x\n";
        assert_eq!(position(text, 0), (1, 1));
        assert_eq!(position(text, text.find('=').unwrap()), (1, 3));
        assert_eq!(position(text, text.find('#').unwrap()), (2, 9));
        assert_eq!(position(text, text.len() + 100), (3, 1));
        assert_eq!(line_at(text, 3), "a = 1");
    }

    #[test]
    fn an_offset_inside_a_character_and_a_byte_order_mark_do_no_harm() {
        assert_eq!(position("é", 1), (1, 1));
        assert_eq!(position("\u{feff}a = 1", 3), (1, 1));
        assert_eq!(excerpt("\u{feff}a = 1", 3, 4), Excerpt { text: "a = 1".into(), width: 1 });
    }

    #[test]
    fn an_excerpt_ends_with_its_line() {
        let text = "x = [\n  1,\n]\n";
        assert_eq!(excerpt(text, 4, 12), Excerpt { text: "x = [".into(), width: 1 });
        assert_eq!(excerpt(text, 4, 4).width, 1);
        assert_eq!(excerpt(text, 13, 13), Excerpt { text: String::new(), width: 1 });
    }
}

//! The last line of a stream, held apart from the log: whole or not at all, whatever the log keeps of it.

/// The last line that holds anything but white space, of which `most` bytes are kept.
#[derive(Debug)]
pub(crate) struct LastLine {
    most: usize,
    ended: Line,
    /// The one that has not ended yet.
    open: Line,
}

/// A line without the white space around it.
#[derive(Debug, Default)]
struct Line {
    /// As much of it as is kept, with what may turn out to be inside it.
    bytes: Vec<u8>,
    /// What it has so far, the white space at its end included.
    length: u64,
    /// What it has up to its last byte that is no white space.
    text: u64,
}

impl LastLine {
    /// Nothing has been written yet.
    pub(crate) fn new(most: u64) -> Self {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        Self { most, ended: Line::default(), open: Line::default() }
    }

    /// Takes what is written, wherever its lines end.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.open.add(piece, self.most);
            if piece.ends_with(b"\n") {
                if self.open.text > 0 {
                    std::mem::swap(&mut self.ended, &mut self.open);
                }
                self.open.clear();
            }
        }
    }

    /// The line; or how long it is, where that is more than is kept; nothing where nothing was written.
    pub(crate) fn take(&mut self) -> Option<Result<Vec<u8>, u64>> {
        let line = if self.open.text > 0 { &mut self.open } else { &mut self.ended };
        let Line { mut bytes, text, .. } = std::mem::take(line);
        let length = usize::try_from(text).ok().filter(|length| *length <= self.most);
        (text > 0).then(|| {
            let length = length.ok_or(text)?;
            bytes.truncate(length);
            Ok(bytes)
        })
    }
}

impl Line {
    fn add(&mut self, piece: &[u8], most: usize) {
        let piece = if self.text == 0 { piece.trim_ascii_start() } else { piece };
        let text = piece.trim_ascii_end().len() as u64;
        if text > 0 {
            self.text = self.length + text;
        }
        self.length += piece.len() as u64;
        let room = most.saturating_sub(self.bytes.len());
        self.bytes.extend_from_slice(&piece[..piece.len().min(room)]);
    }

    fn clear(&mut self) {
        (self.length, self.text) = (0, 0);
        self.bytes.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever the pieces that it is written in.
    fn last(text: &str, most: u64) -> Option<Result<String, u64>> {
        let of = |size: usize| {
            let mut last = LastLine::new(most);
            text.as_bytes().chunks(size).for_each(|piece| last.write(piece));
            last.take().map(|line| line.map(|bytes| String::from_utf8(bytes).unwrap()))
        };
        let whole = of(text.len().max(1));
        assert!((1..text.len()).all(|size| of(size) == whole), "{text:?}");
        whole
    }

    #[test]
    fn it_is_the_last_line_that_says_anything() {
        let line = |text: &str| last(text, 100).map(Result::unwrap);
        assert_eq!(line(""), None);
        assert_eq!(line(" \n\r\n\t"), None);
        assert_eq!(line("one\ntwo\n").as_deref(), Some("two"));
        assert_eq!(line("one\ntwo").as_deref(), Some("two"), "it need not end");
        assert_eq!(line("one\n{ \"a\": 1 }\r\n\r\n  \n").as_deref(), Some("{ \"a\": 1 }"));
        assert_eq!(line("  long one\n \n  x  y  \n").as_deref(), Some("x  y"));
    }

    #[test]
    fn what_is_kept_is_bounded_and_the_white_space_around_it_does_not_count() {
        assert_eq!(last("0123456789\n", 10), Some(Ok("0123456789".to_owned())));
        assert_eq!(last("   0123456789   \r\n", 10), Some(Ok("0123456789".to_owned())));
        assert_eq!(last("0123456789x\n", 10), Some(Err(11)));
        assert_eq!(last("0        9x", 10), Some(Err(11)), "it is not cut at its white space");
        assert_eq!(last("0123456789x\nok\n", 10), Some(Ok("ok".to_owned())));
        assert_eq!(last("ok\n0123456789x", 10), Some(Err(11)));
        assert_eq!(last("x", 0), Some(Err(1)));
        let mut flood = LastLine::new(10);
        (0..100_000).for_each(|_| flood.write(b"0123456789"));
        assert!(flood.open.bytes.capacity() <= 16, "{}", flood.open.bytes.capacity());
        assert_eq!(flood.take(), Some(Err(1_000_000)));
    }
}

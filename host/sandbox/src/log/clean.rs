//! Makes a guest's text safe to show at a terminal.

use std::borrow::Cow;

/// The text without terminal escape sequences, and with every other control character replaced: a carriage return or
/// line end by a blank, the rest by `�`. Tabs stay.
///
/// Characters that turn the direction of writing count as control characters: they can make a line read as another.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    if !text.contains(unsafe_to_show) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    let mut rest = text.trim_end_matches(['\r', '\n']);
    while let Some(at) = rest.find(unsafe_to_show) {
        clean.push_str(&rest[..at]);
        let mut chars = rest[at..].chars();
        let found = chars.next();
        rest = chars.as_str();
        match found {
            Some('\u{1b}') => rest = after_escape(rest),
            Some('\u{9b}') => rest = after_control_sequence(rest),
            Some('\r' | '\n') => clean.push(' '),
            _ => clean.push(char::REPLACEMENT_CHARACTER),
        }
    }
    clean.push_str(rest);
    Cow::Owned(clean)
}

/// The same for a text of several lines, which stay lines.
pub(crate) fn clean_lines(text: &str) -> String {
    text.trim_end().lines().map(clean).collect::<Vec<_>>().join("\n")
}

fn unsafe_to_show(c: char) -> bool {
    (c.is_control() && c != '\t') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What follows an escape sequence whose `ESC` has been read.
fn after_escape(rest: &str) -> &str {
    let mut chars = rest.chars();
    match chars.next() {
        Some('[') => after_control_sequence(chars.as_str()),
        // An operating system command or a string: up to its terminator, which is BEL or `ESC \`.
        Some(']' | 'P' | 'X' | '^' | '_') => {
            let rest = chars.as_str();
            match rest.find(['\u{7}', '\u{1b}', '\u{9c}']) {
                Some(end) => {
                    let after = &rest[end..];
                    after
                        .strip_prefix("\u{1b}\\")
                        .or_else(|| after.strip_prefix(['\u{7}', '\u{9c}']))
                        .unwrap_or(after)
                }
                None => "",
            }
        }
        // Two characters, or three with an intermediate one such as `ESC ( B`.
        Some(' '..='/') => {
            chars.next();
            chars.as_str()
        }
        Some('0'..='~') => chars.as_str(),
        _ => rest,
    }
}

/// What follows the parameters and the final character of a control sequence.
fn after_control_sequence(rest: &str) -> &str {
    let rest = rest.trim_start_matches(|c| matches!(c, ' '..='?'));
    rest.strip_prefix(|c| matches!(c, '@'..='~')).unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_not_copied() {
        assert!(matches!(clean("grün, tab\there, 日本"), Cow::Borrowed(_)));
    }

    #[test]
    fn colours_titles_and_links_leave_only_their_text() {
        assert_eq!(clean("\u{1b}[1;31mred\u{1b}[0m!"), "red!");
        assert_eq!(clean("\u{1b}]0;evil title\u{7}text"), "text");
        assert_eq!(clean("\u{1b}]8;;http://a\u{1b}\\link\u{1b}]8;;\u{1b}\\."), "link.");
        assert_eq!(clean("\u{9b}2Jgone \u{1b}(Bkept\u{1b}c"), "gone kept");
    }

    #[test]
    fn other_controls_cannot_reach_the_terminal() {
        assert_eq!(clean("a\u{0}b\u{8}c\u{7f}d\u{85}e\u{202e}f"), "a�b�c�d�e�f");
        assert_eq!(clean("10%\r20%\r\n"), "10% 20%");
        assert_eq!(clean("cut \u{1b}[31"), "cut ");
        assert_eq!(clean("cut \u{1b}]0;never ended"), "cut ");
        assert_eq!(clean("\u{1b}\u{1b}[1mtwice"), "twice");
    }
}

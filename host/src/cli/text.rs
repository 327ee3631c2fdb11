//! Times and tables for people.

use std::time::Duration;

use chrono_tz::Tz;
use clockbox_core::{model::Timestamp, trigger::local_time};
use comfy_table::{ContentArrangement, Table, presets};

/// A borderless table that fits the terminal.
pub(crate) fn table<const N: usize>(head: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(head);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
}

/// The table as text, without blanks at line ends.
pub(crate) fn lines(table: &Table) -> String {
    let mut text: String = table.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    if text.is_empty() {
        text.push('\n');
    }
    text
}

/// A time in a zone, to the second, with its offset: `2026-03-01 05:30:00 +08:00`.
pub(crate) fn local(at: Timestamp, zone: Tz) -> String {
    local_time(at, zone).format("%Y-%m-%d %H:%M:%S %:z").to_string()
}

/// How far off a time is: `in 3 h 5 min`, `12 s ago`, `now`. Two units at most.
pub(crate) fn distance(at: Timestamp, now: Timestamp) -> String {
    let gap = at - now;
    let span = span(gap.abs().to_std().unwrap_or_default());
    match gap.num_milliseconds() {
        -499..=499 => "now".to_owned(),
        500.. => format!("in {span}"),
        _ => format!("{span} ago"),
    }
}

/// A length of time for people: `12 ms`, `3.2 s`, `5 min 3 s`, `2 d 4 h`.
pub(crate) fn span(span: Duration) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    if span < Duration::from_secs(1) {
        return format!("{} ms", span.as_millis());
    }
    if span < Duration::from_secs(10) {
        let tenths = span.as_millis() / 100;
        return if tenths.is_multiple_of(10) {
            format!("{} s", tenths / 10)
        } else {
            format!("{}.{} s", tenths / 10, tenths % 10)
        };
    }
    let mut rest = span.as_secs() + u64::from(span.subsec_millis() >= 500);
    let mut parts = Vec::new();
    for (size, unit) in UNITS {
        let n = rest / size;
        rest %= size;
        if n > 0 {
            parts.push(format!("{n} {unit}"));
        } else if !parts.is_empty() {
            break;
        }
        if parts.len() == 2 {
            break;
        }
    }
    parts.join(" ")
}

/// So many of something: `1 job`, `3 jobs`.
pub(crate) fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// The text on one line, without what steers a terminal or turns the writing direction: for what a stranger wrote. A tab
/// becomes spaces, as nobody knows where it would lead to.
pub(crate) fn plain(text: &str) -> String {
    let tricky = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => out.push_str("    "),
            c if tricky(c) => out.push(char::REPLACEMENT_CHARACTER),
            c => out.push(c),
        }
    }
    out
}

/// The same line by line, with `lead` before each line but the first.
pub(crate) fn plain_lines(text: &str, lead: &str) -> String {
    text.split('\n').map(plain).collect::<Vec<_>>().join(&format!("\n{lead}"))
}

/// The first digits of a digest: enough to tell plugins apart.
pub(crate) fn short_digest(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

/// One line of a longer text, as [`plain`] has it, cut to `most` characters.
pub(crate) fn first_line(text: &str, most: usize) -> String {
    let line = text.lines().next().unwrap_or_default();
    let mut cut: String = line.chars().take(most).collect();
    if cut.len() < text.trim_end().len() {
        cut.push('…');
    }
    plain(&cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_two_units_at_most() {
        let text = |ms| span(Duration::from_millis(ms));
        assert_eq!(text(0), "0 ms");
        assert_eq!(text(999), "999 ms");
        assert_eq!(text(3_200), "3.2 s");
        assert_eq!(text(9_000), "9 s");
        assert_eq!(text(59_600), "1 min");
        assert_eq!(text(303_000), "5 min 3 s");
        assert_eq!(text(86_400_000 + 3 * 60_000), "1 d");
        assert_eq!(text(2 * 86_400_000 + 4 * 3_600_000 + 5), "2 d 4 h");
    }

    #[test]
    fn distances_name_their_direction() {
        let now: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
        assert_eq!(distance(now, now), "now");
        assert_eq!(distance(now + chrono::TimeDelta::hours(3), now), "in 3 h");
        assert_eq!(distance(now - chrono::TimeDelta::seconds(12), now), "12 s ago");
    }

    #[test]
    fn long_texts_are_cut_to_one_line() {
        assert_eq!(first_line("short", 10), "short");
        assert_eq!(first_line("one\ntwo", 10), "one…");
        assert_eq!(first_line("0123456789abc", 10), "0123456789…");
        assert_eq!(first_line("a\tb", 10), "a    b");
    }

    #[test]
    fn nothing_that_a_stranger_wrote_steers_the_terminal() {
        assert_eq!(
            plain("\tat main.go\r\u{1b}[2J\n\u{202e}x"),
            "    at main.go\u{fffd}\u{fffd}[2J\u{fffd}\u{fffd}x"
        );
        assert_eq!(plain_lines("a\n\tb\r", "> "), "a\n>     b\u{fffd}");
    }
}

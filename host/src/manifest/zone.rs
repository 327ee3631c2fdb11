//! Time zone names, and what was probably meant by those that are none.

use chrono_tz::{TZ_VARIANTS, Tz};

use super::{reader::Field, suggest, tree::shortened};

/// Abbreviations that are no IANA names, with the names that people mean by them.
const ABBREVIATIONS: &[(&str, &str)] = &[
    ("AEST", "Australia/Brisbane or Australia/Sydney"),
    ("BST", "Europe/London"),
    ("CDT", "America/Chicago"),
    ("CEST", "Europe/Berlin"),
    ("CST", "America/Chicago or Asia/Shanghai"),
    ("EDT", "America/New_York"),
    ("HKT", "Asia/Hong_Kong"),
    ("IST", "Asia/Kolkata, Europe/Dublin or Asia/Jerusalem"),
    ("JST", "Asia/Tokyo"),
    ("KST", "Asia/Seoul"),
    ("MDT", "America/Denver"),
    ("MSK", "Europe/Moscow"),
    ("PDT", "America/Los_Angeles"),
    ("PST", "America/Los_Angeles"),
    ("SGT", "Asia/Singapore"),
    ("Z", "UTC"),
];

/// Reads an IANA time zone name.
pub(super) fn read(field: &Field<'_>) -> Option<Tz> {
    let text = field.text("Europe/Berlin")?;
    if let Ok(zone) = text.parse::<Tz>() {
        return Some(zone);
    }
    field.error(format!("{} is not an IANA time zone name", shortened(text)), Some(hint(text)));
    None
}

/// What to write in place of a name that is no time zone.
pub(crate) fn hint(text: &str) -> String {
    let trimmed = text.trim();
    if let Some((_, names)) = ABBREVIATIONS.iter().find(|(short, _)| short.eq_ignore_ascii_case(trimmed)) {
        return format!("{trimmed} is an abbreviation; write {names}");
    }
    if let Some(name) = fixed_offset(trimmed) {
        return format!("a fixed offset is written {name:?} (its sign is the other way round)");
    }
    let plain = trimmed.replace(' ', "_");
    let names = || TZ_VARIANTS.iter().map(|zone| zone.name());
    let city = |name: &str| name.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(&plain));
    if let Some(name) = names().find(|name| name.eq_ignore_ascii_case(&plain) || city(name)) {
        return format!("did you mean {name:?}?");
    }
    match suggest::nearest(&plain, names()) {
        Some(name) => format!("did you mean {name:?}?"),
        None => "write for instance \"UTC\", \"Europe/Berlin\" or \"America/New_York\"".to_owned(),
    }
}

/// The name of a zone of whole hours from UTC, from a text such as `+08:00`, `UTC+8` or `GMT-5`.
fn fixed_offset(text: &str) -> Option<String> {
    let upper = text.to_ascii_uppercase();
    let rest = upper.strip_prefix("UTC").or_else(|| upper.strip_prefix("GMT")).unwrap_or(&upper);
    let (other_sign, digits) = match rest.strip_prefix('+') {
        Some(digits) => ('-', digits),
        None => ('+', rest.strip_prefix('-')?),
    };
    let digits = digits.strip_suffix(":00").or_else(|| digits.strip_suffix("00")).unwrap_or(digits);
    let hours: u32 = digits.parse().ok()?;
    let name = format!("Etc/GMT{other_sign}{hours}");
    name.parse::<Tz>().is_ok().then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_mistake_gets_its_own_advice() {
        for (text, advice) in [
            ("CST", "CST is an abbreviation; write America/Chicago or Asia/Shanghai"),
            ("europe/berlin", "did you mean \"Europe/Berlin\"?"),
            ("Europe/Brelin", "did you mean \"Europe/Berlin\"?"),
            ("Berlin", "did you mean \"Europe/Berlin\"?"),
            ("New York", "did you mean \"America/New_York\"?"),
            ("UTC+8", "a fixed offset is written \"Etc/GMT-8\" (its sign is the other way round)"),
            ("-05:00", "a fixed offset is written \"Etc/GMT+5\" (its sign is the other way round)"),
            ("somewhere else", "write for instance \"UTC\", \"Europe/Berlin\" or \"America/New_York\""),
            ("+99", "write for instance \"UTC\", \"Europe/Berlin\" or \"America/New_York\""),
        ] {
            assert_eq!(hint(text), advice, "{text}");
        }
    }
}

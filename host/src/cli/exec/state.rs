//! What a job remembers as JSON, as `--state` takes it and `exec` prints it: each is the other's inverse.

use clockbox_core::model::{JobState, StateEntry, check_state_key};
use serde_json::{Map, Value, json};

use crate::control::view::bytes_of_hex;

/// Marks a value that is text, but no JSON.
const TEXT: &str = "$text";
/// Marks a value that is no text, as hexadecimal digits.
const HEX: &str = "$hex";

/// A state from a JSON object: each value is stored as JSON text, as the SDKs do with `set_json`.
pub(super) fn read(text: &str) -> Result<JobState, String> {
    let object: Map<String, Value> =
        serde_json::from_str(text).map_err(|error| format!("{text:?} is not a JSON object: {error}"))?;
    let entry = |(key, value): (String, Value)| {
        check_state_key(&key).map_err(|error| format!("{key:?}: {error}"))?;
        let value =
            bytes(&value).ok_or_else(|| format!("{key:?}: {HEX} takes pairs of hexadecimal digits"))?;
        Ok((key, StateEntry { value: value.into(), expires_at: None }))
    };
    object.into_iter().map(entry).collect::<Result<_, String>>().map(JobState)
}

/// A state as a JSON object.
pub(super) fn written(state: &JobState) -> Value {
    state.0.iter().map(|(key, entry)| (key.clone(), shown(&entry.value))).collect::<Map<_, _>>().into()
}

/// What one value of the object stands for; nothing where its digits are none.
fn bytes(value: &Value) -> Option<Vec<u8>> {
    match marked(value) {
        Some((TEXT, text)) => Some(text.as_bytes().to_vec()),
        Some((_, digits)) => bytes_of_hex(digits),
        None => Some(value.to_string().into_bytes()),
    }
}

/// A stored value: as JSON where it is that and stays the same as such, else marked.
pub(super) fn shown(stored: &[u8]) -> Value {
    let Ok(text) = str::from_utf8(stored) else {
        return json!({ HEX: stored.iter().map(|byte| format!("{byte:02x}")).collect::<String>() });
    };
    let same = |value: &Value| match value {
        // Blanks and the order of keys mean nothing.
        Value::Object(_) | Value::Array(_) => marked(value).is_none() && !loses_digits(text),
        _ => serde_json::to_string(value).is_ok_and(|again| again == text),
    };
    let value = serde_json::from_str(text).ok().filter(same);
    value.unwrap_or_else(|| json!({ TEXT: text }))
}

/// Whether a text may hold a number that a float or a 64-bit integer cannot: told by a run of digits alone.
fn loses_digits(text: &str) -> bool {
    const KEPT: usize = 15;
    text.split(|c: char| !c.is_ascii_digit() && c != '.').any(|run| run.len() > KEPT)
}

/// The mark and what it marks.
fn marked(value: &Value) -> Option<(&'static str, &str)> {
    let object = value.as_object().filter(|object| object.len() == 1)?;
    [TEXT, HEX].into_iter().find_map(|mark| Some((mark, object.get(mark)?.as_str()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(state: &JobState, key: &str) -> Vec<u8> {
        state.0[key].value.to_vec()
    }

    #[test]
    fn a_state_is_given_as_json_and_kept_as_json() {
        let state = read(
            r#"{ "page": 7, "name": "x", "list": [1], "raw": { "$text": "x" }, "bytes": { "$hex": "00fF" } }"#,
        );
        let state = state.unwrap();
        assert_eq!(stored(&state, "page"), b"7");
        assert_eq!(stored(&state, "name"), b"\"x\"");
        assert_eq!(stored(&state, "list"), b"[1]");
        assert_eq!(stored(&state, "raw"), b"x");
        assert_eq!(stored(&state, "bytes"), [0, 255]);
        for bad in ["7", "{", r#"{ "": 1 }"#, r#"{ "a": { "$hex": "0" } }"#, r#"{ "a": { "$hex": "xy" } }"#] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_printed_is_taken_back() {
        for value in [
            &b"7"[..],
            b"\"x\"",
            b"x",
            b"",
            b"007",
            b"1.0",
            b"1e2",
            b" 7",
            b"123456789012345678901234567890",
            b"[1,null,{\"a\":\"b\"}]",
            b"[0.12345678901234567890]",
            b"{\"$text\":\"x\"}",
            b"{\"$hex\":\"xy\"}",
            b"\xff\x00",
            b"two\nlines\t",
        ] {
            let entry = StateEntry { value: value.into(), expires_at: None };
            let state = JobState([("k".to_owned(), entry)].into());
            let again = read(&written(&state).to_string()).unwrap();
            assert_eq!(stored(&again, "k"), value, "{}", written(&state));
        }
        // Not byte by byte, but as JSON.
        assert_eq!(shown(b"{ \"b\": 1, \"a\": 2 }"), json!({ "a": 2, "b": 1 }));
    }
}

//! What the last line of a command is good for as the output of its run. Pure: the line goes in.

use serde::de::IgnoredAny;

/// What a command said last on stdout.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// Nothing; or nobody asked.
    Nothing,
    /// One JSON value.
    Json(String),
    /// Something else; why it is no JSON.
    Other(String),
    /// More bytes than an output may have.
    TooLong(u64),
}

impl Said {
    /// Looks at a line, of which the length is known alone where it is longer than an output may be.
    pub(crate) fn of(line: Option<Result<Vec<u8>, u64>>) -> Self {
        let text = match line {
            None => return Self::Nothing,
            Some(Err(length)) => return Self::TooLong(length),
            Some(Ok(bytes)) => String::from_utf8(bytes),
        };
        match text {
            Err(error) => {
                Self::Other(format!("not UTF-8 from byte {} on", error.utf8_error().valid_up_to() + 1))
            }
            // Looked over without building it: it may be as large as limits.output says.
            Ok(text) => match serde_json::from_str::<IgnoredAny>(&text) {
                Ok(_) => Self::Json(text),
                // It is one line.
                Err(error) => Self::Other(error.to_string().replace("line 1 column", "column")),
            },
        }
    }

    /// What the host remarks in the log of a run that succeeded.
    pub(crate) fn remark(&self) -> Option<String> {
        match self {
            Self::Other(why) => Some(format!(
                "the last line on stdout is not JSON ({why}), so the run has no output; `output = \"last-line\"` takes one \
                 line of JSON"
            )),
            Self::Nothing | Self::Json(_) | Self::TooLong(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &[u8]) -> Said {
        Said::of(Some(Ok(line.to_vec())))
    }

    #[test]
    fn json_of_any_kind_is_an_output_as_it_is_written() {
        for text in [r#"{"a": [1, 2.5e3, "ü"]}"#, "[]", "42", "\"done\"", "null", "true"] {
            assert_eq!(said(text.as_bytes()), Said::Json(text.to_owned()));
        }
        let deep = "[".repeat(10_000) + &"]".repeat(10_000);
        assert_eq!(said(deep.as_bytes()), Said::Json(deep.clone()));
    }

    #[test]
    fn anything_else_is_none_and_the_place_is_told() {
        let why = |line: &[u8]| match said(line) {
            Said::Other(why) => why,
            other => panic!("{other:?}"),
        };
        assert_eq!(why(b"12 lines"), "trailing characters at column 4");
        assert_eq!(why(br#"{"a": 1"#), "EOF while parsing an object at column 7");
        assert_eq!(why(b"done"), "expected value at column 1");
        assert_eq!(why(b"{\"a\": NaN}"), "expected value at column 7");
        assert_eq!(why(b"\"a\xff\""), "not UTF-8 from byte 3 on");
        assert!(said(b"done").remark().unwrap().contains("output = \"last-line\""));
    }

    #[test]
    fn nothing_and_too_much_are_told_apart() {
        assert_eq!(Said::of(None), Said::Nothing);
        assert_eq!(Said::of(Some(Err(9))), Said::TooLong(9));
        assert!([Said::Nothing, Said::TooLong(9), said(b"1")].iter().all(|said| said.remark().is_none()));
    }
}

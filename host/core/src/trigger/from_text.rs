//! A trigger in one line of text, by the words of the manifest.

use std::str::FromStr;

use super::{TriggerError, TriggerSpec};

const FORMS: &str = "write \"interval 2h\", \"cron 30 5 * * mon-fri\", \"date 2030-11-06 16:30:05\", \"now\", or the \
                     keys of a trigger as JSON";

impl FromStr for TriggerSpec {
    type Err = TriggerError;

    /// Reads `interval 2h`, `cron 30 5 * * mon-fri`, `date 2030-11-06 16:30:05`, `now`, a macro such as `@daily`, or the
    /// keys of a trigger as JSON. Whether it can be understood further is asked by [`Trigger::new`](super::Trigger::new).
    ///
    /// ```
    /// use clockbox_core::trigger::TriggerSpec;
    /// assert_eq!("interval 2h".parse(), Ok(TriggerSpec::interval("2h")));
    /// assert_eq!("cron 30 5 * * mon-fri".parse(), Ok(TriggerSpec::cron("30 5 * * mon-fri")));
    /// assert_eq!("@daily".parse(), Ok(TriggerSpec::cron("@daily")));
    /// assert_eq!("now".parse(), Ok(TriggerSpec::default()));
    /// let keys = r#"{"interval": "2h", "jitter": "30s"}"#;
    /// assert_eq!(keys.parse(), Ok(TriggerSpec::interval("2h").with_jitter("30s")));
    /// assert!("2h".parse::<TriggerSpec>().unwrap_err().to_string().contains("interval 2h"));
    /// ```
    fn from_str(text: &str) -> Result<Self, TriggerError> {
        let text = text.trim();
        let bad = |what: String| TriggerError::new("", what).with_hint(FORMS);
        if text.starts_with('{') {
            return serde_json::from_str(text).map_err(|error| bad(error.to_string()));
        }
        if text.starts_with('@') {
            return Ok(Self::cron(text));
        }
        match text.split_once(char::is_whitespace) {
            Some(("interval", rest)) => Ok(Self::interval(rest.trim_start())),
            Some(("cron", rest)) => Ok(Self::cron(rest.trim_start())),
            Some(("date", rest)) => Ok(Self::date(rest.trim_start())),
            _ if text == "now" => Ok(Self::default()),
            _ => Err(bad(format!("{text:?} does not begin with a kind of trigger"))),
        }
    }
}

impl TryFrom<&str> for TriggerSpec {
    type Error = TriggerError;

    fn try_from(text: &str) -> Result<Self, TriggerError> {
        text.parse()
    }
}

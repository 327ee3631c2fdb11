//! `{{job_id}}`, `{{args.to}}`, `{{config.token}}`: facts of the run, arguments and configuration filled into text and
//! JSON. Shared by the plugins.
//!
//! ```
//! let args = serde_json::json!({ "to": "ops", "limit": 3 });
//! let mut template = template::Template::new(args.as_object().unwrap());
//! let filled = template.fill(&serde_json::json!({ "text": "dear {{args.to}}", "limit": "{{args.limit}}" }));
//! assert_eq!(filled, Ok(serde_json::json!({ "text": "dear ops", "limit": 3 })));
//! assert!(template.check_all_used().is_ok());
//! ```

use std::collections::BTreeSet;

use clockbox_sdk::context;
use serde_json::{Map, Value};

/// What can be filled in, and which of the arguments were.
pub struct Template<'a> {
    args: &'a Map<String, Value>,
    used: BTreeSet<String>,
}

impl<'a> Template<'a> {
    /// A template over these arguments.
    #[must_use]
    pub fn new(args: &'a Map<String, Value>) -> Self {
        Self { args, used: BTreeSet::new() }
    }

    /// Fills every string of a JSON value. One that is a single `{{name}}` becomes the value itself, a number say; elsewhere a value
    /// becomes text.
    ///
    /// # Errors
    /// A sentence about a name that is not known or not closed.
    pub fn fill(&mut self, value: &Value) -> Result<Value, String> {
        Ok(match value {
            Value::String(text) => match text.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")) {
                Some(name) if !name.contains("{{") => self.look_up(name.trim())?,
                _ => self.fill_text(text)?.into(),
            },
            Value::Array(items) => items.iter().map(|item| self.fill(item)).collect::<Result<_, _>>()?,
            Value::Object(fields) => {
                let fill = |(key, value): (&String, &Value)| Ok((key.clone(), self.fill(value)?));
                fields.iter().map(fill).collect::<Result<Map<_, _>, String>>()?.into()
            }
            other => other.clone(),
        })
    }

    /// Fills a text.
    ///
    /// # Errors
    /// A sentence about a name that is not known or not closed.
    pub fn fill_text(&mut self, text: &str) -> Result<String, String> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (name, after) =
                after.split_once("}}").ok_or_else(|| format!("a '{{{{' is not closed in {text:?}"))?;
            filled += before;
            match self.look_up(name.trim())? {
                Value::String(value) => filled += &value,
                value => filled += &value.to_string(),
            }
            rest = after;
        }
        Ok(filled + rest)
    }

    /// Checks that each argument was filled in somewhere: one that nothing refers to is most likely a slip of the pen.
    ///
    /// # Errors
    /// A sentence about the first that was not.
    pub fn check_all_used(&self) -> Result<(), String> {
        match self.args.keys().find(|key| !self.used.contains(*key)) {
            Some(key) => {
                Err(format!("{key:?} is not an argument, and no template refers to {{{{args.{key}}}}}"))
            }
            None => Ok(()),
        }
    }

    fn look_up(&mut self, name: &str) -> Result<Value, String> {
        Ok(match name.split_once('.') {
            Some(("config", key)) => {
                context::config(key).ok_or_else(|| format!("the plugin's config has no {key:?}"))?.into()
            }
            Some(("args", path)) => {
                let (key, below) = path.split_once('.').unwrap_or((path, ""));
                self.used.insert(key.to_owned());
                let pointer =
                    if below.is_empty() { String::new() } else { format!("/{}", below.replace('.', "/")) };
                let found = self.args.get(key).and_then(|value| value.pointer(&pointer));
                found.cloned().ok_or_else(|| format!("the arguments have no {path:?}"))?
            }
            _ => match name {
                "job_id" => context::job_id().into(),
                "run_id" => context::run_id().into(),
                "attempt" => context::attempt().into(),
                "scheduled_at" => context::scheduled_at().into(),
                "previous_success" => context::previous_success().into(),
                "cause" => context::cause().as_str().into(),
                "idempotency_key" => context::idempotency_key().into(),
                _ => return Err(format!("{{{{{name}}}}} is not known: {KNOWN}")),
            },
        })
    }
}

const KNOWN: &str = "write job_id, run_id, attempt, scheduled_at, previous_success, cause, idempotency_key, \
                     args.NAME or config.NAME";

#[cfg(test)]
mod tests {
    use clockbox_sdk::testing::{Facts, set_facts};
    use serde_json::json;

    use super::*;

    fn filled(args: Value, value: Value) -> Result<Value, String> {
        Template::new(args.as_object().unwrap()).fill(&value)
    }

    #[test]
    fn facts_and_configuration_are_filled_in_at_any_depth() {
        set_facts(Facts { config: [("token".into(), "t0p".into())].into(), ..Default::default() });
        let value =
            json!({"a": ["{{ job_id }} at {{scheduled_at}}", 7], "b": {"c": "Bearer {{config.token}}"}});
        let expected = json!({"a": ["test-job at 2030-01-01T00:00:00+00:00", 7], "b": {"c": "Bearer t0p"}});
        assert_eq!(filled(json!({}), value), Ok(expected));
    }

    #[test]
    fn a_lone_name_keeps_its_type_and_others_become_text() {
        let args = json!({"n": 3, "list": [1, {"x": true}]});
        let value = json!([
            "{{args.n}}",
            "{{args.n}}{{args.n}}",
            "{{args.list.1.x}}",
            "{{attempt}}",
            "{{previous_success}}"
        ]);
        assert_eq!(filled(args, value), Ok(json!([3, "33", true, 1, null])));
    }

    #[test]
    fn what_is_filled_in_is_not_filled_again() {
        assert_eq!(filled(json!({"x": "{{job_id}}"}), json!("{{args.x}}!")), Ok(json!("{{job_id}}!")));
    }

    #[test]
    fn unknown_and_unclosed_names_are_refused() {
        for (text, reason) in [
            ("{{jobid}}", "{{jobid}} is not known: write job_id"),
            ("a {{job_id", "not closed"),
            ("{{args.x}}", "the arguments have no \"x\""),
            ("{{config.x}}", "the plugin's config has no \"x\""),
            ("{{}}", "is not known"),
        ] {
            let error = filled(json!({}), json!(text)).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn an_argument_that_nothing_uses_is_named() {
        let args = json!({"to": 1, "form": 2});
        let mut template = Template::new(args.as_object().unwrap());
        template.fill_text("{{args.to}}").unwrap();
        assert!(template.check_all_used().unwrap_err().contains("\"form\" is not an argument"));
        template.fill_text("{{args.form}}").unwrap();
        assert_eq!(template.check_all_used(), Ok(()));
    }
}

//! Jobs as the sections `[jobs.NAME]` of a manifest, and back.

use clockbox_core::model::{JobId, KeyProblem};
use serde_json::{Map, Number, Value};
use toml::Value as Toml;

/// A job as its name and keys.
pub(super) type Described = (JobId, Map<String, Value>);

/// The sections of these jobs; or each value that TOML cannot say, with its place.
pub(super) fn write(jobs: Vec<Described>) -> Result<String, Vec<KeyProblem>> {
    let mut problems = Vec::new();
    let mut sections = toml::Table::new();
    for (name, keys) in jobs {
        let value = to_toml(&Value::Object(keys), name.as_str(), &mut problems);
        sections.extend(value.map(|value| (name.to_string(), value)));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    if sections.is_empty() {
        return Ok(String::new());
    }
    let whole = toml::Table::from_iter([("jobs".to_owned(), Toml::Table(sections))]);
    toml::to_string(&whole).map_err(|error| vec![problem("", error.to_string(), "")])
}

/// The jobs of such sections; or what is wrong with the text.
pub(super) fn read(text: &str) -> Result<Vec<Described>, Vec<KeyProblem>> {
    let whole: toml::Table =
        text.parse().map_err(|error: toml::de::Error| vec![problem("", error.to_string(), "")])?;
    let (mut jobs, mut problems) = (Vec::new(), Vec::new());
    for (key, value) in whole {
        match value {
            Toml::Table(sections) if key == "jobs" => {
                for (name, keys) in sections {
                    match (name.parse::<JobId>(), to_json(keys, &name, &mut problems)) {
                        (Ok(name), Some(Value::Object(keys))) => jobs.push((name, keys)),
                        (Err(error), _) => problems.push(problem(&name, error.to_string(), "")),
                        (Ok(_), Some(_)) => problems.push(problem(&name, "expected a table", "")),
                        (Ok(_), None) => {}
                    }
                }
            }
            _ => {
                let hint = "write sections [jobs.NAME]; anything else belongs into the manifest";
                problems.push(problem(&key, "only jobs can be imported", hint));
            }
        }
    }
    if problems.is_empty() { Ok(jobs) } else { Err(problems) }
}

fn problem(key: &str, message: impl Into<String>, hint: &str) -> KeyProblem {
    let hint = (!hint.is_empty()).then(|| hint.to_owned());
    KeyProblem { key: key.to_owned(), message: message.into(), hint }
}

fn to_toml(value: &Value, place: &str, problems: &mut Vec<KeyProblem>) -> Option<Toml> {
    const AS_JSON: &str = "export it as JSON";
    Some(match value {
        Value::Null => {
            problems.push(problem(place, "TOML has no null", AS_JSON));
            return None;
        }
        Value::Bool(value) => Toml::Boolean(*value),
        Value::String(text) => Toml::String(text.clone()),
        Value::Number(number) => match (number.as_i64(), number.is_u64(), number.as_f64()) {
            (Some(whole), ..) => Toml::Integer(whole),
            (None, false, Some(number)) => Toml::Float(number),
            _ => {
                problems.push(problem(place, format!("{number} is too large for TOML"), AS_JSON));
                return None;
            }
        },
        Value::Array(items) => {
            let item = |(nth, item)| to_toml(item, &format!("{place}[{nth}]"), problems);
            Toml::Array(items.iter().enumerate().filter_map(item).collect())
        }
        Value::Object(keys) => {
            let entry = |(key, value): (&String, &Value)| {
                Some((key.clone(), to_toml(value, &format!("{place}.{key}"), problems)?))
            };
            Toml::Table(keys.iter().filter_map(entry).collect())
        }
    })
}

fn to_json(value: Toml, place: &str, problems: &mut Vec<KeyProblem>) -> Option<Value> {
    Some(match value {
        Toml::String(text) => Value::String(text),
        Toml::Integer(whole) => whole.into(),
        Toml::Boolean(value) => value.into(),
        // As a manifest reads it.
        Toml::Datetime(at) => Value::String(at.to_string()),
        Toml::Float(number) => match Number::from_f64(number) {
            Some(number) => Value::Number(number),
            None => {
                problems.push(problem(place, format!("{number} is no number of JSON"), ""));
                return None;
            }
        },
        Toml::Array(items) => {
            let item = |(nth, item)| to_json(item, &format!("{place}[{nth}]"), problems);
            items.into_iter().enumerate().filter_map(item).collect()
        }
        Toml::Table(keys) => {
            let entry = |(key, value)| {
                let place = format!("{place}.{key}");
                Some((key, to_json(value, &place, problems)?))
            };
            Value::Object(keys.into_iter().filter_map(entry).collect())
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn job(keys: Value) -> Vec<Described> {
        vec![("a".parse().unwrap(), keys.as_object().unwrap().clone())]
    }

    #[test]
    fn what_is_written_is_read_again() {
        let keys = json!({
            "plugin": "p", "trigger": { "any": [{ "interval": "2h" }, { "cron": { "hour": 5 } }] },
            "args": { "list": [1, "two", { "three": [3.5, true, []] }], "": {}, "a.b c": "\u{1b}\n" },
        });
        let text = write(job(keys.clone())).unwrap();
        assert!(text.starts_with("[jobs.a]\n"), "{text}");
        assert_eq!(read(&text).unwrap(), job(keys));
        assert!(read(&write(Vec::new()).unwrap()).unwrap().is_empty());
    }

    #[test]
    fn what_toml_cannot_say_is_named() {
        let found = write(job(json!({ "args": { "x": [1, null], "y": u64::MAX } }))).unwrap_err();
        let keys: Vec<&str> = found.iter().map(|problem| problem.key.as_str()).collect();
        assert_eq!(keys, ["a.args.x[1]", "a.args.y"]);
    }

    #[test]
    fn what_is_no_job_is_refused() {
        let found =
            read("[scheduler]\n[jobs]\n\"no spaces\" = {}\nb = 3\nc = { args = [nan] }\n").unwrap_err();
        let mut keys: Vec<&str> = found.iter().map(|problem| problem.key.as_str()).collect();
        keys.sort_unstable();
        assert_eq!(keys, ["b", "c.args[0]", "no spaces", "scheduler"]);
        assert!(read("[jobs.a").is_err());
        let dated = read("[jobs.a.trigger]\ndate = 2030-01-01T00:00:00Z\n").unwrap();
        assert_eq!(dated[0].1["trigger"]["date"], "2030-01-01T00:00:00Z");
    }
}

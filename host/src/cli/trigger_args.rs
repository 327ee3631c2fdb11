//! A trigger given on the command line.

use chrono_tz::Tz;
use clap::Args;
use clockbox_core::trigger::{Trigger, TriggerSpec};
use serde_json::{Value, json};

use super::exit::Failure;
use crate::manifest::{self, Problem};

#[derive(Debug, Clone, Default, Args)]
#[group(multiple = true)]
pub(super) struct TriggerArgs {
    /// A cron trigger: "30 5 * * mon-fri", "@daily", or with seconds first "0 30 5 * * *".
    #[arg(long, conflicts_with_all = ["interval", "date", "inline"])]
    cron: Option<String>,
    /// An interval trigger: "2h", "1d 12h".
    #[arg(long, conflicts_with_all = ["date", "inline"])]
    interval: Option<String>,
    /// A date trigger: "2030-11-06 16:30:05".
    #[arg(long, conflicts_with = "inline")]
    date: Option<String>,
    /// Any trigger, as in the manifest: '{ cron = { hour = 5 }, end = "2030-05-30" }'.
    #[arg(long = "trigger", value_name = "TOML")]
    inline: Option<String>,
    /// The time zone, an IANA name such as Asia/Shanghai; else the manifest's or the host's, else UTC.
    #[arg(long, value_name = "ZONE", value_parser = zone)]
    pub(super) timezone: Option<Tz>,
}

impl TriggerArgs {
    /// A time zone, and no trigger that it is of.
    pub(super) fn zone_alone() -> Failure {
        Failure::new("--timezone alone names no trigger").hint("add --cron, --interval, --date or --trigger")
    }

    /// The trigger as a host is told of it; `None` when none is given.
    pub(super) fn keys(&self) -> Result<Option<Value>, Failure> {
        let mut keys = match self {
            Self { cron: Some(text), .. } => json!({ "cron": text }),
            Self { interval: Some(text), .. } => json!({ "interval": text }),
            Self { date: Some(text), .. } => json!({ "date": text }),
            Self { inline: Some(text), .. } => toml_value("--trigger", text)?,
            Self { timezone: Some(_), .. } => return Err(Self::zone_alone()),
            Self { .. } => return Ok(None),
        };
        let Some(table) = keys.as_object_mut() else {
            return Err(
                Failure::new("--trigger: is no table").hint("write for instance '{ interval = \"2h\" }'")
            );
        };
        if let Some(zone) = self.timezone {
            if table.contains_key("timezone") {
                return Err(Failure::new("the time zone is given twice").hint("leave --timezone out"));
            }
            table.insert("timezone".to_owned(), json!(zone.name()));
        }
        Ok(Some(keys))
    }

    pub(super) fn is_given(&self) -> bool {
        self.cron.is_some() || self.interval.is_some() || self.date.is_some() || self.inline.is_some()
    }

    pub(super) fn trigger(&self, zone: Tz) -> Result<Trigger, Failure> {
        let spec = match self {
            Self { cron: Some(text), .. } => TriggerSpec::cron(text),
            Self { interval: Some(text), .. } => TriggerSpec::interval(text),
            Self { date: Some(text), .. } => TriggerSpec::date(text),
            Self { inline: Some(text), .. } => return inline(text, zone),
            Self { .. } => TriggerSpec::default(),
        };
        Trigger::new(spec, zone).map_err(Failure::refused)
    }
}

/// A trigger as it stands in a manifest, read with the manifest's own care.
fn inline(text: &str, zone: Tz) -> Result<Trigger, Failure> {
    manifest::read_trigger(text, zone).map_err(|problems| {
        let text = |problem: &Problem| {
            let hint = problem.hint.as_ref().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
            let key = if problem.key.is_empty() { String::new() } else { format!("{}: ", problem.key) };
            format!("{key}{}{hint}", problem.message)
        };
        Failure::new(problems.0.iter().map(text).collect::<Vec<_>>().join("\nerror: "))
    })
}

/// Reads an IANA time zone name.
fn zone(text: &str) -> Result<Tz, String> {
    text.parse().map_err(|_| format!("no such time zone; {}", manifest::zone_hint(text)))
}

/// A value as it stands in a manifest, as JSON: what `flag` gives.
pub(super) fn toml_value(flag: &str, text: &str) -> Result<Value, Failure> {
    let bad = |why: &str| Failure::new(format!("{flag}: {why}")).hint("write it as in the manifest");
    let table: toml::Table = toml::from_str(&format!("value = {text}"))
        .map_err(|error| bad(&format!("{text:?} is not TOML: {}", error.message())))?;
    let mut values = table.into_iter();
    match (values.next(), values.next()) {
        (Some((_, value)), None) => Ok(as_json(value)),
        _ => Err(bad("more than one value is given")),
    }
}

/// Dates and times become texts, which stand for them wherever a job has one.
fn as_json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => json!(number),
        toml::Value::Float(number) => json!(number),
        toml::Value::Boolean(flag) => json!(flag),
        toml::Value::Datetime(at) => json!(at.to_string()),
        toml::Value::Array(items) => items.into_iter().map(as_json).collect(),
        toml::Value::Table(table) => {
            Value::Object(table.into_iter().map(|(key, value)| (key, as_json(value))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trigger_is_told_in_the_words_of_the_manifest() {
        let keys = |args: TriggerArgs| args.keys().unwrap();
        let zone = Some(chrono_tz::Asia::Tokyo);
        let cron =
            TriggerArgs { cron: Some("0 5 * * *".to_owned()), timezone: zone, ..TriggerArgs::default() };
        assert_eq!(keys(cron), Some(json!({ "cron": "0 5 * * *", "timezone": "Asia/Tokyo" })));
        let inline = |text: &str| TriggerArgs { inline: Some(text.to_owned()), ..TriggerArgs::default() };
        assert_eq!(
            keys(inline("{ cron = { hour = 5 }, end = 2030-05-30 }")),
            Some(json!({ "cron": { "hour": 5 }, "end": "2030-05-30" }))
        );
        assert_eq!(keys(TriggerArgs::default()), None);
        for bad in ["5", "{", "{ interval = '2h' }\nplugin = 'x'"] {
            assert!(inline(bad).keys().is_err(), "{bad}");
        }
        let alone = TriggerArgs { timezone: zone, ..TriggerArgs::default() };
        assert!(alone.keys().is_err());
    }
}

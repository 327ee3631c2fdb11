//! A job in the words of the manifest, as flags.

use clap::Args;
use clockbox_core::model::JobId;
use serde_json::{Map, Value, json};

use crate::cli::{
    exit::Failure,
    trigger_args::{TriggerArgs, toml_value},
};

/// The keys of a job.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Words {
    /// The plugin that does the work.
    #[arg(long)]
    plugin: Option<String>,
    #[command(flatten)]
    trigger: TriggerArgs,
    /// Its arguments: any JSON.
    #[arg(long, value_name = "JSON")]
    args: Option<String>,
    /// The pool that it runs in.
    #[arg(long)]
    pool: Option<String>,
    /// Higher goes first when runs wait.
    #[arg(long, allow_negative_numbers = true)]
    priority: Option<i32>,
    /// The most runs of it at one time.
    #[arg(long, value_name = "N")]
    max_instances: Option<u32>,
    /// What becomes of a fire beyond that: skip, wait, replace.
    #[arg(long)]
    overlap: Option<String>,
    /// How late a fire may still run: a duration, or forever.
    #[arg(long, value_name = "DURATION")]
    misfire_grace: Option<String>,
    /// Of several due fires: latest (true), earliest, all (false).
    #[arg(long, value_name = "WHICH")]
    coalesce: Option<String>,
    /// As in the manifest: '{ attempts = 3, backoff = "5s" }'.
    #[arg(long, value_name = "TOML")]
    retry: Option<String>,
    /// After a crash: at-most-once or at-least-once.
    #[arg(long)]
    delivery: Option<String>,
    /// Once it has nothing left to do: keep or remove.
    #[arg(long)]
    when_done: Option<String>,
}

/// The keys of a job that is added.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct NewWords {
    #[command(flatten)]
    words: Words,
    /// What it may reach, out of what its plugin may: '{ http = ["https://api.example.com"] }'.
    #[arg(long, value_name = "TOML")]
    allow: Option<String>,
}

impl NewWords {
    /// The keys of a new job. One that names no plugin is of the plugin of its own name, as in a manifest.
    pub(super) fn keys(&self, name: &JobId) -> Result<Map<String, Value>, Failure> {
        let mut keys = self.words.keys()?;
        keys.entry("plugin").or_insert_with(|| json!(name));
        if let Some(allow) = &self.allow {
            keys.insert("allow".to_owned(), toml_value("--allow", allow)?);
        }
        Ok(keys)
    }
}

impl Words {
    /// The keys that are given.
    pub(super) fn keys(&self) -> Result<Map<String, Value>, Failure> {
        let Self { plugin, trigger, args, pool, priority, max_instances, .. } = self;
        let Self { overlap, misfire_grace, coalesce, retry, delivery, when_done, .. } = self;
        let toml = |flag: &str, text: &Option<String>| {
            text.as_deref().map(|text| toml_value(flag, text)).transpose()
        };
        let said = [
            ("plugin", plugin.as_ref().map(|text| json!(text))),
            ("trigger", trigger.keys()?),
            ("args", args.as_deref().map(read_args).transpose()?),
            ("pool", pool.as_ref().map(|text| json!(text))),
            ("priority", priority.map(|number| json!(number))),
            ("max_instances", max_instances.map(|number| json!(number))),
            ("overlap", overlap.as_ref().map(|text| json!(text))),
            ("misfire_grace", misfire_grace.as_ref().map(|text| json!(text))),
            ("coalesce", coalesce.as_deref().map(flag_or_text)),
            ("retry", toml("--retry", retry)?),
            ("delivery", delivery.as_ref().map(|text| json!(text))),
            ("when_done", when_done.as_ref().map(|text| json!(text))),
        ];
        Ok(said.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect())
    }
}

/// Arguments, which are JSON.
pub(in crate::cli) fn read_args(text: &str) -> Result<Value, Failure> {
    serde_json::from_str(text).map_err(|error| {
        Failure::new(format!("--args: {text:?} is not JSON: {error}"))
            .hint("write for instance --args '{\"to\": \"ops@example.com\"}'; a text is in double quotes")
    })
}

fn flag_or_text(text: &str) -> Value {
    match text {
        "true" => json!(true),
        "false" => json!(false),
        text => json!(text),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        words: NewWords,
    }

    fn keys(line: &[&str]) -> Result<Value, Failure> {
        let line = Line::try_parse_from([&["x"], line].concat()).unwrap();
        line.words.keys(&"a".parse().unwrap()).map(Value::Object)
    }

    #[test]
    fn every_key_of_a_job_has_a_flag_of_its_name() {
        let line = [
            "--plugin=p",
            "--interval=2h",
            "--args=[1]",
            "--pool=heavy",
            "--priority=-3",
            "--max-instances=2",
            "--overlap=wait",
            "--misfire-grace=forever",
            "--coalesce=false",
            "--retry={ attempts = 3 }",
            "--delivery=at-least-once",
            "--when-done=keep",
            "--allow={ state = true }",
        ];
        let wanted = json!({
            "plugin": "p", "trigger": { "interval": "2h" }, "args": [1], "pool": "heavy", "priority": -3,
            "max_instances": 2, "overlap": "wait", "misfire_grace": "forever", "coalesce": false,
            "retry": { "attempts": 3 }, "delivery": "at-least-once", "when_done": "keep", "allow": { "state": true },
        });
        assert_eq!(keys(&line).unwrap(), wanted);
        assert_eq!(keys(&[]).unwrap(), json!({ "plugin": "a" }));
        assert!(keys(&["--args", "ops@example.com"]).is_err());
    }
}

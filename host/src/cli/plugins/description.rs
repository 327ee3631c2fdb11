//! What a plugin says of the job that it is for, in its section `clockbox:job`.

use std::path::Path;

use clockbox_core::model::{JobId, OutputFrom};
use serde::Serialize;
use serde_json::Value;

use crate::{
    cli::text::plain,
    manifest::{self, Overrides, PluginFile, Severity, Surroundings},
    sandbox::PluginKind,
};

/// The description, read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Description {
    /// When the job would fire, in words, where it has a trigger.
    pub(super) trigger: Option<String>,
    /// Where the output of its runs comes from.
    pub(super) output: OutputFrom,
    /// What its arguments may be, as the plugin puts it.
    pub(super) args_schema: Option<Value>,
    /// What it calls itself.
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
    /// What it is for.
    pub(super) text: Option<String>,
    /// What is wrong with it.
    pub(super) problems: Vec<String>,
}

impl Description {
    /// Reads the text of a section.
    pub(super) fn of(text: &str, file: &Path) -> Self {
        const NAME: &str = "plugin";
        let stem = NAME.to_owned();
        let plugin = PluginFile { stem, ..PluginFile::dropped(file) }.with_embedded(text);
        let around = Surroundings::with_files(vec![plugin]);
        let loaded = manifest::parse("", Path::new(manifest::FILE_NAME), &Overrides::default(), &around);
        let (trigger, output, problems) = match loaded {
            Ok(loaded) => {
                let trigger = loaded.manifest.jobs.get(NAME).map(|job| job.trigger.describe());
                let output = loaded.manifest.plugins.get(NAME).map(|spec| spec.output);
                (trigger, output, loaded.refused.into_iter().flat_map(|refused| refused.problems.0).collect())
            }
            Err(problems) => (None, None, problems.0),
        };
        let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
        // What is wrong with the text has been told.
        let table: toml::Table = toml::from_str(text).unwrap_or_default();
        let said = |key: &str| table.get(key).and_then(toml::Value::as_str).map(plain);
        Self {
            trigger,
            output: output.unwrap_or_default(),
            args_schema: table.get("args_schema").and_then(|schema| serde_json::to_value(schema).ok()),
            name: said("name"),
            version: said("version"),
            text: said("description"),
            problems: errors.map(ToString::to_string).collect(),
        }
    }

    /// A line for each argument, those that must be given first, where the schema is a table of arguments.
    pub(super) fn args(&self) -> Vec<String> {
        match &self.args_schema {
            Some(Value::Object(args)) => {
                let mut args: Vec<_> = args.iter().collect();
                args.sort_by_key(|(name, schema)| (!is_required(schema), *name));
                args.into_iter().map(|(name, schema)| plain(&arg(name, schema))).collect()
            }
            Some(schema) => vec![plain(&schema.to_string())],
            None => Vec::new(),
        }
    }
}

fn is_required(schema: &Value) -> bool {
    schema.get("required") == Some(&Value::Bool(true))
}

/// `url: string, required (the address)`.
fn arg(name: &str, schema: &Value) -> String {
    let is_required = is_required(schema);
    let Value::Object(schema) = schema else { return format!("{name}: {schema}") };
    let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    let mut text = name.to_owned();
    if let Some(kind) = schema.get("type") {
        text.push_str(&format!(": {}", word(kind)));
    }
    if is_required {
        text.push_str(", required");
    }
    if let Some(default) = schema.get("default") {
        text.push_str(&format!(", {} if nothing is said", word(default)));
    }
    if let Some(description) = schema.get("description") {
        text.push_str(&format!(" ({})", word(description)));
    }
    text
}

/// What is wrong with a description that somebody writes for a plugin of this kind: mistakes, and keys that no host knows.
/// They lie in the file that it comes `from`, where it does as it is.
pub(in crate::cli) fn faults(
    text: &str,
    file: &Path,
    from: Option<&Path>,
    kind: Option<PluginKind>,
) -> Vec<String> {
    const NAME: &str = "plugin";
    let plugin = PluginFile { stem: NAME.to_owned(), ..PluginFile::dropped(file) }.with_embedded(text);
    let around = Surroundings::with_files(vec![plugin]);
    let loaded = manifest::parse("", Path::new(manifest::FILE_NAME), &Overrides::default(), &around);
    let (output, problems) = match loaded {
        Ok(loaded) => {
            let output = loaded.manifest.plugins.get(NAME).map(|spec| spec.output);
            let refused = loaded.refused.into_iter().flat_map(|refused| refused.problems.0);
            (output, refused.chain(loaded.manifest.warnings).collect())
        }
        Err(problems) => (None, problems.0),
    };
    // A warning without a key is about what is granted here, which is nothing.
    let counts =
        |problem: &&manifest::Problem| problem.severity == Severity::Error || !problem.key.is_empty();
    let placed = |problem: &manifest::Problem| match (from, &problem.place) {
        (Some(from), manifest::Place::Embedded { line, column, .. }) => {
            let place = manifest::Place::File { file: from.to_owned(), line: *line, column: *column };
            manifest::Problem { place, ..problem.clone() }.to_string()
        }
        _ => problem.to_string(),
    };
    let mut faults: Vec<String> = problems.iter().filter(counts).map(placed).collect();
    // To a host it is a remark; whoever writes one means a name.
    let table: toml::Table = toml::from_str(text).unwrap_or_default();
    let name = table.get("name").and_then(toml::Value::as_str);
    faults.extend(name.and_then(|name| JobId::new(name).err()).map(|error| format!("name: {error}")));
    let misfit = kind.zip(output).and_then(|(kind, output)| kind.check_output(output).err());
    faults.extend(misfit.map(|error| format!("output: {error}")));
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trigger_and_arguments_are_told() {
        let text = "description = \"Greets\"\ntrigger = { interval = \"2h\" }\n[args_schema]\n\
                    name = { type = \"string\", default = \"world\", description = \"Whom\" }\n\
                    url = { type = \"string\", required = true }\nodd = 3\n";
        let description = Description::of(text, "x.wasm".as_ref());
        assert_eq!(description.trigger.as_deref(), Some("every 2 hours"));
        assert_eq!(description.text.as_deref(), Some("Greets"));
        assert_eq!(description.problems, [""; 0]);
        assert_eq!(
            description.args(),
            ["url: string, required", "name: string, world if nothing is said (Whom)", "odd: 3"]
        );
    }

    #[test]
    fn mistakes_have_their_place() {
        let problems = |text| Description::of(text, "x.wasm".as_ref()).problems;
        let found = problems("trigger = { interval = \"soon\" }");
        assert!(found.len() == 1 && found[0].starts_with("x.wasm (section clockbox:job):1:"), "{found:?}");
        assert_eq!(problems("not toml").len(), 1);
        // It may ask for what it likes.
        assert_eq!(problems("allow = { state = true }\nnew_key = 1"), [""; 0]);
    }
}

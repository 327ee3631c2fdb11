//! `clockbox plugins describe`: a plugin file is told what it says of itself.

use std::path::{Path, PathBuf};

use clap::Args;
use clockbox_core::model::CompileLimits;
use serde_json::json;
use toml::{Table, Value};

use crate::{
    author,
    cli::{
        Output,
        exit::{Failure, print_json},
        jobs::read_args,
        plugins::faults,
        text::short_digest,
        trigger_args::{TriggerArgs, toml_value},
    },
    reload::read_plugin,
    sandbox::inspect,
};

#[derive(Debug, Args)]
pub(super) struct DescribeArgs {
    /// The plugin: a component or module, as .wasm.
    file: PathBuf,
    /// Take the description from this file, in TOML, instead of the one that is there; flags are laid over it.
    #[arg(long, value_name = "FILE", conflicts_with = "clear")]
    from: Option<PathBuf>,
    /// The name of the job.
    #[arg(long)]
    name: Option<String>,
    /// What it is for.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Its version, for whoever reads it.
    #[arg(long = "version", value_name = "TEXT")]
    version: Option<String>,
    #[command(flatten)]
    trigger: TriggerArgs,
    /// Its arguments: any JSON.
    #[arg(long, value_name = "JSON")]
    args: Option<String>,
    /// What its arguments may be, a table for each: '{ url = { type = "string", required = true } }'.
    #[arg(long, value_name = "TOML")]
    args_schema: Option<String>,
    /// What it asks for, which grants nothing: '{ http = ["https://api.example.com"] }'.
    #[arg(long, value_name = "TOML")]
    allow: Option<String>,
    /// Lower limits that it is content with: '{ memory = "16MiB" }'.
    #[arg(long, value_name = "TOML")]
    limits: Option<String>,
    /// Where the output of its runs comes from: last-line, of a command's stdout, or returned.
    #[arg(long = "output", value_name = "WHERE")]
    output_from: Option<String>,
    /// Take its description away.
    #[arg(long, conflicts_with_all = ["name", "description", "version", "cron", "interval", "date", "inline", "args",
                                      "args_schema", "allow", "limits", "output_from"])]
    clear: bool,
    /// Write the described plugin here, and leave the file as it is.
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
}

pub(super) fn run(args: &DescribeArgs) -> Result<(), Failure> {
    let shown = args.file.display();
    let bytes = read_plugin(&args.file, CompileLimits::default().max_size)
        .map_err(|error| Failure::new(format!("{shown}: {error}")))?;
    let told = inspect(&bytes)
        .map_err(|error| Failure::new(format!("{shown}: {error}")).with_hint(error.hint().as_deref()))?;
    if !bytes.starts_with(b"\0asm") {
        return Err(Failure::new(format!("{shown}: it is WebAssembly text, which no description can be written into"))
            .hint("describe the binary that is made of it, or put a sidecar of the same name, ending in .toml, beside it"));
    }
    let text = match args.clear {
        true => None,
        false => Some(args.text(told.job.as_deref())?),
    };
    if let Some(text) = &text {
        let faults = faults(text, &args.file, args.origin(), told.kind);
        if !faults.is_empty() {
            faults.iter().for_each(|fault| eprintln!("{fault}"));
            return Err(Failure::new("the description has mistakes, nothing was written"));
        }
    }
    let described = author::describe(&bytes, text.as_deref())
        .map_err(|error| Failure::new(format!("{shown}: {error}")))?;
    // What was written is what a host reads: it cuts and cleans what it shows.
    let found = inspect(&described).map_err(|error| Failure::new(format!("{shown}: {error}")))?;
    if found.job.as_deref().map(str::trim_end) != text.as_deref().map(str::trim_end) {
        return Err(Failure::new("the description has characters that no host would show")
            .hint("leave out control characters and those that change the direction of writing"));
    }
    let out = args.out.as_ref().unwrap_or(&args.file);
    if described != bytes || args.out.is_some() {
        author::put(out, &described).map_err(|error| Failure::new(format!("{}: {error}", out.display())))?;
    }
    if args.output.json {
        return print_json(
            &json!({ "file": out, "sha256": found.sha256, "size": found.size, "description": text }),
        );
    }
    let what = match (described == bytes, text.is_some()) {
        (true, true) => "says that already: see `clockbox plugins inspect`",
        (false, true) => "is described: see `clockbox plugins inspect`",
        (true, false) => "had no description",
        (false, false) => "has no description any more",
    };
    eprintln!("{} {what}, sha256 {}…", out.display(), short_digest(&found.sha256));
    Ok(())
}

impl DescribeArgs {
    /// The file that the description is in as it stands, where nothing is laid over it: what is wrong is wrong there.
    fn origin(&self) -> Option<&Path> {
        self.from.as_deref().filter(|_| self.keys().is_ok_and(|flags| flags.is_empty()))
    }

    /// The description: what flags say, over a file or what there was. A text that nothing is laid over stays as it is,
    /// with its comments.
    fn text(&self, old: Option<&str>) -> Result<String, Failure> {
        let from = self.from.as_ref().map(|path| {
            std::fs::read_to_string(path)
                .map_err(|error| Failure::new(format!("{}: {error}", path.display())))
        });
        let base = from.transpose()?.or_else(|| old.map(ToOwned::to_owned));
        let flags = self.keys()?;
        if flags.is_empty() {
            return base.ok_or_else(|| {
                Failure::new("nothing is said of it")
                    .hint("add --name, --description, --cron … or --from FILE")
            });
        }
        let mut table: Table = match base.as_deref().map(str::parse).transpose() {
            Ok(table) => table.unwrap_or_default(),
            Err(error) => {
                return Err(Failure::new(format!("the description is not TOML: {}", error.message()))
                    .hint("give the whole of it with --from FILE"));
            }
        };
        table.extend(flags);
        toml::to_string(&table)
            .map_err(|error| Failure::new(format!("the description cannot be written: {error}")))
    }

    fn keys(&self) -> Result<Table, Failure> {
        let text = |text: &Option<String>| match text {
            Some(text) if text.contains(char::is_control) => {
                Err(Failure::new(format!("{text:?} has a control character")).hint("leave it out"))
            }
            text => Ok(text.as_ref().map(|text| json!(text))),
        };
        let toml = |flag: &str, text: &Option<String>| {
            text.as_deref().map(|text| toml_value(flag, text)).transpose()
        };
        let said: [(&str, Result<Option<serde_json::Value>, Failure>); 9] = [
            ("name", text(&self.name)),
            ("description", text(&self.description)),
            ("version", text(&self.version)),
            ("trigger", self.trigger.keys()),
            ("args", self.args.as_deref().map(read_args).transpose()),
            ("args_schema", toml("--args-schema", &self.args_schema)),
            ("allow", toml("--allow", &self.allow)),
            ("limits", toml("--limits", &self.limits)),
            ("output", text(&self.output_from)),
        ];
        let mut keys = Table::new();
        for (key, value) in said {
            if let Some(value) = value? {
                let value = Value::try_from(value).map_err(|error| {
                    Failure::new(format!("{key}: {error}")).hint("a description is TOML, which has no null")
                })?;
                keys.insert(key.to_owned(), value);
            }
        }
        Ok(keys)
    }
}

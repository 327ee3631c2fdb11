//! `clockbox config`: every value that is in force, and where it comes from.

use clap::Args;
use serde_json::Value;

use super::{
    Output,
    exit::{Failure, print, print_json},
    place::Place,
    text,
};

#[derive(Debug, Args)]
pub(super) struct ConfigArgs {
    #[command(flatten)]
    place: Place,
    /// Leave out what nobody has said.
    #[arg(long)]
    given: bool,
    /// Only keys that begin so: pools, jobs.report.
    #[arg(long, value_name = "KEY")]
    prefix: Option<String>,
    #[command(flatten)]
    output: Output,
}

pub(super) fn config(args: &ConfigArgs) -> Result<(), Failure> {
    let mut settings = args.place.settings().map_err(|problems| {
        Failure::new(problems.to_string().trim_end()).hint("correct them; `clockbox check` looks again")
    })?;
    settings.retain(|setting| {
        let is_wanted = args.prefix.as_ref().is_none_or(|prefix| setting.key.starts_with(prefix.as_str()));
        is_wanted && !(args.given && setting.origin == crate::manifest::Origin::Default)
    });
    if args.output.json {
        return print_json(&settings);
    }
    let mut table = text::table(["KEY", "VALUE", "FROM"]);
    for setting in &settings {
        let value = match &setting.value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            value => value.to_string(),
        };
        table.add_row([setting.key.clone(), text::plain(&value), text::plain(&setting.origin.to_string())]);
    }
    print(&text::lines(&table))
}

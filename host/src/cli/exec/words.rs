//! The flags of `exec` as what a manifest would say of one plugin and one job.

use clap::Args;
use toml::{Table, Value};

use crate::{cli::exit::Failure, manifest::Overrides};

/// What a plugin may reach and use up.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Words {
    /// What it may reach, in the words of the manifest's `allow`, as often as needed: `http=https://api.example.com`,
    /// `tcp=db.internal:5432`, `read=./data` (which it finds as /data), `write=/out=./result`, `env=LANG` or `env=LANG=C`,
    /// `secrets=TOKEN` (from the variable of that name), `dns`, `state`, `jobs`; or any part of the table, as in
    /// `jobs={ max_jobs = 3 }` and `{ state = true }`.
    #[arg(long, value_name = "RIGHT")]
    allow: Vec<String>,
    /// What it may use up, in the words of the manifest's `limits`, as often as needed: timeout=5s, memory=64MiB, fuel=1000000.
    #[arg(long, value_name = "LIMIT=VALUE")]
    limit: Vec<String>,
    /// A value that it is configured with, as in the manifest's `config`, as often as needed.
    #[arg(long, value_name = "KEY=VALUE")]
    config: Vec<String>,
    /// Where its output comes from, in the words of the manifest's `output`: last-line, of a command's stdout, or returned.
    #[arg(long, value_name = "WHERE")]
    output: Option<String>,
    /// Lay a value over the manifest that this would be: `--set plugins.NAME.http.total_timeout=5s`.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
}

impl Words {
    /// The manifest of the plugin `name` at `path`, with a job of its name, as what is laid over an empty one.
    pub(super) fn manifest(&self, name: &str, path: &str) -> Result<Overrides, Failure> {
        let mut all = self.set.iter().fold(Overrides::default(), Overrides::with_flag);
        let text = |text: &str| Value::String(text.to_owned());
        all = all.with_word(path, &["plugins", name, "path"], &text(path));
        all = all.with_word(path, &["jobs", name, "plugin"], &text(name));
        for (right, Right { shown, value }) in rights(&self.allow)? {
            all = all.with_word(shown, &["plugins", name, "allow", &right], &value);
        }
        if let Some(output) = &self.output {
            all = all.with_word(format!("--output {output}"), &["plugins", name, "output"], &text(output));
        }
        for (flag, section, given) in
            [("--limit", "limits", &self.limit), ("--config", "config", &self.config)]
        {
            for pair in given {
                let (key, value) = pair.split_once('=').ok_or_else(|| {
                    Failure::new(format!("{flag} {pair:?} is not a key and a value"))
                        .hint(format!("write {flag} key=value"))
                })?;
                let value = if flag == "--limit" { toml_or_text(value) } else { text(value) };
                let path = ["plugins", name, section, key.trim()];
                all = all.with_word(format!("{flag} {pair}"), &path, &value);
            }
        }
        Ok(all)
    }
}

/// One right, as all its flags together say it.
#[derive(Debug, PartialEq)]
struct Right {
    shown: String,
    value: Value,
}

/// The rights that the flags grant, in the shape that the manifest has them in.
fn rights(flags: &[String]) -> Result<Vec<(String, Right)>, Failure> {
    let mut rights: Vec<(String, Right)> = Vec::new();
    for flag in flags {
        let shown = format!("--allow {flag}");
        for (right, value) in granted(flag)? {
            match rights.iter_mut().find(|(known, _)| *known == right) {
                None => rights.push((right, Right { shown: shown.clone(), value })),
                Some((_, known)) => {
                    let old = std::mem::replace(&mut known.value, Value::Boolean(true));
                    known.value = both(&right, old, value)?;
                    known.shown = format!("{} {shown}", known.shown);
                }
            }
        }
    }
    Ok(rights)
}

/// What one flag grants.
fn granted(flag: &str) -> Result<Vec<(String, Value)>, Failure> {
    let flag = flag.trim();
    if flag.starts_with('{') {
        return match toml_value(flag) {
            Some(Value::Table(table)) => Ok(table.into_iter().collect()),
            _ => Err(Failure::new(format!("--allow {flag}: is not a TOML table"))
                .hint("write for instance --allow '{ http = [\"https://api.example.com\"], state = true }'")),
        };
    }
    let Some((right, value)) = flag.split_once('=') else {
        let example = match flag {
            "http" => "http=https://api.example.com",
            "tcp" => "tcp=db.internal:5432",
            "read" => "read=./data",
            "write" => "write=/out=./result",
            "env" => "env=LANG",
            "secrets" => "secrets=TOKEN",
            "args" => "args=--verbose",
            _ => return Ok(vec![(flag.to_owned(), Value::Boolean(true))]),
        };
        return Err(Failure::new(format!("--allow {flag}: it does not say which"))
            .hint(format!("write for instance --allow {example}")));
    };
    let (right, value) = (right.trim(), value.trim());
    let whole = || toml_value(value).filter(|value| !value.is_str());
    let value = match right {
        "http" | "tcp" | "args" => match whole() {
            Some(Value::Array(list)) => Value::Array(list),
            Some(table @ Value::Table(_)) => Value::Array(vec![table]),
            _ => Value::Array(vec![Value::String(value.to_owned())]),
        },
        "read" | "write" | "env" | "secrets" => match whole() {
            Some(value @ (Value::Table(_) | Value::Array(_))) => value,
            _ => Value::Table(named(right, value)?),
        },
        _ => toml_or_text(value),
    };
    Ok(vec![(right.to_owned(), value)])
}

/// One folder, variable or secret: `NAME`, or `NAME=VALUE`.
fn named(right: &str, given: &str) -> Result<Table, Failure> {
    let one = |name: String, value: Value| Table::from_iter([(name, value)]);
    let from_env = |name: &str| Value::Table(one("env".to_owned(), Value::String(name.to_owned())));
    Ok(match (right, given.split_once('=')) {
        ("secrets", Some((name, value))) => {
            let value = toml_value(value).filter(Value::is_table).ok_or_else(|| {
                Failure::new(format!("--allow {right}={name}: a secret is not written on a command line"))
                    .hint(format!("say where it is kept: --allow '{right}={name}={{ env = \"{name}\" }}'"))
            })?;
            one(name.to_owned(), value)
        }
        ("env", Some((name, value))) => one(name.to_owned(), Value::String(value.to_owned())),
        ("env" | "secrets", None) => one(given.to_owned(), from_env(given)),
        (_, Some((guest, host))) => one(guest.to_owned(), Value::String(host.to_owned())),
        (_, None) => {
            // Where the folder itself has no name, as in `.` and `..`, that of the place it leads to is taken.
            let path = std::path::Path::new(given);
            let name = match path.file_name() {
                Some(name) => Some(name.to_owned()),
                None => {
                    std::fs::canonicalize(path).ok().and_then(|path| path.file_name().map(ToOwned::to_owned))
                }
            };
            let name = name.map(|name| name.to_string_lossy().into_owned()).ok_or_else(|| {
                Failure::new(format!("--allow {right}={given}: the folder has no name"))
                    .hint(format!("say where the plugin finds it: --allow {right}=/data={given}"))
            })?;
            one(format!("/{name}"), Value::String(given.to_owned()))
        }
    })
}

/// What two flags of one right say together.
fn both(right: &str, one: Value, other: Value) -> Result<Value, Failure> {
    match (one, other) {
        (Value::Array(mut one), Value::Array(other)) => {
            one.extend(other);
            Ok(Value::Array(one))
        }
        (Value::Table(mut one), Value::Table(other)) => {
            one.extend(other);
            Ok(Value::Table(one))
        }
        // `jobs`, and what it may do with them.
        (Value::Boolean(true), table @ Value::Table(_)) | (table @ Value::Table(_), Value::Boolean(true)) => {
            Ok(table)
        }
        (one, other) if one == other => Ok(one),
        _ => Err(Failure::new(format!("--allow: {right} is said twice, in ways that do not go together"))
            .hint("say it once")),
    }
}

fn toml_value(text: &str) -> Option<Value> {
    let mut table: Table = format!("x = {text}").parse().ok()?;
    // A line break could smuggle in another key.
    table.remove("x").filter(|_| table.is_empty())
}

fn toml_or_text(text: &str) -> Value {
    toml_value(text).unwrap_or_else(|| Value::String(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(flags: &[&str]) -> Result<String, Failure> {
        let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let rights = rights(&flags)?.into_iter().map(|(right, Right { value, .. })| (right, value));
        Ok(Value::Table(rights.collect()).to_string())
    }

    #[test]
    fn flags_say_what_the_table_says() {
        let same = |flags: &[&str], toml: &str| {
            let toml = toml_value(toml).expect(toml);
            assert_eq!(table(flags).unwrap(), toml.to_string(), "{flags:?}");
        };
        same(
            &["http=https://a.example", "http=https://b.example"],
            r#"{ http = ["https://a.example", "https://b.example"] }"#,
        );
        same(
            &[r#"http={ origin = "https://a.example", methods = ["GET"] }"#],
            r#"{ http = [{ origin = "https://a.example", methods = ["GET"] }] }"#,
        );
        same(&["tcp=db:5432", "dns"], r#"{ tcp = ["db:5432"], dns = true }"#);
        same(&["jobs", "jobs={ max_jobs = 3 }", "jobs"], "{ jobs = { max_jobs = 3 } }");
        same(
            &["read=./data", "read=/in=/srv/in", "write=/out=result"],
            r#"{ read = { "/data" = "./data", "/in" = "/srv/in" }, write = { "/out" = "result" } }"#,
        );
        same(&["env=LANG", "env=A=b=c"], r#"{ env = { LANG = { env = "LANG" }, A = "b=c" } }"#);
        same(
            &["secrets=TOKEN", r#"secrets=KEY={ file = "key" }"#],
            r#"{ secrets = { TOKEN = { env = "TOKEN" }, KEY = { file = "key" } } }"#,
        );
        same(
            &["state", "jobs={ max_jobs = 3 }", "clock=frozen"],
            r#"{ state = true, jobs = { max_jobs = 3 }, clock = "frozen" }"#,
        );
        same(&["{ state = true }", "state", "args=-v", "args=3"], r#"{ state = true, args = ["-v", "3"] }"#);
        // What it is, the manifest's rules say.
        same(&["nonsense=1"], "{ nonsense = 1 }");
    }

    #[test]
    fn what_cannot_be_said_is_refused() {
        for flags in [
            &["{ state"][..],
            &["secrets=TOKEN=hunter2"],
            &["clock=frozen", "clock=real"],
            &["read=/"],
            &["read"],
            &["http"],
        ] {
            assert!(table(flags).is_err(), "{flags:?}");
        }
    }
}

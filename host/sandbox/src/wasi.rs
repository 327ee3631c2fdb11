//! What a guest finds of WASI: its streams, arguments, environment and folders.

use clockbox_core::model::{ClockRight, PluginSpec, RandomRight, SecretAs};
use serde_json::Value;
use wasmtime_wasi::{FsPerms, WasiCtx, p1::WasiP1Ctx, p2::pipe::MemoryInputPipe};
use wasmtime_wasi_config::WasiConfigVariables;

use crate::{
    PluginKind, Resolver, RunRequest, deterministic,
    log::{Journal, Std},
    sockets,
};

/// The most random bytes of one call; the host holds them beside the guest's own memory.
pub(crate) const MOST_RANDOM: u64 = 1 << 20;

/// Builds the WASI context of one run. Nothing of the host's own is inherited.
///
/// # Errors
/// When a granted folder cannot be opened; the text names the right and the folder.
pub(crate) fn context(
    spec: &PluginSpec,
    kind: PluginKind,
    request: &RunRequest,
    resolver: &Resolver,
    journal: &Journal,
) -> Result<WasiP1Ctx, String> {
    let mut wasi = WasiCtx::builder();
    sockets::grant(&mut wasi, &spec.rights, resolver, journal);
    wasi.max_random_size(MOST_RANDOM);
    wasi.stdout(journal.stream(Std::Out)).stderr(journal.stream(Std::Err));
    wasi.arg(spec.name.as_str());
    for (name, value) in &spec.rights.env {
        wasi.env(name, value);
    }
    for (name, secret) in &spec.rights.secrets {
        if secret.handed_as() == SecretAs::Env {
            wasi.env(name, secret.expose());
        }
    }
    if spec.rights.clock == ClockRight::Frozen {
        deterministic::freeze(&mut wasi, request.scheduled_at);
    }
    if spec.rights.random == RandomRight::Seeded {
        deterministic::seed(&mut wasi, request.run);
    }
    if kind != PluginKind::Job {
        for argument in &spec.rights.args {
            wasi.arg(argument);
        }
        for argument in arguments(&request.args) {
            wasi.arg(argument);
        }
        for (name, value) in facts(request) {
            wasi.env(name, value);
        }
        wasi.stdin(MemoryInputPipe::new(request.args.as_bytes().to_vec()));
    }
    for (right, folders, perms) in
        [("read", &spec.rights.read, FsPerms::ReadOnly), ("write", &spec.rights.write, FsPerms::ReadWrite)]
    {
        for (guest, host) in folders {
            if right == "read" && spec.rights.write.contains_key(guest) {
                continue;
            }
            wasi.preopened_dir(host, guest, perms).map_err(|e| {
                format!(
                    "the folder {} of the right allow.{right} ({guest:?}) cannot be opened: {e:#}",
                    host.display()
                )
            })?;
        }
    }
    Ok(wasi.build_p1())
}

/// What `wasi:config` and `context.config` answer: the plugin's config, and secrets that are handed over that way.
pub(crate) fn config(spec: &PluginSpec) -> WasiConfigVariables {
    let plain = spec.config.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let secrets = spec.rights.secrets.iter().filter(|(_, secret)| secret.handed_as() == SecretAs::Config);
    plain.chain(secrets.map(|(name, secret)| (name.as_str(), secret.expose()))).collect()
}

/// The arguments of a command after its name: none for `null`; the items of an array of strings, numbers and
/// booleans; a string as it is; anything else as JSON text, in one argument.
fn arguments(args: &str) -> Vec<String> {
    fn scalar(value: &Value) -> Option<String> {
        match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
            _ => None,
        }
    }
    let whole = || vec![args.to_owned()];
    match serde_json::from_str(args) {
        Ok(Value::Null) => Vec::new(),
        Ok(Value::String(text)) => vec![text],
        Ok(Value::Array(items)) => items.iter().map(scalar).collect::<Option<_>>().unwrap_or_else(whole),
        Ok(_) | Err(_) => whole(),
    }
}

/// The facts of the run as environment variables.
fn facts(request: &RunRequest) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("CLOCKBOX_JOB_ID", request.job.to_string()),
        ("CLOCKBOX_RUN_ID", request.run.to_string()),
        ("CLOCKBOX_ATTEMPT", request.attempt.to_string()),
        ("CLOCKBOX_SCHEDULED_AT", request.scheduled_at.to_rfc3339()),
        ("CLOCKBOX_CAUSE", request.cause.as_str().to_owned()),
    ];
    if let Some(at) = request.previous_success {
        facts.push(("CLOCKBOX_PREVIOUS_SUCCESS", at.to_rfc3339()));
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_args_become_argv() {
        let none: [&str; 0] = [];
        assert_eq!(arguments("null"), none);
        assert_eq!(arguments("[]"), none);
        assert_eq!(arguments(r#"["--dry-run", 3, true]"#), ["--dry-run", "3", "true"]);
        assert_eq!(arguments(r#""hello world""#), ["hello world"]);
        assert_eq!(arguments(r#"{"to":"a"}"#), [r#"{"to":"a"}"#]);
        assert_eq!(arguments(r#"["a", {"b": 1}]"#), [r#"["a", {"b": 1}]"#]);
    }
}

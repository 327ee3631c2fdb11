//! The sections `[webhooks.*]`: who is told of what happens.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    time::Duration,
};

use clockbox_core::model::{Event, WebhookName};

use super::{
    job_pattern::JobPattern,
    occasion::Occasion,
    pools::read_name,
    reader::{Field, TableReader},
    scheduler::read_path,
    secrets, suggest,
    surroundings::{PathKind, Surroundings},
    tree::Value,
    webhook_key::{SHORTEST, WebhookKey},
    webhook_url::WebhookUrl,
};

const EXAMPLE: &str = "{ url = \"https://hooks.example.com/clockbox\" }";
const URL: &str = "https://hooks.example.com/clockbox";

/// Who is told of what happens, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSettings {
    /// Where to.
    pub url: WebhookUrl,
    /// What it tells of.
    pub events: Vec<Occasion>,
    /// Of which jobs; none means all. Events that are about no job are told in any case.
    pub jobs: Vec<JobPattern>,
    /// What it is signed with.
    pub key: Option<WebhookKey>,
    /// The files in which its secret and address are.
    pub secret_files: Vec<PathBuf>,
    /// Certificates to trust beside those that browsers trust: a PEM file.
    pub ca_file: Option<PathBuf>,
    /// How long one try may take.
    pub timeout: Duration,
    /// How often it is tried again.
    pub retries: u32,
    /// The longest pause before the first retry; it doubles for each further one.
    pub backoff: Duration,
}

impl WebhookSettings {
    /// One to this address, that tells of failures, recoveries and misses of all jobs.
    #[must_use]
    pub fn to(url: WebhookUrl) -> Self {
        Self {
            url,
            events: vec![Occasion::Failure, Occasion::Recovery, Occasion::Miss],
            jobs: Vec::new(),
            key: None,
            secret_files: Vec::new(),
            ca_file: None,
            timeout: Duration::from_secs(10),
            retries: 10,
            backoff: Duration::from_secs(1),
        }
    }
}

/// Reads the webhooks; `jobs` are the names that the manifest declares.
pub(super) fn read(
    table: Option<TableReader<'_>>,
    folder: &Path,
    jobs: &BTreeSet<&str>,
    around: &Surroundings<'_>,
) -> BTreeMap<WebhookName, WebhookSettings> {
    let mut webhooks = BTreeMap::new();
    let Some(table) = table else { return webhooks };
    for (name, spot, field) in table.entries() {
        let id = read_name::<WebhookName>(name, spot, &field.key, table.findings);
        let settings = read_one(&field, folder, jobs, around);
        if let (Some(id), Some(settings)) = (id, settings) {
            webhooks.insert(id, settings);
        }
    }
    webhooks
}

fn read_one(
    field: &Field<'_>,
    folder: &Path,
    jobs: &BTreeSet<&str>,
    around: &Surroundings<'_>,
) -> Option<WebhookSettings> {
    let table = field.table(EXAMPLE)?;
    let url = table.field("url");
    if url.is_none() {
        table.error("the key `url` is missing", Some(format!("write url = {URL:?}")));
    }
    let mut files = Vec::new();
    let url = url.and_then(|url| read_url(&url, folder, around, &mut files));
    // What is wrong with the rest is told also where there is no address.
    let mut settings = WebhookSettings::to(WebhookUrl::nowhere());
    if let Some(field) = table.field("events") {
        settings.events = read_events(&field);
    }
    if let Some(field) = table.field("jobs") {
        settings.jobs = read_jobs(&field, jobs);
    }
    settings.key = table.field("secret").and_then(|field| read_key(&field, folder, around, &mut files));
    settings.secret_files = files;
    settings.ca_file = table.field("ca_file").and_then(|field| read_ca_file(&field, folder, around));
    if let Some(timeout) = table.field("timeout").and_then(|field| field.duration("10s")) {
        settings.timeout = timeout;
    }
    if let Some(retries) = table.field("retries").and_then(|field| field.count(0)) {
        settings.retries = retries;
    }
    if let Some(backoff) = table.field("backoff").and_then(|field| field.duration("1s")) {
        settings.backoff = backoff;
    }
    table.finish(&[
        ("to", "the key is url"),
        ("on", "the key is events"),
        ("event", "the key is events, an array"),
        ("job", "the key is jobs, an array"),
        ("token", "the key is secret = { env = \"HOOK_SECRET\" }: what it sends is signed with it"),
        ("key", "the key is secret = { env = \"HOOK_SECRET\" }: what it sends is signed with it"),
        ("retry", "write retries = 10 and backoff = \"1s\""),
        ("attempts", "the key is retries: how often it is tried again"),
    ]);
    Some(WebhookSettings { url: url?, ..settings })
}

/// The address as it is written, or as a secret holds it.
fn read_url(
    field: &Field<'_>,
    folder: &Path,
    around: &Surroundings<'_>,
    files: &mut Vec<PathBuf>,
) -> Option<WebhookUrl> {
    if let Value::Table(_) = &field.node.value {
        let secret = secrets::read_secret(field, folder, around, files)?;
        let url = secret.expose().parse();
        if url.is_err() {
            // Why is not told: it may repeat the secret.
            field.error(
                "what is kept there is not the URL of a webhook",
                Some(format!("for instance {URL:?}")),
            );
        }
        return url.ok();
    }
    let text = field.text(URL)?;
    text.parse::<WebhookUrl>().map_err(|error| field.model_error(&error, text)).ok()
}

fn read_events(field: &Field<'_>) -> Vec<Occasion> {
    let Some(items) = field.items("[\"failure\", \"recovery\", \"miss\"]") else { return Vec::new() };
    if items.is_empty() {
        field.error(
            "it would tell of nothing",
            Some("leave it out for failures, recoveries and misses".to_owned()),
        );
    }
    let words = || Occasion::WORDS.iter().map(|(word, _)| *word).chain(Event::NAMES);
    let one = |item: &Field<'_>| {
        let text = item.text("failure")?;
        let occasion = Occasion::named(text);
        if occasion.is_none() {
            let hint = match meant(text) {
                Some(word) => format!("did you mean {:?}?", word.as_str()),
                None => suggest::hint("events", text, words().collect::<Vec<_>>()),
            };
            item.error(format!("there is no event {text:?}"), Some(hint));
        }
        occasion
    };
    items.iter().filter_map(one).collect()
}

/// The word for what others name by another one, which no spelling leads to.
fn meant(text: &str) -> Option<Occasion> {
    match text {
        "fail" | "failed" | "failures" | "error" | "errors" => Some(Occasion::Failure),
        "recovered" | "resolved" => Some(Occasion::Recovery),
        "succeeded" | "ok" => Some(Occasion::Success),
        _ => None,
    }
}

fn read_jobs(field: &Field<'_>, jobs: &BTreeSet<&str>) -> Vec<JobPattern> {
    let Some(items) = field.items("[\"report\", \"backup-*\"]") else { return Vec::new() };
    if items.is_empty() {
        field.error("no job is named", Some("leave it out for all jobs".to_owned()));
    }
    let one = |item: &Field<'_>| {
        let text = item.text("backup-*")?;
        if text.is_empty() {
            item.error("no job has an empty name", Some("leave jobs out for all jobs".to_owned()));
            return None;
        }
        let pattern = JobPattern::new(text);
        if !text.contains('*') && !jobs.contains(text) {
            let near = suggest::nearest(text, jobs.iter().copied());
            let hint = near.map(|name| format!("did you mean {name:?}?"));
            let hint = hint.unwrap_or_else(|| "one may still be added while the host runs".to_owned());
            item.warn(format!("the manifest declares no job {text:?}"), Some(hint));
        }
        Some(pattern)
    };
    items.iter().filter_map(one).collect()
}

fn read_key(
    field: &Field<'_>,
    folder: &Path,
    around: &Surroundings<'_>,
    files: &mut Vec<PathBuf>,
) -> Option<WebhookKey> {
    let secret = secrets::read_secret(field, folder, around, files)?;
    match WebhookKey::new(secret.expose()) {
        Ok(key) => {
            let length = key.bytes().len();
            if length < SHORTEST {
                let hint = format!("take at least {SHORTEST}, for instance of `openssl rand -base64 32`");
                field.warn(format!("the secret has {length} bytes and may be guessed"), Some(hint));
            }
            Some(key)
        }
        Err(error) => {
            let hint = "write whsec_ and the key in base64, or any text that does not begin so";
            field.error(error.to_string(), Some(hint.to_owned()));
            None
        }
    }
}

fn read_ca_file(field: &Field<'_>, folder: &Path, around: &Surroundings<'_>) -> Option<PathBuf> {
    let path = read_path(field, "certs/internal-ca.pem", folder)?;
    let shown = path.display();
    match (around.path_kind)(&path) {
        PathKind::Absent => field.error(format!("there is no file {shown}"), None),
        PathKind::Folder => field.error(format!("{shown} is a folder"), None),
        PathKind::File | PathKind::Unknown => {}
    }
    Some(path)
}

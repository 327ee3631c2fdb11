//! What `check` says of a manifest: pure, as text for people or as JSON.

use std::fmt::Write as _;

use clockbox_core::{
    model::{Job, Source, Timestamp, WebhookName},
    trigger::{Trigger, local_time},
};
use serde_json::{Value as Json, json};

use super::{
    Loaded, Manifest, Problem, Problems, Severity, Stored, WebhookSettings, exhausted::record_of,
    problem::printable_path,
};

/// Whether the manifest and every plugin beside it is right; warnings do not count.
#[must_use]
pub fn passes(loaded: &Result<Loaded, Problems>) -> bool {
    loaded.is_ok() && problems(loaded).iter().all(|problem| problem.severity == Severity::Warning)
}

/// Every problem: errors of the manifest, or else those of refused plugins and the warnings.
fn problems(loaded: &Result<Loaded, Problems>) -> Vec<&Problem> {
    match loaded {
        Err(problems) => problems.0.iter().collect(),
        Ok(loaded) => {
            let refused = loaded.refused.iter().flat_map(|refused| &refused.problems.0);
            refused.chain(&loaded.manifest.warnings).collect()
        }
    }
}

/// `1 job`, `2 jobs`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// The outcome of a check for people: first the problems, each with its source line, then what was loaded, with what
/// each job's trigger means and its next fire after `now`, by what is `stored` of it.
#[must_use]
pub fn report(loaded: &Result<Loaded, Problems>, stored: &Stored, now: Timestamp) -> String {
    let problems = problems(loaded);
    let mut text: String = problems.iter().map(|problem| problem.render()).collect();
    if !text.is_empty() {
        text.push('\n');
    }
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
    let warnings = problems.len() - errors;
    if let Ok(loaded) = loaded {
        describe(&mut text, &loaded.manifest, stored, now);
        for refused in &loaded.refused {
            let jobs: Vec<&str> = refused.jobs.iter().map(|id| id.as_str()).collect();
            let without =
                if jobs.is_empty() { String::new() } else { format!("; jobs left out: {}", jobs.join(", ")) };
            // Writing to a String cannot fail.
            let _ = writeln!(text, "refused: {}{without}", printable_path(&refused.path));
        }
    }
    let verdict = match (errors, warnings) {
        (0, 0) => "ok".to_owned(),
        (0, warnings) => format!("ok, {}", count(warnings, "warning")),
        (errors, 0) => count(errors, "error"),
        (errors, warnings) => format!("{}, {}", count(errors, "error"), count(warnings, "warning")),
    };
    text.push_str(&verdict);
    text.push('\n');
    text
}

fn describe(text: &mut String, manifest: &Manifest, stored: &Stored, now: Timestamp) {
    let given = if manifest.scheduler.timezone_given { "" } else { " (none is given)" };
    let webhooks = match manifest.webhooks.len() {
        0 => String::new(),
        some => format!(", {}", count(some, "webhook")),
    };
    let _ = writeln!(
        text,
        "{}: {}, {}, {}{webhooks}; time zone {}{given}",
        manifest.path.display(),
        count(manifest.jobs.len(), "job"),
        count(manifest.plugins.len(), "plugin"),
        count(manifest.pools.len(), "pool"),
        manifest.scheduler.timezone,
    );
    let width = manifest.declared.keys().map(|id| id.as_str().chars().count()).max().unwrap_or_default();
    for (id, declared) in &manifest.declared {
        let id = id.as_str();
        match manifest.jobs.get(id) {
            Some(job) => {
                let trigger = trigger_of(job, stored);
                let by_hand = if trigger == &job.trigger { "" } else { " (rescheduled by hand)" };
                let next = next_fire(job, stored, now);
                let _ = writeln!(text, "  {id:width$}  {}{by_hand}; {next}", trigger.describe());
            }
            None if !declared.enabled => _ = writeln!(text, "  {id:width$}  disabled"),
            None => {}
        }
    }
}

fn next_fire(job: &Job, stored: &Stored, now: Timestamp) -> String {
    if record_of(job, stored).is_some_and(|record| record.paused.is_some()) {
        return "paused".to_owned();
    }
    match coming(job, stored, now) {
        Some(next) => {
            let time = local_time(next, trigger_of(job, stored).zone()).format("%Y-%m-%d %H:%M:%S %:z");
            if next < now { format!("due since {time}") } else { format!("next {time}") }
        }
        None => "fires no more".to_owned(),
    }
}

/// The trigger in force: the declared one, unless it was changed by hand.
fn trigger_of<'a>(job: &'a Job, stored: &'a Stored) -> &'a Trigger {
    record_of(job, stored).map_or(&job.trigger, |record| &record.job.trigger)
}

/// The next fire, as the store has it or as it would be for a new job.
fn coming(job: &Job, stored: &Stored, now: Timestamp) -> Option<Timestamp> {
    match record_of(job, stored) {
        Some(record) if !record.job.trigger.fires_at_start() => record.next_fire,
        _ => job.trigger.next_after(None, now),
    }
}

/// The same as one JSON object.
#[must_use]
pub fn report_json(loaded: &Result<Loaded, Problems>, stored: &Stored, now: Timestamp) -> Json {
    let problems: Vec<Json> = problems(loaded).into_iter().map(|problem| json!(problem)).collect();
    let mut report = json!({ "ok": passes(loaded), "problems": problems });
    if let (Ok(loaded), Some(report)) = (loaded, report.as_object_mut()) {
        let manifest = &loaded.manifest;
        let jobs: Vec<Json> =
            manifest.jobs.values().map(|job| job_json(manifest, job, stored, now)).collect();
        let disabled = manifest.declared.iter().filter(|(_, declared)| !declared.enabled);
        let plugins: Vec<Json> = manifest
            .plugins
            .values()
            .map(|plugin| json!({ "name": plugin.name, "path": plugin.path.display().to_string() }))
            .collect();
        report.extend([
            ("manifest".to_owned(), json!(manifest.path.display().to_string())),
            ("timezone".to_owned(), json!(manifest.scheduler.timezone.name())),
            ("jobs".to_owned(), Json::Array(jobs)),
            ("disabled".to_owned(), disabled.map(|(id, _)| json!(id)).collect()),
            ("plugins".to_owned(), Json::Array(plugins)),
            ("pools".to_owned(), manifest.pools.values().map(|pool| json!(pool)).collect()),
            ("webhooks".to_owned(), manifest.webhooks.iter().map(webhook_json).collect()),
        ]);
    }
    report
}

fn webhook_json((name, hook): (&WebhookName, &WebhookSettings)) -> Json {
    let events: Vec<&str> = hook.events.iter().map(|occasion| occasion.as_str()).collect();
    json!({ "name": name, "origin": hook.url.origin(), "events": events })
}

fn job_json(manifest: &Manifest, job: &Job, stored: &Stored, now: Timestamp) -> Json {
    let declared = manifest.declared.get(&job.id);
    let trigger = trigger_of(job, stored);
    let next = coming(job, stored, now).map(|next| local_time(next, trigger.zone()).to_rfc3339());
    json!({
        "id": job.id,
        "plugin": job.plugin,
        "pool": job.pool,
        "source": if job.source == Source::Folder { "folder" } else { "manifest" },
        "declared_at": declared.map(|declared| declared.place.to_string()),
        "description": declared.and_then(|declared| declared.description.as_deref()),
        "trigger": trigger.describe(),
        "timezone": trigger.zone().name(),
        "next_fire": next,
        "paused": record_of(job, stored).is_some_and(|record| record.paused.is_some()),
    })
}

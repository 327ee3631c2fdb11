//! The interface `clockbox:jobs/control`.

use std::sync::Arc;

use clockbox_core::model::{
    Adder, Conflict, JobChange, JobId, JobRecord, JobsReach, JobsRight, Pause, PluginName, Source,
};
use serde::de::IgnoredAny;

use super::{Jobs, MOST_LOOKED_AT, show::show};
use crate::{
    bindings::clockbox::jobs::control::{self, Error, Host},
    guest::Guest,
    log::clean,
    request::{JobDraft, JobView},
};

/// The most bytes of a job's description, or of arguments.
const MOST_TEXT: usize = 64 << 10;
/// The longest note, in characters.
const LONGEST_NOTE: usize = 500;

impl Guest {
    /// How far the right of this run goes.
    pub(crate) fn jobs_reach(&self, right: &JobsRight) -> JobsReach {
        let plugin = self.facts.spec.name.clone();
        let plugins = right.plugins.iter().cloned().chain([plugin.clone()]).collect();
        let by = Adder { job: self.facts.request.job.clone(), plugin };
        JobsReach { by, plugins, max_jobs: right.max_jobs }
    }

    fn jobs(&mut self) -> &mut Jobs {
        self.jobs.get_or_insert_default()
    }

    fn jobs_right(&self) -> Result<(JobsRight, JobsReach), Error> {
        match &self.facts.spec.rights.jobs {
            Some(right) => Ok((right.clone(), self.jobs_reach(right))),
            None => Err(Error::Denied("the right allow.jobs is not granted to this job".to_owned())),
        }
    }

    /// What the host knows of a job, asked once for each name.
    async fn look(&mut self, name: &JobId) -> Result<&JobView, Error> {
        if !self.jobs().looked_at.contains_key(name) {
            if self.jobs().looked_at.len() >= MOST_LOOKED_AT {
                return Err(Error::TooMany(format!("a run may look at {MOST_LOOKED_AT} jobs at most")));
            }
            let plugin = self.facts.spec.name.clone();
            let view = self.facts.sink.job(name.clone(), plugin).await.map_err(Error::Unavailable)?;
            self.jobs().looked_at.insert(name.clone(), view);
        }
        self.jobs().looked_at.get(name).ok_or_else(|| Error::Other("the host forgot the job".to_owned()))
    }

    /// The right, and a name that was looked at.
    async fn begin(&mut self, name: &str) -> Result<(JobId, JobsRight, JobsReach), Error> {
        let (right, reach) = self.jobs_right()?;
        let name = JobId::new(name).map_err(|error| Error::Invalid(error.to_string()))?;
        self.look(&name).await?;
        Ok((name, right, reach))
    }

    fn check_rate(&self, right: &JobsRight) -> Result<(), Error> {
        if self.job_rate.admit(self.facts.sink.now(), right.per_minute) {
            return Ok(());
        }
        Err(Error::TooMany(format!(
            "runs of plugin {:?} have asked for {} changes within a minute, and no more are granted \
             (allow.jobs.per_minute)",
            self.facts.spec.name.as_str(),
            right.per_minute
        )))
    }

    fn check_plugin(plugin: &PluginName, reach: &JobsReach) -> Result<(), Error> {
        if reach.plugins.contains(plugin) {
            return Ok(());
        }
        Err(Error::Denied(format!(
            "jobs of plugin {:?} are not granted (allow.jobs.plugins)",
            plugin.as_str()
        )))
    }

    fn check_text(text: &str) -> Result<(), Error> {
        if text.len() <= MOST_TEXT {
            return Ok(());
        }
        Err(Error::Invalid(format!("the text has {} bytes and {MOST_TEXT} are allowed", text.len())))
    }

    /// Tells the run's log of what was refused, and how it could be granted.
    fn told<T>(&self, answer: Result<T, Error>) -> Result<T, Error> {
        if let Err(Error::Denied(why) | Error::TooMany(why)) = &answer {
            self.journal.refuse(format!("change of jobs refused: {why}"));
        }
        answer
    }

    async fn add_job(&mut self, name: &str, text: &str, on_conflict: control::Conflict) -> Result<(), Error> {
        let (name, right, reach) = self.begin(name).await?;
        Self::check_text(text)?;
        let draft = JobDraft {
            name: name.clone(),
            plugin: reach.by.plugin.clone(),
            source: Source::Job(Box::new(reach.by.clone())),
            keys: text,
            pools: &self.look(&name).await?.pools.clone(),
        };
        let job = self.facts.sink.read_job(draft).map_err(Error::Invalid)?;
        Self::check_plugin(&job.plugin, &reach)?;
        let conflict = match on_conflict {
            control::Conflict::Error => Conflict::Error,
            control::Conflict::Replace => Conflict::Replace,
            control::Conflict::Ignore => Conflict::Ignore,
        };
        self.check_rate(&right)?;
        self.jobs().add(job, conflict, &reach)
    }

    async fn modify_job(&mut self, name: &str, text: &str) -> Result<(), Error> {
        let (name, right, reach) = self.begin(name).await?;
        Self::check_text(text)?;
        let record = self.jobs().own(&name, &reach)?.clone();
        let pools = self.look(&name).await?.pools.clone();
        let patch = self.facts.sink.read_changes(&record.job, text, &pools).map_err(Error::Invalid)?;
        let job = patch.clone().apply(&record.job);
        Self::check_plugin(&job.plugin, &reach)?;
        self.check_rate(&right)?;
        self.jobs().push(JobChange::Modify { job: name.clone(), patch: Box::new(patch) })?;
        self.jobs().changed.insert(name, Some(JobRecord { job: Arc::new(job), ..record }));
        Ok(())
    }

    async fn pause_job(&mut self, name: &str, note: Option<String>) -> Result<(), Error> {
        let (name, right, reach) = self.begin(name).await?;
        let mut record = self.jobs().seen(&name, &reach)?.clone();
        self.check_rate(&right)?;
        let note = note.map(|note| clean(&note).chars().take(LONGEST_NOTE).collect::<String>());
        let by = Some(format!("the job {}", reach.by.job));
        record
            .paused
            .get_or_insert_with(|| Box::new(Pause { at: self.facts.sink.now(), by, note: note.clone() }));
        self.jobs().push(JobChange::Pause { job: name.clone(), note })?;
        self.jobs().changed.insert(name, Some(record));
        Ok(())
    }

    async fn resume_job(&mut self, name: &str) -> Result<(), Error> {
        let (name, right, reach) = self.begin(name).await?;
        let mut record = self.jobs().seen(&name, &reach)?.clone();
        self.check_rate(&right)?;
        record.paused = None;
        self.jobs().push(JobChange::Resume(name.clone()))?;
        self.jobs().changed.insert(name, Some(record));
        Ok(())
    }

    async fn remove_job(&mut self, name: &str) -> Result<(), Error> {
        let (name, right, reach) = self.begin(name).await?;
        let record = self.jobs().own(&name, &reach)?;
        let is_ours = matches!(&record.job.source, Source::Job(adder) if adder.plugin == reach.by.plugin);
        self.check_rate(&right)?;
        self.jobs().push(JobChange::Remove(name.clone()))?;
        self.jobs().more -= i64::from(is_ours);
        self.jobs().changed.insert(name, None);
        Ok(())
    }

    async fn run_job(&mut self, name: &str, args: Option<String>) -> Result<(), Error> {
        let (name, right, reach) = self.begin(name).await?;
        self.jobs().seen(&name, &reach)?;
        if let Some(args) = &args {
            Self::check_text(args)?;
            serde_json::from_str::<IgnoredAny>(args)
                .map_err(|error| Error::Invalid(format!("the arguments are not JSON: {error}")))?;
        }
        self.check_rate(&right)?;
        self.jobs().push(JobChange::Run { job: name, args })
    }

    async fn list_jobs(&mut self) -> Result<Vec<String>, Error> {
        let (_, reach) = self.jobs_right()?;
        if self.jobs().names.is_none() {
            let plugins = reach.plugins.iter().cloned().collect();
            let names = self.facts.sink.jobs(plugins).await.map_err(Error::Unavailable)?;
            self.jobs().names = Some(names.into_iter().collect());
        }
        Ok(self.jobs().names(&reach))
    }

    async fn show_job(&mut self, name: &str) -> Result<Option<String>, Error> {
        let (name, _, reach) = self.begin(name).await?;
        Ok(self.jobs().seen(&name, &reach).ok().map(show))
    }
}

impl Host for Guest {
    async fn add(&mut self, name: String, job: String, on_conflict: control::Conflict) -> Result<(), Error> {
        let answer = self.add_job(&name, &job, on_conflict).await;
        self.told(answer)
    }

    async fn modify(&mut self, name: String, changes: String) -> Result<(), Error> {
        let answer = self.modify_job(&name, &changes).await;
        self.told(answer)
    }

    async fn pause(&mut self, name: String, note: Option<String>) -> Result<(), Error> {
        let answer = self.pause_job(&name, note).await;
        self.told(answer)
    }

    async fn resume(&mut self, name: String) -> Result<(), Error> {
        let answer = self.resume_job(&name).await;
        self.told(answer)
    }

    async fn remove(&mut self, name: String) -> Result<(), Error> {
        let answer = self.remove_job(&name).await;
        self.told(answer)
    }

    async fn run(&mut self, name: String, args: Option<String>) -> Result<(), Error> {
        let answer = self.run_job(&name, args).await;
        self.told(answer)
    }

    async fn list(&mut self) -> Result<Vec<String>, Error> {
        let answer = self.list_jobs().await;
        self.told(answer)
    }

    async fn get(&mut self, name: String) -> Result<Option<String>, Error> {
        let answer = self.show_job(&name).await;
        self.told(answer)
    }
}

//! The reloader: a thread that turns changed files into a change of the scheduler.

use std::{
    collections::BTreeSet,
    io,
    path::PathBuf,
    sync::{Arc, mpsc},
    time::Duration,
};

use clockbox_core::{
    model::{Event, Job, PluginName},
    timetable::Change,
};

use super::{
    Loader,
    askers::{Askers, Asking},
    fingerprint::Fingerprint,
    provenance::provenance,
    watch::{Wake, Watch, folders_of},
};
use crate::{
    clock::Stopwatch,
    in_force::InForce,
    manifest::{self, FILE_NAME, Loaded, Manifest, Overrides, Problem},
    reload_answer::{ReloadAnswer, Reloaded, Reloading},
    scheduler::{Message, Reload, Reply, Scheduler},
    webhooks,
};

/// Files that changed are left alone until nothing has changed for so long.
const QUIET: Duration = Duration::from_millis(150);
/// After a look that found nothing changed, the next one is not sooner: the folders may be full of other files.
const LULL: Duration = Duration::from_millis(20);
/// A stream of changes is not waited for longer than so many looks.
const LOOKS: u32 = 10;

/// Keeps a scheduler in step with its manifest.
pub struct Reloader {
    path: PathBuf,
    overrides: Overrides,
    current: Manifest,
    loader: Loader,
    scheduler: Scheduler,
    /// Where compiled plugins are kept.
    cache_dir: Option<PathBuf>,
    /// What is told of other webhooks.
    webhooks: Option<Box<dyn Fn(webhooks::Settings) + Send>>,
    /// What is told to those who ask what the host goes by.
    settings: Option<InForce>,
    /// Something was refused, and nobody has been told yet that it is well again.
    is_rejected: bool,
    /// Whoever asked for a reload.
    askers: Askers,
}

/// Why a reloader reads everything again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    /// It has just started: what changed since the scheduler's start was read is not to be missed.
    Started,
    /// A file changed.
    Changed,
    /// Somebody asked for it, and waits for an answer.
    Asked,
}

/// The way to a reloader's thread; dropping it ends the thread.
pub struct Handle {
    wakes: mpsc::Sender<Wake>,
    asking: Asking,
    ended: mpsc::Receiver<()>,
}

impl Handle {
    /// Asks for a reload now. What comes of it is also told by an event.
    pub fn reload(&self) -> Reloading {
        ask(&self.asking, &self.wakes)
    }

    /// What asks for a reload, to be handed on.
    pub(crate) fn asker(&self) -> impl Fn() -> Reloading + Send + Sync + 'static {
        let (asking, wakes) = (self.asking.clone(), self.wakes.clone());
        move || ask(&asking, &wakes)
    }

    /// Ends the thread and waits until it has let go of the scheduler, or until `patience` is over: it may be compiling
    /// a large plugin.
    pub fn stop(self, patience: Duration) {
        _ = self.wakes.send(Wake::Stop);
        // Nothing is ever sent: the thread drops its end.
        _ = self.ended.recv_timeout(patience);
    }
}

fn ask(asking: &Asking, wakes: &mpsc::Sender<Wake>) -> Reloading {
    let reloading = asking.ask();
    // An error means that the thread has ended, and the scheduler with it: the asker hears that as well.
    _ = wakes.send(Wake::Demand);
    reloading
}

impl Drop for Handle {
    fn drop(&mut self) {
        _ = self.wakes.send(Wake::Stop);
    }
}

impl Reloader {
    /// A reloader of a scheduler in which the jobs of `current`, read from `path`, are in force, those that the start
    /// kept as they were included, and the plugins that `loader` loaded last.
    #[must_use]
    pub fn new(
        path: PathBuf,
        overrides: Overrides,
        current: Manifest,
        loader: Loader,
        scheduler: Scheduler,
    ) -> Self {
        Self {
            path,
            overrides,
            current,
            loader,
            scheduler,
            cache_dir: None,
            webhooks: None,
            settings: None,
            is_rejected: false,
            askers: Askers::new(),
        }
    }

    /// Where compiled plugins are kept: no plugin should be granted that folder.
    #[must_use]
    pub fn with_cache_dir(mut self, folder: Option<PathBuf>) -> Self {
        self.cache_dir = folder;
        self
    }

    /// Who sends the webhooks, and is to be told of other ones.
    #[must_use]
    pub fn with_webhooks(mut self, set: impl Fn(webhooks::Settings) + Send + 'static) -> Self {
        self.webhooks = Some(Box::new(set));
        self
    }

    /// What is told to those who ask what the host goes by.
    #[must_use]
    pub(crate) fn with_settings(mut self, settings: InForce) -> Self {
        self.settings = Some(settings);
        self
    }

    /// Whether the start had something to refuse, so that its end is told as well.
    #[must_use]
    pub fn after_problems(mut self, any: bool) -> Self {
        self.is_rejected = any;
        self
    }

    /// Starts the thread. Without `watch` it reloads on demand only.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(mut self, watch: bool) -> io::Result<Handle> {
        let mut watcher = Watch::new(watch);
        let (end, ended) = mpsc::channel();
        let handle = Handle { wakes: watcher.waker(), asking: self.askers.asking(), ended };
        std::thread::Builder::new().name("clockbox-reload".into()).spawn(move || {
            self.run(&mut watcher, watch);
            drop(self);
            drop(end);
        })?;
        Ok(handle)
    }

    fn run(&mut self, watch: &mut Watch, enabled: bool) {
        let (folders, files) = self.places();
        watch.set(folders.clone());
        let mut seen = Fingerprint::take(&folders, &files);
        if enabled {
            self.look(Why::Started);
        }
        loop {
            match watch.next(enabled) {
                Wake::Stop => return,
                // A look that began meanwhile has answered.
                Wake::Demand if self.askers.is_empty() => continue,
                Wake::Demand => {}
                Wake::Look => {
                    let (folders, files) = self.places();
                    if Fingerprint::take(&folders, &files) == seen {
                        if !watch.pause(LULL) {
                            return;
                        }
                        continue;
                    }
                }
            }
            let Some(now) = self.settled(watch) else { return };
            seen = now;
            self.look(Why::Changed);
            watch.set(self.places().0);
        }
    }

    /// Looks at the files, and answers whoever asked for that before. What is told to others of an earlier look is no answer
    /// to him.
    fn look(&mut self, why: Why) {
        let askers = self.askers.take();
        let why = if askers.is_empty() { why } else { Why::Asked };
        if why == Why::Asked {
            self.loader.forget_refusals();
        }
        // Nothing is sent where the scheduler has stopped, and nobody may wait for it any more.
        if let Some(answer) = self.reload(why) {
            askers.into_iter().for_each(|asker| _ = asker.send(answer.clone()));
        }
    }

    /// The files' state once it no longer changes; `None` when the reloader is to end.
    fn settled(&self, watch: &mut Watch) -> Option<Fingerprint> {
        let (folders, files) = self.places();
        let mut last = Fingerprint::take(&folders, &files);
        for _ in 0..LOOKS {
            if !watch.pause(QUIET) {
                return None;
            }
            let now = Fingerprint::take(&folders, &files);
            if now == last {
                break;
            }
            last = now;
        }
        Some(last)
    }

    /// The folders and files that matter, symbolic links' targets included.
    fn places(&self) -> (BTreeSet<PathBuf>, BTreeSet<PathBuf>) {
        let mut files: BTreeSet<PathBuf> =
            self.current.plugins.values().map(|plugin| plugin.path.clone()).collect();
        files.insert(self.manifest());
        let mut folders: BTreeSet<PathBuf> = files.iter().flat_map(|file| folders_of(file)).collect();
        folders.insert(self.current.scheduler.plugin_dir.clone());
        (folders, files)
    }

    /// What is said of a manifest that has nothing in it any more: most likely somebody is about to write it.
    fn emptied(&self) -> Option<String> {
        let manifest = self.manifest();
        let is_empty = std::fs::metadata(&manifest).is_ok_and(|meta| meta.len() == 0);
        (is_empty && !self.current.jobs.is_empty()).then(|| {
            format!(
                "{}: the file is empty, as one is that is being written\n  hint: to have no jobs, write a comment into it, such as # no jobs",
                manifest.display()
            )
        })
    }

    /// The file of the manifest.
    fn manifest(&self) -> PathBuf {
        if self.path.is_dir() { self.path.join(FILE_NAME) } else { self.path.clone() }
    }

    /// Reads everything again and puts it in force, or refuses it. No answer where the scheduler has stopped.
    fn reload(&mut self, why: Why) -> Option<ReloadAnswer> {
        let watch = Stopwatch::start();
        let (folders, files) = self.places();
        if let Some(problem) = self.emptied() {
            return Some(Err(self.reject(vec![problem])));
        }
        let then = Fingerprint::take(&folders, &files);
        let loaded = manifest::load_again(&self.current, &self.path, &self.overrides, &super::description);
        let loaded = match loaded {
            Ok(loaded) => loaded,
            Err(problems) => {
                return Some(Err(self.reject(problems.0.iter().map(ToString::to_string).collect())));
            }
        };
        let Loaded { manifest: mut new, refused } = loaded;
        let mut problems: Vec<String> =
            refused.iter().flat_map(|refused| &refused.problems.0).map(ToString::to_string).collect();
        // What a refused file declared before stays in force, plugin and jobs alike.
        let kept: BTreeSet<PluginName> = refused.iter().flat_map(|refused| refused.plugins.clone()).collect();
        for (name, spec) in &self.current.plugins {
            if kept.contains(name) {
                new.plugins.entry(name.clone()).or_insert_with(|| spec.clone());
            }
        }
        new.keep_jobs(self.current.jobs.values(), &kept);
        let held = self.loader.last(&kept);
        tracing::debug!("the manifest was read after {:.1?}", watch.elapsed());
        let mut plugins = self.loader.load(&new);
        problems.extend(plugins.problems.iter().map(ToString::to_string));
        // A file that is no good plugin now cannot say what it says of its jobs either: they stay as they are. Nor can one
        // that changed meanwhile: what was read of its jobs may be of one version, its code of another. It is looked at again.
        let now = Fingerprint::take(&folders, &files);
        let changing = new.plugins.iter().filter(|(_, spec)| now.differs_at(&spec.path, &then));
        let broken = plugins.problems.iter().map(|problem| &problem.plugin);
        let broken = broken.chain(changing.map(|(name, _)| name)).cloned().collect();
        new.keep_jobs(self.current.jobs.values(), &broken);
        self.loader.keep(&held);
        plugins.plugins.extend(held);
        let is_same = new == self.current && plugins.replaced.is_empty();
        tracing::debug!("the plugins were read, and all was compared, after {:.1?}", watch.elapsed());
        if is_same && why != Why::Asked {
            self.settle(why, &problems);
            return Some(Ok(Reloaded { problems, ..Reloaded::default() }));
        }
        let now = self.scheduler.clock().now();
        for (name, plugin) in plugins.replaced.iter().filter_map(|name| plugins.plugins.get_key_value(name)) {
            tracing::info!("plugin {:?} was loaded anew: {}", name.as_str(), provenance(plugin, now));
        }

        if new.store != self.current.store {
            tracing::warn!(
                "the store cannot be changed while the host runs; the new one is used at the next start"
            );
        }
        let (old, next) = (&self.current.scheduler, &new.scheduler);
        if (old.history, old.shutdown_grace, &old.cache_dir, &old.compile)
            != (next.history, next.shutdown_grace, &next.cache_dir, &next.compile)
        {
            tracing::warn!(
                "history, shutdown_grace, cache_dir and compile of [scheduler] are read when the host starts: what they say now \
                 counts from the next start on"
            );
        }
        self.scheduler.set_defaults(new.defaults.clone());
        let (change, mut told) = change(&self.current, &new);
        let Reloaded { added, changed, removed, .. } = told;
        let event = Event::Reloaded { added, changed, removed, refused: problems.len() };
        let put = change.put.clone();
        let (reply_to, reply) = Reply::channel();
        let reload = Reload { plugins: plugins.into_works(&refused), change, event, reply: reply_to };
        self.scheduler.inbox().send(Message::Reload(Box::new(reload)));
        if let Err(error) = reply.wait() {
            tracing::error!("the reload did not take effect: {error}");
            return None;
        }
        tracing::debug!("the change was in force after {:.1?}", watch.elapsed());
        for (name, spec) in &new.plugins {
            if self
                .current
                .plugins
                .get(name)
                .is_some_and(|old| old.rights != spec.rights || old.limits != spec.limits)
            {
                tracing::info!("plugin {:?} has other rights or limits from now on", name.as_str());
            }
        }
        self.set_webhooks(&new);
        self.warn_of_exhausted(&new, &put);
        self.warn_of_exposed(&new);
        if let Some(settings) = &self.settings {
            settings.reloaded(&new);
        }
        self.current = new;
        self.settle(why, &problems);
        told.problems = problems;
        Some(Ok(told))
    }

    /// Webhooks of now are told of what happens from now on.
    fn set_webhooks(&self, new: &Manifest) {
        let changes = new.diff(&self.current).webhooks;
        let Some(set) = self.webhooks.as_ref().filter(|_| !changes.is_empty()) else { return };
        set(new.webhooks.clone());
        let (added, changed, removed) = (changes.added.len(), changes.changed.len(), changes.removed.len());
        tracing::info!("reloaded: webhooks +{added} ~{changed} -{removed}");
    }

    /// Jobs that are new or changed and will never fire are told: they do no harm, but are hardly what was meant.
    fn warn_of_exhausted(&self, new: &Manifest, put: &[Arc<Job>]) {
        let ids = put.iter().map(|job| job.id.clone()).collect();
        let Ok(records) = self.scheduler.records_of(ids).wait() else { return };
        let stored = records.into_iter().map(|record| (record.job.id.clone(), record)).collect();
        let problems = new.exhausted_of(put, &stored, self.scheduler.clock().now());
        manifest::warn_of(problems.iter().map(|(_, problem)| problem));
    }

    /// Grants that are new or changed, and put what the host relies on into a plugin's hands.
    fn warn_of_exposed(&self, new: &Manifest) {
        let problems = new.exposed(self.cache_dir.as_deref());
        if problems.is_empty() {
            return;
        }
        let known = self.current.exposed(self.cache_dir.as_deref());
        // A line that has moved is no news.
        let what = |problem: &Problem| (problem.key.clone(), problem.message.clone());
        let is_new = |problem: &&Problem| !known.iter().any(|old| what(old) == what(problem));
        manifest::warn_of(problems.iter().filter(is_new));
    }

    /// What is wrong is told, and that nothing is wrong any more.
    fn settle(&mut self, why: Why, problems: &[String]) {
        if !problems.is_empty() {
            match why {
                // The start has told of them already.
                Why::Started if self.is_rejected => {}
                _ => drop(self.reject(problems.to_vec())),
            }
        } else if std::mem::take(&mut self.is_rejected) {
            tracing::info!("the problems are gone: what is loaded is what the files say");
        }
    }

    /// Tells everybody what was refused, and answers with it.
    fn reject(&mut self, problems: Vec<String>) -> Vec<String> {
        self.is_rejected = true;
        let event = Event::ReloadRejected { problems: problems.clone() };
        self.scheduler.inbox().send(Message::Publish(event));
        problems
    }
}

/// What the scheduler is to change, and how much that is.
fn change(old: &Manifest, new: &Manifest) -> (Change, Reloaded) {
    let (mut put, mut remove, mut added) = (Vec::new(), Vec::new(), 0);
    for (id, before, after) in manifest::side_by_side(&old.jobs, &new.jobs) {
        match (before, after) {
            // Most are the very same.
            (Some(before), Some(after)) if Arc::ptr_eq(before, after) || before == after => {}
            (_, Some(job)) => {
                added += usize::from(before.is_none());
                put.push(Arc::clone(job));
            }
            (_, None) => remove.push(id.clone()),
        }
    }
    let told = Reloaded { added, changed: put.len() - added, removed: remove.len(), problems: Vec::new() };
    // A pool that was resized by hand stays so until the manifest says something new about it.
    let pools = new.pools.iter().filter(|(name, pool)| old.pools.get(*name) != Some(*pool));
    (Change { pools: pools.map(|(_, pool)| pool.clone()).collect(), put, remove }, told)
}

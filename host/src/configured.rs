//! A scheduler as a manifest configures it, inside a program.

use std::path::Path;

use crate::{
    Builder, Clock,
    manifest::{self, Manifest, Overrides, Problems},
    reload,
    sandbox::SandboxOptions,
};

impl Builder {
    /// Takes everything from a manifest that a scheduler has: store, time zone, defaults, pools, plugins, jobs, history and
    /// grace. What is said before or after it in code is added, and wins where it comes after; functions of the program can
    /// do the work of the manifest's jobs if they have the names of plugins that it declares.
    ///
    /// `[server]` and `[webhooks]` are not among it: see [`Control`](crate::control::Control) and
    /// [`Webhooks`](crate::webhooks::Webhooks). Unlike in `clockbox run`, a plugin that cannot be
    /// loaded keeps the scheduler from starting, and files are not watched.
    ///
    /// [`manifest_file`](Self::manifest_file) reads it, too.
    pub fn manifest(self, manifest: &Manifest) -> Self {
        let settings = &manifest.scheduler;
        let slots = manifest.pools.values().fold(0_u32, |sum, pool| sum.saturating_add(pool.max_instances));
        let usual = SandboxOptions::default();
        let options = SandboxOptions {
            cache_dir: settings.cache_dir.clone(),
            compile: settings.compile.clone(),
            max_instances: usual.max_instances.max(slots.saturating_mul(2).min(20_000)),
            clock: Some(|| Clock::system().now()),
            ..usual
        };
        let builder = self
            .store_in(&manifest.store.url, manifest.folder())
            .defaults(manifest.defaults.clone())
            .history(settings.history)
            .shutdown_grace(settings.shutdown_grace)
            .sandbox(options)
            .declared(manifest.jobs.values().cloned());
        let builder = manifest.pools.values().cloned().fold(builder, Self::pool);
        manifest.plugins.values().cloned().fold(builder, Self::plugin_spec)
    }

    /// The same of a manifest file, or of the folder that holds `clockbox.toml`, with values laid over it.
    ///
    /// ```
    /// use clockbox::{Scheduler, manifest::Overrides};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let folder = folder.path();
    /// std::fs::write(folder.join("clockbox.toml"), "[store]\nurl = 'memory:'")?;
    /// let overrides = Overrides::from_env(std::env::vars_os()).with_flag("pools.default.max_instances=5");
    /// let scheduler = Scheduler::builder().manifest_file(folder, &overrides)?.start()?;
    /// assert_eq!(scheduler.pools().wait()?[0].pool.max_instances, 5);
    /// # scheduler.shutdown(std::time::Duration::ZERO).wait()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// With every problem of the manifest, the values and the plugins' own words.
    pub fn manifest_file(self, path: impl AsRef<Path>, overrides: &Overrides) -> Result<Self, Problems> {
        let loaded = manifest::load(path.as_ref(), overrides, &reload::description)?;
        Ok(self.manifest(&loaded.whole()?))
    }
}

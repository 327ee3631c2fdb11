//! What is remembered of a manifest, so that a job whose section has not changed is not read again.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use clockbox_core::model::{JobId, PluginName};

use super::{
    jobs::Defaults,
    sections::{Parts, Section},
    site::Declaration,
};

/// All that a job is read against, apart from its own section.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Context {
    pub(super) defaults: Defaults,
    pub(super) plugins: Vec<PluginName>,
    /// Jobs that plugins describe: what is said of them stands in more places than one.
    pub(super) described: BTreeSet<JobId>,
}

/// What is remembered of a manifest: nothing, unless it was read in parts.
#[derive(Clone, Default)]
pub(super) struct Known(Option<Arc<Memory>>);

/// All jobs of a manifest, with the text that declares them.
pub(super) struct Memory {
    text: Arc<str>,
    context: Context,
    jobs: BTreeMap<JobId, Declaration>,
}

impl Known {
    pub(super) fn new(text: Arc<str>, context: Context, jobs: BTreeMap<JobId, Declaration>) -> Self {
        Self(Some(Arc::new(Memory { text, context, jobs })))
    }

    /// What counts in this context: nothing, if it is another one than then.
    pub(super) fn within(&self, context: &Context) -> Option<&Memory> {
        self.0.as_deref().filter(|memory| memory.context == *context)
    }
}

impl Memory {
    /// The job of a section, where the same text declared it.
    pub(super) fn find(&self, parts: &Parts<'_>, section: &Section<'_>) -> Option<(&JobId, &Declaration)> {
        let (id, job) = self.jobs.get_key_value(section.name())?;
        let known = self.text.get(job.section.clone()?)?;
        (known == &parts.text[section.range.clone()]).then_some((id, job))
    }
}

/// Two manifests are the same when they say the same, however much is remembered of them.
impl PartialEq for Known {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Known")
    }
}

//! Names of jobs with stars in them.

use std::fmt;

/// A name of jobs, in which `*` stands for any characters.
///
/// ```
/// use clockbox::manifest::JobPattern;
/// let pattern = JobPattern::new("backup-*-eu");
/// assert!(pattern.matches("backup-db-eu") && pattern.matches("backup--eu"));
/// assert!(!pattern.matches("backup-eu") && !pattern.matches("backup-db-us"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobPattern(String);

impl JobPattern {
    /// A pattern of this text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether a job is meant.
    #[must_use]
    pub fn matches(&self, job: &str) -> bool {
        let Some((first, rest)) = self.0.split_once('*') else { return self.0 == job };
        let Some(mut left) = job.strip_prefix(first) else { return false };
        let mut parts: Vec<&str> = rest.split('*').collect();
        let last = parts.pop().unwrap_or_default();
        // Each part as early as it comes leaves most for those behind it.
        for part in parts {
            match left.find(part) {
                Some(at) => left = &left[at + part.len()..],
                None => return false,
            }
        }
        left.ends_with(last)
    }
}

impl fmt::Display for JobPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

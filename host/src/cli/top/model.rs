//! What `top` knows: of the host, and of what is chosen on the screen.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use clockbox_core::model::{Event, Timestamp};
use serde::Deserialize;

use super::{ask::Ask, ended::Ended};
use crate::control::view::{JobView, RunView, StatusView};

/// Outcomes that are kept.
const KEPT: usize = 200;

/// How a host stands at one time.
#[derive(Debug, Clone)]
pub(super) struct Snapshot {
    pub(super) status: StatusView,
    /// Runs that are not over: those that run first, the oldest of them first.
    pub(super) active: Vec<RunView>,
    /// Jobs in the order in which they fire next.
    pub(super) next: Vec<JobView>,
    /// Jobs that are paused.
    pub(super) paused: Vec<JobView>,
    /// What ended last, as far as it is on record.
    pub(super) ended: Vec<Ended>,
}

/// How far a run has come, as its guest says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) done: u64,
    pub(super) total: Option<u64>,
    pub(super) note: Option<String>,
}

/// An event as a host tells it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Heard {
    pub(super) at: Timestamp,
    #[serde(flatten)]
    pub(super) event: Event,
}

/// A part of the screen that can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Panel {
    Pools,
    #[default]
    Active,
    Next,
    Recent,
}

impl Panel {
    pub(super) const ALL: [Self; 4] = [Self::Pools, Self::Active, Self::Next, Self::Recent];

    /// The panel so many further on, round and round.
    pub(super) fn turned(self, by: usize) -> Self {
        let at = Self::ALL.iter().position(|panel| *panel == self).unwrap_or_default();
        Self::ALL[(at + by) % Self::ALL.len()]
    }
}

/// What lies over the panels.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Dialog {
    #[default]
    None,
    Help,
    /// A question back before this is asked of the host.
    Sure(Ask),
}

/// What came of the latest request, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) text: String,
    pub(super) is_bad: bool,
}

/// Everything that is drawn.
#[derive(Debug)]
pub(super) struct Model {
    /// Where the host is asked.
    pub(super) address: String,
    /// The latest that is known; nothing before the first answer.
    pub(super) snapshot: Option<Snapshot>,
    /// Why the host does not answer, while it does not.
    pub(super) away: Option<String>,
    /// What ended, the latest first.
    pub(super) ended: Vec<Ended>,
    pub(super) progress: BTreeMap<String, Progress>,
    pub(super) panel: Panel,
    /// The row that is chosen in each panel, by what it is about: rows move while one looks at them.
    chosen: [Option<String>; 4],
    pub(super) dialog: Dialog,
    pub(super) note: Option<Note>,
}

impl Model {
    pub(super) fn new(address: String) -> Self {
        Self {
            address,
            snapshot: None,
            away: None,
            ended: Vec::new(),
            progress: BTreeMap::new(),
            panel: Panel::default(),
            chosen: Default::default(),
            dialog: Dialog::None,
            note: None,
        }
    }

    /// The zone that times are shown in.
    pub(super) fn zone(&self) -> Tz {
        let zone = self.snapshot.as_ref().and_then(|snapshot| snapshot.status.timezone.parse().ok());
        zone.unwrap_or(Tz::UTC)
    }

    /// The host has answered.
    pub(super) fn look(&mut self, snapshot: Snapshot) {
        self.away = None;
        let is_active = |run: &String| snapshot.active.iter().any(|active| active.id == *run);
        self.progress.retain(|run, _| is_active(run));
        self.merge(snapshot.ended.iter().cloned());
        self.snapshot = Some(snapshot);
        // What is gone is not chosen any more: a key must not be about its neighbour.
        for panel in Panel::ALL {
            let rows = self.rows(panel);
            let chosen = &mut self.chosen[panel as usize];
            if chosen.as_ref().is_some_and(|key| !rows.contains(key)) {
                *chosen = None;
            }
        }
    }

    /// The host does not answer.
    pub(super) fn lose(&mut self, why: String) {
        self.away = Some(why);
    }

    /// Something has happened.
    pub(super) fn hear(&mut self, Heard { at, event }: Heard) {
        if let Event::RunProgressed { run, done, total, note, .. } = event {
            self.progress.insert(run.to_string(), Progress { done, total, note });
        } else {
            self.merge(Ended::of_event(at, event));
        }
    }

    fn merge(&mut self, more: impl IntoIterator<Item = Ended>) {
        for one in more {
            match self.ended.iter_mut().find(|known| known.run == one.run) {
                Some(known) => *known = one,
                None => self.ended.push(one),
            }
        }
        self.ended.sort_by(|a, b| (b.at, &b.run).cmp(&(a.at, &a.run)));
        self.ended.truncate(KEPT);
    }

    /// What the rows of a panel are about, from top to bottom.
    pub(super) fn rows(&self, panel: Panel) -> Vec<String> {
        let Some(snapshot) = &self.snapshot else { return Vec::new() };
        match panel {
            Panel::Pools => snapshot.status.pools.iter().map(|pool| pool.name.clone()).collect(),
            Panel::Active => snapshot.active.iter().map(|run| run.id.clone()).collect(),
            Panel::Next => snapshot.next.iter().chain(&snapshot.paused).map(|job| job.name.clone()).collect(),
            Panel::Recent => self.ended.iter().map(|ended| ended.run.clone()).collect(),
        }
    }

    /// Which row of a panel is chosen.
    pub(super) fn chosen(&self, panel: Panel) -> Option<usize> {
        let key = self.chosen[panel as usize].as_ref()?;
        self.rows(panel).iter().position(|row| row == key)
    }

    /// Chooses the row so many further down; the first one where none is chosen.
    pub(super) fn step(&mut self, by: isize) {
        let rows = self.rows(self.panel);
        let Some(last) = rows.len().checked_sub(1) else { return };
        let to = self.chosen(self.panel).map_or(0, |at| at.saturating_add_signed(by).min(last));
        self.chosen[self.panel as usize] = rows.into_iter().nth(to);
    }

    /// The run that is chosen, where it is not over.
    pub(super) fn chosen_run(&self) -> Option<&RunView> {
        let at = (self.panel == Panel::Active).then(|| self.chosen(self.panel)).flatten()?;
        self.snapshot.as_ref()?.active.get(at)
    }

    /// The job that the chosen row is about.
    pub(super) fn chosen_job(&self) -> Option<&str> {
        let (at, snapshot) = (self.chosen(self.panel)?, self.snapshot.as_ref()?);
        match self.panel {
            Panel::Pools => None,
            Panel::Active => snapshot.active.get(at).map(|run| run.job.as_str()),
            Panel::Next => snapshot.next.iter().chain(&snapshot.paused).nth(at).map(|job| job.name.as_str()),
            Panel::Recent => self.ended.get(at).map(|ended| ended.job.as_str()),
        }
    }

    /// Whether a job is paused, as far as the latest answer says.
    pub(super) fn is_paused(&self, job: &str) -> bool {
        self.snapshot.as_ref().is_some_and(|snapshot| snapshot.paused.iter().any(|paused| paused.name == job))
    }
}

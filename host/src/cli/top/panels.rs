//! The panels, each a list of rows.

use std::time::Duration;

use chrono_tz::Tz;
use clockbox_core::{model::Timestamp, trigger::local_time};
use ratatui::{
    Frame,
    layout::{Constraint, Rect},
    style::Style,
    text::{Line, Span, Text},
    widgets::{Block, Cell, Row, Table, TableState},
};

use super::{
    ended::{Ended, Mood},
    model::{Model, Panel, Progress, Snapshot},
    theme::Theme,
};
use crate::{
    cli::text,
    control::view::{JobView, PoolView, RunView},
};

/// The widest bar of a pool.
const BAR: u16 = 20;
/// Longer texts are cut.
const LONGEST: usize = 200;

pub(super) fn draw(panel: Panel, model: &Model, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let is_chosen = panel == model.panel;
    let block = Block::bordered()
        .title(Span::styled(title(panel, model), if is_chosen { theme.strong() } else { Style::new() }))
        .border_style(theme.border(is_chosen));
    let (rows, widths) = match &model.snapshot {
        None => (vec![Row::new(["waiting for the host"])], vec![Constraint::Min(0)]),
        Some(snapshot) => content(panel, model, snapshot, theme, area.width),
    };
    let table = Table::new(rows, widths).block(block).column_spacing(2).row_highlight_style(if is_chosen {
        theme.chosen()
    } else {
        Style::new()
    });
    // Where none is chosen it begins with the first row, and else where the chosen one is in sight.
    let mut state = TableState::new().with_selected(model.chosen(panel));
    frame.render_stateful_widget(table, area, &mut state);
}

fn title(panel: Panel, model: &Model) -> String {
    let count = model.rows(panel).len();
    match panel {
        Panel::Pools => format!(" pools {count} "),
        Panel::Active => {
            let all = model.snapshot.as_ref().map_or(0, |all| all.status.running + all.status.waiting);
            if all > count { format!(" runs {count} of {all} ") } else { format!(" runs {count} ") }
        }
        Panel::Next => " next ".to_owned(),
        Panel::Recent => {
            let bad = model.ended.iter().filter(|ended| ended.mood() == Mood::Bad).count();
            format!(" ended, of {count}: {bad} not well ")
        }
    }
}

fn content(
    panel: Panel,
    model: &Model,
    snapshot: &Snapshot,
    theme: Theme,
    width: u16,
) -> (Vec<Row<'static>>, Vec<Constraint>) {
    let (now, zone) = (snapshot.status.now, model.zone());
    match panel {
        Panel::Pools => {
            let bar = (width / 4).clamp(4, BAR);
            let pools = &snapshot.status.pools;
            let rows = pools.iter().map(|pool| pool_row(pool, theme, bar)).collect();
            let name = longest(pools.iter().map(|pool| pool.name.as_str()));
            (rows, vec![name, Constraint::Length(bar), Constraint::Length(9), Constraint::Min(0)])
        }
        Panel::Active => {
            let row = |run| active_row(run, model.progress.get(&run.id), theme, now);
            let name = longest(snapshot.active.iter().map(|run| run.job.as_str()));
            let widths = vec![name, Constraint::Length(13), Constraint::Length(20), Constraint::Min(0)];
            (snapshot.active.iter().map(row).collect(), widths)
        }
        Panel::Next => {
            let jobs = || snapshot.next.iter().chain(&snapshot.paused);
            let name = longest(jobs().map(|job| job.name.as_str()));
            let rows = jobs().map(|job| next_row(job, theme, now, zone)).collect();
            (rows, vec![name, Constraint::Length(10), Constraint::Length(15), Constraint::Min(0)])
        }
        Panel::Recent => {
            let name = longest(model.ended.iter().map(|ended| ended.job.as_str()));
            let rows = model.ended.iter().map(|ended| ended_row(ended, theme, zone)).collect();
            let widths = vec![
                Constraint::Length(8),
                name,
                Constraint::Length(15),
                Constraint::Length(11),
                Constraint::Min(0),
            ];
            (rows, widths)
        }
    }
}

/// A column of names: as wide as they are, within bounds.
fn longest<'a>(names: impl Iterator<Item = &'a str>) -> Constraint {
    let widest = names.map(|name| Span::raw(name).width()).max().unwrap_or_default();
    Constraint::Length(u16::try_from(widest).unwrap_or(u16::MAX).clamp(6, 20))
}

fn plain(text: &str) -> String {
    text::plain(&text::first_line(text, LONGEST))
}

fn pool_row(pool: &PoolView, theme: Theme, width: u16) -> Row<'static> {
    let PoolView { name, max_instances, queue, running, waiting } = pool;
    let full = u64::from(width) * u64::from(*running);
    // Rounded up: what runs is seen.
    let full = full.div_ceil(u64::from((*max_instances).max(1))).min(width.into());
    let full = usize::try_from(full).unwrap_or_default();
    let is_full = running >= max_instances;
    let bar = Line::from(vec![
        Span::styled("█".repeat(full), if is_full { theme.warn() } else { theme.good() }),
        Span::styled("░".repeat(usize::from(width) - full), theme.dim()),
    ]);
    let waits = if *waiting > 0 { theme.warn() } else { theme.dim() };
    Row::new(vec![
        Cell::new(plain(name)),
        Cell::new(bar),
        Cell::new(format!("{running}/{max_instances}")),
        Cell::new(Span::styled(format!("queue {waiting}/{queue}"), waits)),
    ])
}

fn active_row(run: &RunView, progress: Option<&Progress>, theme: Theme, now: Timestamp) -> Row<'static> {
    let attempt = if run.attempt > 1 { format!(", try {}", run.attempt) } else { String::new() };
    let (stands, style) = match run.state.as_str() {
        "running" => {
            let since = run.started_at.map(|at| text::span((now - at).to_std().unwrap_or_default()));
            (format!("{}{attempt}", since.unwrap_or_default()), Style::new())
        }
        "retrying" => {
            let when = run.retry_at.map(|at| text::distance(at, now)).unwrap_or_default();
            (format!("again {when}{attempt}"), theme.warn())
        }
        state => (plain(state), theme.dim()),
    };
    let far = progress.map(shown).or_else(|| run.reason.as_deref().map(plain)).unwrap_or_default();
    Row::new(vec![
        Cell::new(plain(&run.job)),
        Cell::new(Span::styled(plain(&run.id), theme.dim())),
        Cell::new(stands),
        Cell::new(far),
    ])
    .style(style)
}

/// How far a run has come: `45 %, 9 of 20: note`.
fn shown(progress: &Progress) -> String {
    let Progress { done, total, note } = progress;
    let note = note.as_ref().map(|note| format!(": {}", plain(note))).unwrap_or_default();
    match total {
        Some(total) if *total > 0 => {
            let percent = u128::from(*done) * 100 / u128::from(*total);
            format!("{percent} %, {done} of {total}{note}")
        }
        _ => format!("{done} done{note}"),
    }
}

fn next_row(job: &JobView, theme: Theme, now: Timestamp, zone: Tz) -> Row<'static> {
    let (time, distance, style) = match (&job.paused, job.next_fire) {
        (Some(pause), _) => {
            let by = pause.by.as_ref().map(|by| format!("by {by}")).unwrap_or_default();
            ("paused".to_owned(), plain(&by), theme.warn())
        }
        (None, Some(at)) => (soon(at, now, zone), text::distance(at, now), Style::new()),
        (None, None) => (String::new(), String::new(), theme.dim()),
    };
    let note = job.paused.as_ref().and_then(|pause| pause.note.as_deref());
    Row::new(vec![
        Cell::new(plain(&job.name)),
        Cell::new(time),
        Cell::new(distance),
        Cell::new(Span::styled(plain(note.unwrap_or(&job.schedule)), theme.dim())),
    ])
    .style(style)
}

fn ended_row(ended: &Ended, theme: Theme, zone: Tz) -> Row<'static> {
    let mood = ended.mood();
    let mark = match mood {
        Mood::Good => '✓',
        Mood::Meant => '–',
        Mood::Bad => '✗',
    };
    let took = ended.took_ms.map(|ms| text::span(Duration::from_millis(ms))).unwrap_or_default();
    let how = Text::styled(format!("{mark} {}", plain(&ended.how)), theme.mood(mood));
    Row::new(vec![
        Cell::new(clock(ended.at, zone)),
        Cell::new(plain(&ended.job)),
        Cell::new(how),
        Cell::new(took),
        Cell::new(plain(ended.reason.as_deref().unwrap_or_default())),
    ])
}

fn clock(at: Timestamp, zone: Tz) -> String {
    local_time(at, zone).format("%H:%M:%S").to_string()
}

/// The time of a day; the day, where that is not within one day.
fn soon(at: Timestamp, now: Timestamp, zone: Tz) -> String {
    match (at - now).num_days() {
        0 => clock(at, zone),
        _ => local_time(at, zone).format("%Y-%m-%d").to_string(),
    }
}

//! The screen: drawn from what is known and its size alone.

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    text::{Line, Span},
    widgets::{Block, Clear, Paragraph},
};

use super::{
    model::{Dialog, Model, Panel},
    panels,
    theme::Theme,
};
use crate::{
    cli::text,
    control::view::{PauseView, StatusView},
};

/// From this width on the panels stand in two columns.
const WIDE: u16 = 110;
/// Below this height only the chosen panel is shown.
const LOW: u16 = 18;
/// What keys there are.
const KEYS: &str = "q quit  Tab panel  ↑↓ row  p pause/resume  r run  c cancel  ? help";
const HELP: [&str; 11] = [
    "Tab, ← →   choose a panel",
    "↑ ↓        choose a row; PgUp, PgDn, Home, End",
    "p          pause the job of the row, or resume it",
    "r          run the job of the row now, once",
    "c          stop the run of the row; asks back",
    "Ctrl-L     draw the screen again",
    "q, Ctrl-C  quit; the host goes on",
    "",
    "A key is about the row that is chosen, also while rows",
    "move. What fails is marked ✗, what was missed or",
    "skipped –.",
];

pub(super) fn draw(model: &Model, theme: Theme, frame: &mut Frame<'_>) {
    let area = frame.area();
    let head = head(model, theme);
    let height = u16::try_from(head.len()).unwrap_or(u16::MAX);
    let [top, middle, foot] =
        Layout::vertical([Constraint::Length(height), Constraint::Min(0), Constraint::Length(1)]).areas(area);
    frame.render_widget(Paragraph::new(head), top);
    frame.render_widget(Paragraph::new(foot_line(model, theme)), foot);
    for (panel, area) in places(model, middle) {
        panels::draw(panel, model, theme, frame, area);
    }
    match &model.dialog {
        Dialog::None => {}
        Dialog::Help => over(frame, theme, " help ", &HELP.map(ToOwned::to_owned)),
        Dialog::Sure(ask) => {
            let question = text::plain(&ask.question());
            over(frame, theme, " sure? ", &[question, "y yes   n no".to_owned()]);
        }
    }
}

/// Which panels are shown, and where.
fn places(model: &Model, area: Rect) -> Vec<(Panel, Rect)> {
    let pools = u16::try_from(model.rows(Panel::Pools).len()).unwrap_or(u16::MAX).clamp(1, 6) + 2;
    if area.height < LOW {
        return vec![(model.panel, area)];
    }
    if area.width >= WIDE {
        let columns = Layout::horizontal([Constraint::Percentage(45), Constraint::Percentage(55)]);
        let [left, right] = columns.areas(area);
        let [first, second] = Layout::vertical([Constraint::Length(pools), Constraint::Min(3)]).areas(left);
        let [third, fourth] =
            Layout::vertical([Constraint::Percentage(40), Constraint::Percentage(60)]).areas(right);
        return vec![
            (Panel::Pools, first),
            (Panel::Next, second),
            (Panel::Active, third),
            (Panel::Recent, fourth),
        ];
    }
    let rows =
        [Constraint::Length(pools.min(5)), Constraint::Fill(1), Constraint::Fill(1), Constraint::Fill(1)];
    let areas: [Rect; 4] = Layout::vertical(rows).areas(area);
    Panel::ALL.into_iter().zip(areas).collect()
}

/// The host in a few lines.
fn head(model: &Model, theme: Theme) -> Vec<Line<'static>> {
    let mut first = vec![Span::styled("clockbox", theme.strong())];
    let mut lines = Vec::new();
    match &model.snapshot {
        None => first.push(Span::raw(format!(" at {}", text::plain(&model.address)))),
        Some(snapshot) => {
            let status = &snapshot.status;
            let up = (status.now - status.started_at).to_std().unwrap_or_default();
            first.push(Span::raw(format!(
                " {}  up {}  {} running, {} waiting  {}",
                text::plain(&status.version),
                text::span(up),
                status.running,
                status.waiting,
                text::count(status.jobs, "job"),
            )));
            let store = status.store.as_ref().map(|store| format!("  store {}", text::plain(store)));
            lines.push(Line::styled(
                format!(
                    "{}  {}{}",
                    text::local(status.now, model.zone()),
                    text::plain(&model.address),
                    store.unwrap_or_default()
                ),
                theme.dim(),
            ));
            lines.extend(held(status).map(|held| Line::styled(held, theme.warn())));
        }
    }
    lines.insert(0, Line::from(first));
    if let Some(why) = &model.away {
        lines.push(Line::styled(format!("the host is away: {}", text::plain(why)), theme.bad()));
    }
    lines
}

/// Why nothing starts.
fn held(status: &StatusView) -> Option<String> {
    if status.draining {
        return Some("stopping: nothing starts any more".to_owned());
    }
    let PauseView { by, note, .. } = status.paused.as_ref()?;
    let by = by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    let note = note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
    Some(text::plain(&format!("paused{by}{note}")))
}

fn foot_line(model: &Model, theme: Theme) -> Line<'static> {
    match &model.note {
        Some(note) if note.is_bad => Line::styled(text::plain(&note.text), theme.bad()),
        Some(note) => Line::styled(text::plain(&note.text), theme.good()),
        None => Line::styled(KEYS, theme.dim()),
    }
}

/// A box in the middle.
fn over(frame: &mut Frame<'_>, theme: Theme, title: &'static str, lines: &[String]) {
    let whole = frame.area();
    let widest = lines.iter().map(|line| line.chars().count()).max().unwrap_or_default();
    let width = u16::try_from(widest + 4).unwrap_or(u16::MAX);
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
    let area = whole
        .centered(Constraint::Length(width.min(whole.width)), Constraint::Length(height.min(whole.height)));
    let block = Block::bordered().title(title).border_style(theme.border(true));
    let lines: Vec<Line<'_>> = lines.iter().map(|line| Line::from(format!(" {line}"))).collect();
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

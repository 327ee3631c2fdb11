//! The screen at several sizes, as text.

use ratatui::{
    Terminal,
    backend::TestBackend,
    buffer::Buffer,
    style::{Color, Modifier},
};
use serde_json::json;

use super::{
    draw, keys,
    model::{Heard, Model},
    sample,
    theme::Theme,
};

fn model() -> Model {
    let mut model = Model::new("clockbox.sock".to_owned());
    model.look(sample::snapshot());
    let progress = json!({
        "seq": 3, "at": sample::at("12:00:00"), "event": "run-progressed", "job": "report", "run": "01n4m2h3k4v5w",
        "done": 9, "total": 20, "note": "page 9",
    });
    model.hear(serde_json::from_value(progress).unwrap());
    model
}

fn drawn(model: &Model, theme: Theme, (width, height): (u16, u16)) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw::draw(model, theme, frame)).unwrap();
    terminal.backend().buffer().clone()
}

const COLOURS: Theme = Theme { is_coloured: true };
const NO_COLOUR: Theme = Theme { is_coloured: false };

/// The screen as text, without blanks at line ends.
fn text(model: &Model, size: (u16, u16)) -> String {
    let buffer = drawn(model, COLOURS, size);
    let rows = buffer.content.chunks(usize::from(size.0));
    let row = |row: &[ratatui::buffer::Cell]| -> String {
        let mut line: String = row.iter().map(ratatui::buffer::Cell::symbol).collect();
        line.truncate(line.trim_end().len());
        line + "\n"
    };
    rows.map(row).collect()
}

#[track_caller]
fn assert_drawn(model: &Model, size: (u16, u16), expected: &str) {
    let drawn = text(model, size);
    assert!(drawn == expected, "at {size:?} this is drawn:\n{drawn}--- instead of:\n{expected}---");
}

#[test]
fn a_wide_screen_has_two_columns() {
    assert_drawn(&model(), (130, 30), include_str!("screens/wide.txt"));
}

#[test]
fn a_narrow_screen_has_the_panels_below_one_another() {
    assert_drawn(&model(), (72, 30), include_str!("screens/narrow.txt"));
}

#[test]
fn a_small_screen_shows_the_chosen_panel() {
    assert_drawn(&model(), (48, 10), include_str!("screens/small.txt"));
}

#[test]
fn a_host_that_is_away_is_told_above_what_it_said_last() {
    let mut model = model();
    model.lose("no host is running at clockbox.sock".to_owned());
    let screen = text(&model, (72, 30));
    assert!(screen.contains("the host is away: no host is running at clockbox.sock"), "{screen}");
    assert!(screen.contains("report"), "{screen}");
    model.look(sample::snapshot());
    assert!(!text(&model, (72, 30)).contains("away"));
    let nothing = text(&Model::new("clockbox.sock".to_owned()), (72, 30));
    assert!(nothing.contains("waiting for the host"), "{nothing}");
}

#[test]
fn questions_and_help_lie_over_the_panels() {
    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
    let mut model = model();
    let mut press = |code| keys::press(&mut model, KeyEvent::new(code, KeyModifiers::NONE));
    press(KeyCode::Down);
    press(KeyCode::Char('c'));
    let screen = text(&model, (72, 30));
    assert!(screen.contains("stop run 01n4m2h3k4v5w of report?"), "{screen}");
    let mut press = |code| keys::press(&mut model, KeyEvent::new(code, KeyModifiers::NONE));
    press(KeyCode::Char('n'));
    press(KeyCode::Char('?'));
    let screen = text(&model, (72, 30));
    assert!(screen.contains("pause the job of the row, or resume it"), "{screen}");
}

#[test]
fn no_size_is_too_small() {
    let mut model = model();
    for dialog in [false, true] {
        if dialog {
            use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
            keys::press(&mut model, KeyEvent::new(KeyCode::Char('?'), KeyModifiers::NONE));
        }
        for width in [0, 1, 2, 5, 20, 109, 110, 400] {
            for height in [0, 1, 2, 3, 6, 18, 100] {
                drawn(&model, COLOURS, (width, height));
            }
        }
    }
}

#[test]
fn what_a_guest_says_cannot_steer_the_terminal() {
    let screen = text(&model(), (130, 30));
    assert!(!screen.contains('\u{1b}') && screen.contains("fetch\u{fffd}[2J"), "{screen}");
}

#[test]
fn without_colours_failures_still_stand_out() {
    let buffer = drawn(&model(), NO_COLOUR, (130, 30));
    let plain = |cell: &ratatui::buffer::Cell| cell.fg == Color::Reset && cell.bg == Color::Reset;
    assert!(buffer.content.iter().all(plain));
    let mark = buffer.content.iter().find(|cell| cell.symbol() == "✗").unwrap();
    assert!(mark.modifier.contains(Modifier::BOLD | Modifier::UNDERLINED));
    let buffer = drawn(&model(), COLOURS, (130, 30));
    let mark = buffer.content.iter().find(|cell| cell.symbol() == "✗").unwrap();
    assert_eq!(mark.fg, Color::Red);
}

#[test]
fn what_ends_comes_to_the_top_and_is_there_once() {
    let mut model = model();
    let event = |run: &str, at| -> Heard {
        let event = json!({
            "at": at, "event": "run-finished", "job": "a", "run": run, "attempt": 1, "outcome": "failed", "cause": "trigger",
            "reason": null, "elapsed_ms": 5,
        });
        serde_json::from_value(event).unwrap()
    };
    let before = model.ended.len();
    model.hear(event("01n4m2h3k4v9z", sample::at("12:00:01")));
    model.hear(event("01n4m2h3k4v5b", sample::at("11:59:03")));
    assert_eq!(model.ended.len(), before + 1);
    assert_eq!((model.ended[0].job.as_str(), model.ended[0].took_ms), ("a", Some(5)));
    model.look(sample::snapshot());
    assert_eq!(model.ended[0].job, "a", "also where the record of it is not among the latest");
}

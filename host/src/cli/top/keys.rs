//! What a key does: decided from what is known alone.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::{
    ask::Ask,
    model::{Dialog, Model, Note},
};

/// Rows that a page is taken to have.
const PAGE: isize = 10;

/// What follows from a key beside a changed model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reaction {
    None,
    Quit,
    /// The screen is drawn from nothing.
    Redraw,
    Ask(Ask),
}

/// A key was pressed.
pub(super) fn press(model: &mut Model, key: KeyEvent) -> Reaction {
    if key.kind == KeyEventKind::Release {
        return Reaction::None;
    }
    let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
    match (key.code, is_control) {
        (KeyCode::Char('c'), true) => return Reaction::Quit,
        (KeyCode::Char('l'), true) => return Reaction::Redraw,
        (_, true) => return Reaction::None,
        _ => {}
    }
    match std::mem::take(&mut model.dialog) {
        Dialog::None => {}
        // Any key leaves the help.
        Dialog::Help => return if is_quit(key.code) { Reaction::Quit } else { Reaction::None },
        Dialog::Sure(ask) => match key.code {
            KeyCode::Char('y' | 'Y') => return Reaction::Ask(ask),
            // Neither of the two: a slip of the finger answers nothing.
            code if !matches!(code, KeyCode::Char('n' | 'N' | 'q') | KeyCode::Esc | KeyCode::Enter) => {
                model.dialog = Dialog::Sure(ask);
                return Reaction::None;
            }
            _ => {
                model.note = Some(Note { text: "nothing was done".to_owned(), is_bad: false });
                return Reaction::None;
            }
        },
    }
    model.note = None;
    match key.code {
        code if is_quit(code) => return Reaction::Quit,
        KeyCode::Char('?' | 'h') | KeyCode::F(1) => model.dialog = Dialog::Help,
        KeyCode::Tab | KeyCode::Right => turn(model, 1),
        KeyCode::BackTab | KeyCode::Left => turn(model, 3),
        KeyCode::Down | KeyCode::Char('j') => model.step(1),
        KeyCode::Up | KeyCode::Char('k') => model.step(-1),
        KeyCode::PageDown => model.step(PAGE),
        KeyCode::PageUp => model.step(-PAGE),
        KeyCode::Home => model.step(isize::MIN),
        KeyCode::End => model.step(isize::MAX),
        KeyCode::Char('p') => {
            return of_job(
                model,
                |job, is_paused| {
                    if is_paused { Ask::Resume { job } } else { Ask::Pause { job } }
                },
            );
        }
        KeyCode::Char('r') => return of_job(model, |job, _| Ask::Run { job }),
        KeyCode::Char('c') => match model.chosen_run() {
            Some(run) => {
                model.dialog = Dialog::Sure(Ask::Cancel { run: run.id.clone(), job: run.job.clone() });
            }
            None => choose(model, "choose a run that is under way: Tab, then the arrows"),
        },
        _ => {}
    }
    Reaction::None
}

fn is_quit(code: KeyCode) -> bool {
    code == KeyCode::Char('q')
}

fn turn(model: &mut Model, by: usize) {
    model.panel = model.panel.turned(by);
    if model.chosen(model.panel).is_none() {
        model.step(0);
    }
}

fn of_job(model: &mut Model, ask: impl FnOnce(String, bool) -> Ask) -> Reaction {
    if model.away.is_some() {
        choose(model, "the host is away");
        return Reaction::None;
    }
    match model.chosen_job() {
        Some(job) => Reaction::Ask(ask(job.to_owned(), model.is_paused(job))),
        None => {
            choose(model, "choose a job or a run: Tab, then the arrows");
            Reaction::None
        }
    }
}

fn choose(model: &mut Model, text: &str) {
    model.note = Some(Note { text: text.to_owned(), is_bad: true });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::top::{model::Panel, sample};

    fn pressed(model: &mut Model, codes: &[KeyCode]) -> Vec<Reaction> {
        let press = |code: &KeyCode| press(model, KeyEvent::new(*code, KeyModifiers::NONE));
        codes.iter().map(press).filter(|reaction| *reaction != Reaction::None).collect()
    }

    fn model() -> Model {
        let mut model = Model::new("clockbox.sock".to_owned());
        model.look(sample::snapshot());
        model
    }

    #[test]
    fn q_and_control_c_quit_and_a_key_that_is_let_go_does_nothing() {
        let mut model = model();
        assert_eq!(pressed(&mut model, &[KeyCode::Char('q')]), [Reaction::Quit]);
        let control = |c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL);
        assert_eq!(press(&mut model, control('c')), Reaction::Quit);
        assert_eq!(press(&mut model, control('l')), Reaction::Redraw);
        assert_eq!(press(&mut model, control('p')), Reaction::None);
        let released = KeyEvent::new_with_kind(KeyCode::Char('q'), KeyModifiers::NONE, KeyEventKind::Release);
        assert_eq!(press(&mut model, released), Reaction::None);
    }

    #[test]
    fn panels_go_round_and_rows_have_ends() {
        let mut model = model();
        assert_eq!(model.panel, Panel::Active);
        pressed(&mut model, &[KeyCode::Tab]);
        assert_eq!((model.panel, model.chosen(Panel::Next)), (Panel::Next, Some(0)));
        pressed(&mut model, &[KeyCode::Up, KeyCode::Down, KeyCode::End, KeyCode::Down]);
        assert_eq!(model.chosen(Panel::Next), Some(2));
        pressed(&mut model, &[KeyCode::Home]);
        assert_eq!(model.chosen(Panel::Next), Some(0));
        pressed(&mut model, &[KeyCode::BackTab, KeyCode::BackTab, KeyCode::BackTab]);
        assert_eq!(model.panel, Panel::Recent);
    }

    #[test]
    fn p_pauses_a_job_and_resumes_one_that_is_paused() {
        let mut model = model();
        let p = KeyCode::Char('p');
        assert_eq!(pressed(&mut model, &[p]), [], "nothing is chosen yet");
        assert!(model.note.as_ref().unwrap().is_bad);
        let asked = pressed(&mut model, &[KeyCode::Tab, p, KeyCode::Char('r'), KeyCode::End, p]);
        let named = |job: &str| job.to_owned();
        assert_eq!(
            asked,
            [
                Reaction::Ask(Ask::Pause { job: named("poll") }),
                Reaction::Ask(Ask::Run { job: named("poll") }),
                Reaction::Ask(Ask::Resume { job: named("asleep") }),
            ]
        );
        model.lose("gone".to_owned());
        assert_eq!(pressed(&mut model, &[p]), []);
        assert_eq!(model.note.unwrap().text, "the host is away");
    }

    #[test]
    fn c_asks_back_and_only_y_is_a_yes() {
        let mut model = model();
        let c = KeyCode::Char('c');
        assert_eq!(pressed(&mut model, &[KeyCode::Down, c]), []);
        let cancel = Ask::Cancel { run: "01n4m2h3k4v5w".to_owned(), job: "report".to_owned() };
        assert_eq!(model.dialog, Dialog::Sure(cancel.clone()));
        assert_eq!(pressed(&mut model, &[KeyCode::Char('x'), KeyCode::Tab]), []);
        assert_eq!(model.dialog, Dialog::Sure(cancel.clone()), "a slip of the finger");
        assert_eq!(pressed(&mut model, &[KeyCode::Enter]), []);
        assert_eq!(
            (&model.dialog, model.note.as_ref().unwrap().text.as_str()),
            (&Dialog::None, "nothing was done")
        );
        assert_eq!(pressed(&mut model, &[c, KeyCode::Char('y')]), [Reaction::Ask(cancel)]);
        // What is over cannot be stopped.
        pressed(&mut model, &[KeyCode::Tab, c]);
        assert_eq!(model.dialog, Dialog::None);
        assert!(model.note.unwrap().text.starts_with("choose a run"));
    }

    #[test]
    fn a_row_that_goes_is_not_chosen_any_more() {
        let mut model = model();
        pressed(&mut model, &[KeyCode::Down]);
        let mut later = sample::snapshot();
        later.active.rotate_left(1);
        model.look(later.clone());
        assert_eq!(model.chosen_run().unwrap().job, "report", "it is followed where it goes");
        later.active.retain(|run| run.job != "report");
        model.look(later);
        assert_eq!(model.chosen_run(), None);
        assert_eq!(pressed(&mut model, &[KeyCode::Char('r')]), []);
    }

    #[test]
    fn help_is_left_by_any_key() {
        let mut model = model();
        pressed(&mut model, &[KeyCode::Char('?')]);
        assert_eq!(model.dialog, Dialog::Help);
        assert_eq!(pressed(&mut model, &[KeyCode::Char('p')]), []);
        assert_eq!(model.dialog, Dialog::None);
    }
}

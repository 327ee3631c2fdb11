//! `clockbox top`: a running host on one screen, as it goes.

mod ask;
mod draw;
mod ended;
mod feed;
mod keys;
mod model;
mod panels;
#[cfg(test)]
mod sample;
mod screen;
#[cfg(test)]
mod tests;
mod theme;

use std::{
    sync::mpsc::{RecvTimeoutError, TrySendError, sync_channel},
    time::Duration,
};

use clap::Args;

use self::{
    feed::{News, Order},
    keys::Reaction,
    model::{Model, Note},
    screen::Screen,
    theme::Theme,
};
use super::{ask::HostArgs, exit::Failure, steer::ByArgs};

/// After so long without a word the host is taken to be away: it is asked each second.
const PATIENCE: Duration = Duration::from_secs(4);
/// Orders that wait for the host: events that are more are held back there, and told as lost.
const ORDERS: usize = 1024;

#[derive(Debug, Args)]
pub(super) struct TopArgs {
    #[command(flatten)]
    host: HostArgs,
}

pub(super) fn top(args: &TopArgs) -> Result<(), Failure> {
    Screen::check()?;
    let host = args.host.connect()?;
    let mut model = Model::new(host.address());
    let (news, told) = sync_channel(64);
    let (orders, taken) = sync_channel(ORDERS);
    // Before the screen is taken over: from then on a signal gives it back.
    feed::thread("clockbox-top-signals", &news, feed::signals)?;
    let mut screen = Screen::open()?;
    let by = ByArgs::default().body();
    let asked = args.host.clone();
    feed::thread("clockbox-top-host", &news, move |news| feed::ask(&asked, host, &by, &taken, news))?;
    let (heard, to) = (args.host.clone(), orders.clone());
    feed::thread("clockbox-top-events", &news, move |_| feed::listen(&heard, &to))?;
    feed::thread("clockbox-top-keys", &news, feed::keys)?;
    let theme = Theme::from_env();
    loop {
        screen.draw(|frame| draw::draw(&model, theme, frame))?;
        let first = match told.recv_timeout(PATIENCE) {
            Ok(first) => first,
            Err(RecvTimeoutError::Timeout) => {
                model.lose("it does not answer".to_owned());
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        };
        // All that is there is drawn at once.
        for news in std::iter::once(first).chain(told.try_iter()) {
            match news {
                News::Host(snapshot) => model.look(*snapshot),
                News::Heard(heard) => heard.into_iter().for_each(|heard| model.hear(heard)),
                News::Away(why) => model.lose(why),
                News::Told(note) => model.note = Some(note),
                News::Resized => {}
                News::End(None) => return Ok(()),
                News::End(Some(failure)) => return Err(failure),
                News::Key(key) => match keys::press(&mut model, key) {
                    Reaction::None => {}
                    Reaction::Quit => return Ok(()),
                    Reaction::Redraw => screen.forget()?,
                    Reaction::Ask(ask) => match orders.try_send(Order::Put(ask)) {
                        Ok(()) => {}
                        Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                            let text = "the host is slow to answer: it was not asked".to_owned();
                            model.note = Some(Note { text, is_bad: true });
                        }
                    },
                },
            }
        }
    }
}

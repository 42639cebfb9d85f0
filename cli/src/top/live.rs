//! The loop: keys, news from the server and the clock go into the model, and the model onto the screen.

use std::{
    io,
    time::{Duration, SystemTime},
};

use crossterm::event::EventStream;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc::{Receiver, Sender, channel},
    time::{MissedTickBehavior, interval, sleep},
};
use tokio_stream::StreamExt as _;

use super::{
    failure::TopError,
    fetch::Fetch,
    keys::key,
    model::{Command, Message, Model},
    screen::Screen,
};
use crate::{explain, form::Form, palette::Palette};

/// News that wait to be shown; who brings more waits too.
const WAITING: usize = 4;

/// Ages are shown in seconds.
const SECOND: Duration = Duration::from_secs(1);

pub(super) async fn live(mut model: Model, fetch: Fetch, every: Duration) -> Result<(), TopError> {
    let (sender, news) = channel(WAITING);
    let asking = tokio::spawn(ask(fetch.clone(), every, sender.clone()));
    let ended = watch(&mut model, &fetch, &sender, news).await;
    asking.abort();
    ended.map_err(TopError::Terminal)
}

async fn watch(
    model: &mut Model,
    fetch: &Fetch,
    sender: &Sender<Message>,
    mut news: Receiver<Message>,
) -> io::Result<()> {
    // Before the screen is taken: from then on a signal must find somebody who gives it back.
    let mut ends = [
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
        signal(SignalKind::hangup())?,
    ];
    let mut screen = Screen::open()?;
    let mut keys = EventStream::new();
    let mut clock = interval(SECOND);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        screen.show(model)?;
        let message = tokio::select! {
            event = keys.next() => match event {
                // Another size shows with the next frame.
                Some(Ok(event)) => key(&event).map(Message::Key),
                Some(Err(error)) => return Err(error),
                None => return Ok(()),
            },
            message = news.recv() => message,
            _ = clock.tick() => Some(Message::Tick(now())),
            () = any(&mut ends) => return Ok(()),
        };
        match message.and_then(|it| model.update(it)) {
            None => {}
            Some(Command::Quit) => return Ok(()),
            Some(Command::Explain(id)) => {
                tokio::spawn(explain(fetch.clone(), id, sender.clone()));
            }
        }
    }
}

/// Snapshots for as long as somebody takes them.
async fn ask(fetch: Fetch, every: Duration, sender: Sender<Message>) {
    loop {
        sleep(every).await;
        let message = match fetch.snapshot().await {
            Ok(snapshot) => Message::Told(Box::new(snapshot)),
            Err(error) => Message::Away(told(error)),
        };
        if sender.send(message).await.is_err() {
            return;
        }
    }
}

async fn explain(fetch: Fetch, id: String, sender: Sender<Message>) {
    let lines = match fetch.details(id.clone()).await {
        Ok(details) => explain::lines(&details, Form::Wide, Palette::Plain),
        Err(error) => vec![told(error)],
    };
    // Nobody looks any more.
    sender.send(Message::Details(id, lines)).await.ok();
}

/// With what caused it.
fn told(error: impl std::error::Error + Send + Sync + 'static) -> String {
    format!("{:#}", anyhow::Error::from(error))
}

async fn any([first, second, third]: &mut [Signal; 3]) {
    tokio::select! {
        _ = first.recv() => {}
        _ = second.recv() => {}
        _ = third.recv() => {}
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this loop owns the clock of what it shows"
)]
fn now() -> SystemTime {
    SystemTime::now()
}

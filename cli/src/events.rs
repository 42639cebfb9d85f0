//! `picket events`: past events page by page, or new ones as they are committed.

mod follow;
mod last;
mod print;
mod text;

use std::time::SystemTime;

use api::v1::{self, ListRequest, subscribe_request::From};
use clap::{Args, ValueEnum};

use self::follow::Follow;
pub(crate) use self::print::Printer;
use crate::{
    filter::FilterArguments,
    form::{AnswerError, FormArguments},
    output::{self, Output},
    progress::Progress,
    server::Server,
};

/// Events to ask for at once.
const PAGE: u32 = 256;

#[derive(Args, Debug)]
pub(crate) struct EventsArguments {
    /// Stay, and print new events as they come.
    ///
    /// Without --since, --after and --last only new events are printed. When the server goes away, picket
    /// waits for it and resumes where it was.
    #[arg(long, short, conflicts_with = "until")]
    follow: bool,

    #[command(flatten)]
    filter: FilterArguments,

    /// Only events of this state; may be repeated.
    #[arg(long, value_name = "STATE")]
    state: Vec<State>,

    /// Only events after this position in the collector's log.
    #[arg(long, value_name = "CURSOR")]
    after: Option<u64>,

    /// Stop after this many events.
    #[arg(long, value_name = "COUNT", visible_alias = "limit", value_parser = clap::value_parser!(u64).range(1..))]
    first: Option<u64>,

    /// Only the last so many events of the past.
    #[arg(long, value_name = "COUNT", conflicts_with_all = ["first", "after"], value_parser = clap::value_parser!(u32).range(1..=100_000))]
    last: Option<u32>,

    #[command(flatten)]
    form: FormArguments,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum State {
    Opened,
    Updated,
    Closed,
}

impl std::convert::From<State> for v1::State {
    fn from(state: State) -> Self {
        match state {
            State::Opened => Self::Opened,
            State::Updated => Self::Updated,
            State::Closed => Self::Closed,
        }
    }
}

pub(crate) async fn run(
    server: &Server,
    arguments: EventsArguments,
    now: SystemTime,
    output: &mut Output,
) -> Result<(), AnswerError> {
    arguments.filter.check(server).await?;
    let states = arguments.state.into_iter();
    let states = states.map(|it| v1::State::from(it).into()).collect();
    let since = arguments.filter.since;
    let (filter, rest) = arguments.filter.of_events(states, now);
    let form = arguments.form.form();
    let mut printer = Printer::new(output, form, arguments.first).only(rest.clone());

    let mut from = match (arguments.after, since) {
        (Some(cursor), _) => From::AfterCursor(cursor),
        (None, Some(_)) => From::AfterCursor(0),
        (None, None) => From::Now(true),
    };
    if let Some(count) = arguments.last {
        let (events, end) = last::events(server, &filter, &rest, count).await?;
        for event in &events {
            printer.event(event)?;
        }
        printer.flush()?;
        from = From::AfterCursor(end);
    }
    if !arguments.follow {
        if arguments.last.is_some() {
            return Ok(());
        }
        let request = ListRequest {
            filter: Some(filter),
            after_cursor: arguments.after.unwrap_or(0),
            page_size: PAGE,
        };
        return list(server, request, !rest.is_empty(), printer).await;
    }

    let mut follow = Follow::new(server, filter, from, printer);
    tokio::select! {
        result = follow.run() => result,
        _ = tokio::signal::ctrl_c() => Ok(()),
        () = output::reader_left() => Ok(()),
    }
}

/// `is_narrowed` when the printer leaves out some of what the server sends.
async fn list(
    server: &Server,
    mut request: ListRequest,
    is_narrowed: bool,
    mut printer: Printer<'_>,
) -> Result<(), AnswerError> {
    let mut progress = Progress::new("events looked at");
    loop {
        let room = printer.room().and_then(|room| u32::try_from(room).ok());
        request.page_size = match room {
            Some(room) if !is_narrowed => room.min(PAGE),
            _ => PAGE,
        };
        let page = server.page(request.clone()).await?;
        for event in &page.events {
            printer.event(event)?;
            if printer.room() == Some(0) {
                break;
            }
        }
        printer.flush()?;
        progress.add(page.events.len());
        // A server that claims more without moving on would keep us here for ever.
        let moves_on = page.next_cursor > request.after_cursor;
        if !page.more || printer.room() == Some(0) || !moves_on {
            return Ok(());
        }
        request.after_cursor = page.next_cursor;
    }
}

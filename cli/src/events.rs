//! `picket events`: past events page by page, or new ones as they are committed.

mod follow;
mod print;
mod text;

use std::time::SystemTime;

use api::v1::{Filter, ListRequest, Severity, State, subscribe_request::From};

use self::follow::Follow;
pub(crate) use self::print::Printer;
use crate::{
    arguments::EventsArguments,
    failure::RunError,
    output::{self, Output},
    server::Server,
};

/// Events to ask for at once.
const PAGE: u32 = 256;

pub(crate) async fn run(
    server: &Server,
    arguments: EventsArguments,
    now: SystemTime,
    output: &mut Output,
) -> Result<(), RunError> {
    let printer = Printer::new(output, arguments.json, arguments.limit);
    if !arguments.follow {
        let after = arguments.after.unwrap_or(0);
        return list(server, filter(arguments, now), after, printer).await;
    }

    let from = match (arguments.after, arguments.since) {
        (Some(cursor), _) => From::AfterCursor(cursor),
        (None, Some(_)) => From::AfterCursor(0),
        (None, None) => From::Now(true),
    };
    let mut follow = Follow::new(server, filter(arguments, now), from, printer);
    tokio::select! {
        result = follow.run() => result,
        _ = tokio::signal::ctrl_c() => Ok(()),
        () = output::reader_left() => Ok(()),
    }
}

async fn list(
    server: &Server,
    filter: Filter,
    mut after_cursor: u64,
    mut printer: Printer<'_>,
) -> Result<(), RunError> {
    loop {
        let page = server
            .page(ListRequest {
                filter: Some(filter.clone()),
                after_cursor,
                page_size: printer.room().map_or(PAGE, |room| {
                    u32::try_from(room).map_or(PAGE, |room| room.min(PAGE))
                }),
            })
            .await?;
        for event in &page.events {
            printer.event(event)?;
        }
        printer.flush()?;
        // A server that claims more without moving on would keep us here for ever.
        if !page.more || printer.room() == Some(0) || page.next_cursor <= after_cursor {
            return Ok(());
        }
        after_cursor = page.next_cursor;
    }
}

fn filter(arguments: EventsArguments, now: SystemTime) -> Filter {
    let severity = arguments
        .min_severity
        .map_or(Severity::Unspecified, Severity::from);
    let state = |state| State::from(state).into();
    Filter {
        namespaces: arguments.namespace,
        pods: arguments.pod,
        nodes: arguments.node,
        detectors: arguments.detector,
        states: arguments.state.into_iter().map(state).collect(),
        min_severity: severity.into(),
        since: arguments.since.map(|since| since.before(now).into()),
        labels: arguments.label.into_iter().collect(),
        exclude_correlated: false,
    }
}

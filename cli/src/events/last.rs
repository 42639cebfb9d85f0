//! The last events of a log that is read forwards: stretches of its end, each longer than the one before.

use api::v1::{
    Event, Filter, ListRequest, SubscribeRequest, subscribe_request::From, subscribe_response::Item,
};

use crate::{
    filter::Rest,
    names,
    progress::Progress,
    server::{Server, ServerError},
};

/// The most that a server gives at once, and so the shortest stretch.
const PAGE: u32 = 1000;

/// By how much a stretch is longer than the one that lies after it.
const GROWTH: u64 = 4;

/// At most `count` that are wanted, oldest first, and the cursor up to which the log was read.
pub(super) async fn events(
    server: &Server,
    filter: &Filter,
    rest: &Rest,
    count: u32,
) -> Result<(Vec<Event>, u64), ServerError> {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let end = end(server).await?;
    if end == 0 {
        // Of an agent, which says here that it keeps no past.
        let request = ListRequest {
            page_size: 1,
            ..ListRequest::default()
        };
        server.page(request).await?;
    }
    let mut progress = Progress::new("events looked at");
    let mut found: Vec<Event> = Vec::new();
    let mut stretch = u64::from(PAGE);
    let mut before = end;
    while before > 0 && found.len() < count {
        let after = before.saturating_sub(stretch);
        let mut older = read(server, filter, rest, after..before, &mut progress).await?;
        older.append(&mut found);
        found = older;
        before = after;
        stretch = stretch.saturating_mul(GROWTH);
    }
    found.drain(..found.len().saturating_sub(count));
    Ok((found, end))
}

/// The cursor of the last event there is.
async fn end(server: &Server) -> Result<u64, ServerError> {
    let request = SubscribeRequest {
        filter: None,
        from: Some(From::Now(true)),
        log: 0,
    };
    let mut stream = server.subscribe(request).await?;
    let first = stream.message().await;
    let first = first.map_err(|status| server.explain(&status))?;
    match first.and_then(|it| it.item) {
        Some(Item::Heartbeat(heartbeat)) => Ok(heartbeat.cursor),
        _ => Err(server.silent("it does not say where its log ends")),
    }
}

/// What lies after the one cursor, up to the other.
async fn read(
    server: &Server,
    filter: &Filter,
    rest: &Rest,
    cursors: std::ops::Range<u64>,
    progress: &mut Progress,
) -> Result<Vec<Event>, ServerError> {
    let mut wanted = Vec::new();
    let mut after_cursor = cursors.start;
    while after_cursor < cursors.end {
        let page = server
            .page(ListRequest {
                filter: Some(filter.clone()),
                after_cursor,
                page_size: PAGE,
            })
            .await?;
        progress.add(page.events.len());
        let within = page
            .events
            .into_iter()
            .take_while(|it| it.cursor <= cursors.end);
        wanted.extend(within.filter(|it| rest.passes(it, &names::state(it.state))));
        if !page.more || page.next_cursor <= after_cursor {
            break;
        }
        after_cursor = page.next_cursor;
    }
    Ok(wanted)
}

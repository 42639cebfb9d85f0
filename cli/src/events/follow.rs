//! Follows the stream, and resumes by cursor when the server goes away.

use std::{io, time::Duration};

use api::v1::{
    Event, EventId, Filter, SubscribeRequest, SubscribeResponse, subscribe_request::From,
    subscribe_response::Item,
};
use tokio::time::{sleep, timeout};
use tonic::Streaming;

use super::print::Printer;
use crate::{
    form::AnswerError,
    output::note,
    server::{Server, ServerError},
};

/// Three heartbeats: a server that says nothing for so long is gone.
const SILENCE: Duration = Duration::from_secs(30);

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Follow<'a> {
    server: &'a Server,
    filter: Filter,
    /// Where the next subscription starts.
    from: From,
    /// Which log that is a position in; 0 until it is known.
    log: u64,
    /// The last event of an agent, which gives no cursors and may repeat itself.
    last: Option<EventId>,
    printer: Printer<'a>,
    pause: Duration,
}

/// Why a stream was left.
enum End {
    LimitReached,
    Lost(ServerError),
}

impl<'a> Follow<'a> {
    pub(super) fn new(
        server: &'a Server,
        filter: Filter,
        from: From,
        printer: Printer<'a>,
    ) -> Self {
        Self {
            server,
            filter,
            from,
            log: 0,
            last: None,
            printer,
            pause: FIRST_PAUSE,
        }
    }

    /// Returns when the limit is reached. That the server is away at the start is an error, later on
    /// it is waited for.
    pub(super) async fn run(&mut self) -> Result<(), AnswerError> {
        let mut stream = self.subscribe().await?;
        loop {
            match self.print(&mut stream).await? {
                End::LimitReached => return Ok(()),
                End::Lost(error) => stream = self.resume(error).await?,
            }
        }
    }

    async fn subscribe(&self) -> Result<Streaming<SubscribeResponse>, ServerError> {
        self.server
            .subscribe(SubscribeRequest {
                filter: Some(self.filter.clone()),
                from: Some(self.from),
                log: self.log,
            })
            .await
    }

    async fn resume(
        &mut self,
        lost: ServerError,
    ) -> Result<Streaming<SubscribeResponse>, AnswerError> {
        if !lost.may_pass() {
            return Err(lost.into());
        }
        note(&format!("{lost}; trying again until it is back"));
        loop {
            sleep(self.pause).await;
            self.pause = (self.pause * 2).min(LONGEST_PAUSE);
            match self.subscribe().await {
                Ok(stream) => {
                    note("the server is back");
                    return Ok(stream);
                }
                Err(error) if error.may_pass() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn print(
        &mut self,
        stream: &mut Streaming<SubscribeResponse>,
    ) -> Result<End, AnswerError> {
        // The first heartbeat tells only that the subscription stands, also when the log cannot be read.
        let mut greeted = false;
        loop {
            let response = match timeout(SILENCE, stream.message()).await {
                Ok(Ok(Some(response))) => response,
                Ok(Ok(None)) => return Ok(End::Lost(self.server.silent("it ended the stream"))),
                Ok(Err(status)) => return Ok(End::Lost(self.server.explain(&status))),
                Err(_) => return Ok(End::Lost(self.server.silent("not even a heartbeat came"))),
            };
            if greeted || !matches!(response.item, Some(Item::Heartbeat(_))) {
                self.pause = FIRST_PAUSE;
            }
            greeted = true;
            match response.item {
                Some(Item::Event(event)) => self.event(event)?,
                Some(Item::Gap(gap)) => {
                    self.from = From::AfterCursor(gap.cursor);
                    self.printer.gap(&gap)?;
                }
                Some(Item::Heartbeat(heartbeat)) => {
                    self.from = From::AfterCursor(heartbeat.cursor);
                    self.log = heartbeat.log;
                }
                // Something newer than this program.
                None => {}
            }
            self.printer.flush()?;
            if self.printer.room() == Some(0) {
                return Ok(End::LimitReached);
            }
        }
    }

    /// Prints `event`, unless it is an agent's that was printed before.
    fn event(&mut self, event: Event) -> io::Result<()> {
        self.from = From::AfterCursor(event.cursor);
        if event.cursor == 0 {
            if self
                .last
                .as_ref()
                .zip(event.id.as_ref())
                .is_some_and(|(last, id)| {
                    last.node == id.node && last.epoch == id.epoch && last.sequence >= id.sequence
                })
            {
                return Ok(());
            }
            self.last.clone_from(&event.id);
        }
        self.printer.event(&event)
    }
}

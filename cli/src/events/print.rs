//! Writes events and gaps in the form asked for, and counts towards the limit.

use std::io;

use api::v1::{Event, Gap};

use super::text;
use crate::{json, output::Output, palette::Palette};

#[derive(Debug)]
pub(crate) struct Printer<'a> {
    output: &'a mut Output,
    form: Form,
    room: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Json,
    Text(Palette),
}

impl<'a> Printer<'a> {
    pub(crate) fn new(output: &'a mut Output, json: bool, limit: Option<u64>) -> Self {
        let form = if json {
            Form::Json
        } else {
            Form::Text(Palette::of_stdout())
        };
        Self {
            output,
            form,
            room: limit,
        }
    }

    /// How many more events are wanted; nothing when all are.
    pub(crate) fn room(&self) -> Option<u64> {
        self.room
    }

    pub(crate) fn event(&mut self, event: &Event) -> io::Result<()> {
        self.room = self.room.map(|room| room.saturating_sub(1));
        let line = match self.form {
            Form::Json => json::event(event)?,
            Form::Text(palette) => text::event(event, palette),
        };
        self.output.line(&line)
    }

    pub(crate) fn gap(&mut self, gap: &Gap) -> io::Result<()> {
        let line = match self.form {
            Form::Json => json::gap(gap)?,
            Form::Text(palette) => text::gap(gap, palette),
        };
        self.output.line(&line)
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

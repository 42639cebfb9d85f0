//! Writes events and gaps in the form asked for, and counts towards the limit.

use std::io;

use api::v1::{Event, Gap};

use super::text;
use crate::{filter::Rest, form::Form, json, names, output::Output, palette::Palette};

#[derive(Debug)]
pub(crate) struct Printer<'a> {
    output: &'a mut Output,
    form: Form,
    palette: Palette,
    rest: Rest,
    room: Option<u64>,
}

impl<'a> Printer<'a> {
    pub(crate) fn new(output: &'a mut Output, form: Form, limit: Option<u64>) -> Self {
        Self {
            output,
            form,
            palette: Palette::of_stdout(),
            rest: Rest::default(),
            room: limit,
        }
    }

    /// The same, which prints only what passes.
    pub(crate) fn only(self, rest: Rest) -> Self {
        Self { rest, ..self }
    }

    /// How many more events are wanted; nothing when all are.
    pub(crate) fn room(&self) -> Option<u64> {
        self.room
    }

    pub(crate) fn event(&mut self, event: &Event) -> io::Result<()> {
        if !self.rest.passes(event, &names::state(event.state)) {
            return Ok(());
        }
        self.room = self.room.map(|room| room.saturating_sub(1));
        let line = match self.form {
            Form::Compact => text::event(event, self.palette),
            Form::Wide => text::wide(event, self.palette),
            Form::Json | Form::Yaml => self.form.object(&json::event(event))?,
        };
        self.output.line(&line)
    }

    pub(crate) fn gap(&mut self, gap: &Gap) -> io::Result<()> {
        let line = match self.form.is_for_people() {
            true => text::gap(gap, self.palette),
            false => self.form.object(&json::gap(gap))?,
        };
        self.output.line(&line)
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

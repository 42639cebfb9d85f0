//! The state of the view, and what becomes of it: no terminal, no server, no clock.

use std::time::SystemTime;

use super::{
    panel::{PANELS, Panel},
    row::{Row, sort},
    snapshot::Snapshot,
};

/// The longest text to filter by.
const LONGEST: usize = 253;

/// Rows that a page up or down skips.
const PAGE: usize = 10;

#[derive(Debug)]
pub(super) struct Model {
    pub(super) server: String,
    pub(super) now: SystemTime,
    pub(super) snapshot: Snapshot,
    /// Came while the view is paused.
    held: Option<Box<Snapshot>>,
    pub(super) is_paused: bool,
    /// Since when the server does not answer, and why.
    pub(super) away: Option<(SystemTime, String)>,
    pub(super) text: String,
    pub(super) is_typing: bool,
    pub(super) focus: Panel,
    orders: [Order; PANELS.len()],
    pub(super) opened: Option<Opened>,
}

/// How a panel is sorted, and which of its rows is chosen.
#[derive(Clone, Debug, Default)]
struct Order {
    key: usize,
    is_reversed: bool,
    chosen: Option<String>,
}

/// An anomaly that is looked at.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Opened {
    pub(super) id: String,
    /// None until the server answered.
    pub(super) lines: Option<Vec<String>>,
    pub(super) first: usize,
}

#[derive(Debug)]
pub(super) enum Message {
    Key(Key),
    Told(Box<Snapshot>),
    /// Of the anomaly of this id.
    Details(String, Vec<String>),
    Away(String),
    Tick(SystemTime),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Key {
    Interrupt,
    Escape,
    Enter,
    Erase,
    NextPanel,
    PreviousPanel,
    Up,
    Down,
    PageUp,
    PageDown,
    Character(char),
}

/// What is to be done besides showing the model.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Command {
    Quit,
    /// Ask for everything about the anomaly of this id.
    Explain(String),
}

impl Model {
    pub(super) fn new(server: String, text: String, snapshot: Snapshot, now: SystemTime) -> Self {
        Self {
            server,
            now,
            snapshot,
            held: None,
            is_paused: false,
            away: None,
            text,
            is_typing: false,
            focus: Panel::Anomalies,
            orders: Default::default(),
            opened: None,
        }
    }

    pub(super) fn update(&mut self, message: Message) -> Option<Command> {
        match message {
            Message::Key(key) => return self.key(key),
            Message::Told(snapshot) => {
                self.away = None;
                match self.is_paused {
                    true => self.held = Some(snapshot),
                    false => self.snapshot = *snapshot,
                }
            }
            Message::Details(id, lines) => {
                if let Some(opened) = self.opened.as_mut().filter(|it| it.id == id) {
                    opened.lines = Some(lines);
                }
            }
            Message::Away(why) => {
                let since = self.away.as_ref().map_or(self.now, |(since, _)| *since);
                self.away = Some((since, why));
            }
            Message::Tick(now) => self.now = now,
        }
        None
    }

    /// What the panel shows, in its order.
    pub(super) fn rows(&self, panel: Panel) -> Vec<Row> {
        let order = self.order(panel);
        let mut rows = panel.rows(&self.snapshot, self.now);
        rows.retain(|it| it.has(&self.text));
        sort(&mut rows, order.key, order.is_reversed);
        rows
    }

    /// By what the panel is sorted, and whether the other way round.
    pub(super) fn sorted_by(&self, panel: Panel) -> (&'static str, bool) {
        let order = self.order(panel);
        let name = panel.sorts().get(order.key).copied().unwrap_or_default();
        (name, order.is_reversed)
    }

    /// The place of the chosen row; the first when that one is gone.
    pub(super) fn chosen(&self, panel: Panel, rows: &[Row]) -> usize {
        let chosen = self.order(panel).chosen.as_ref();
        let place = chosen.and_then(|id| rows.iter().position(|it| it.id == *id));
        place.unwrap_or(0)
    }

    fn key(&mut self, key: Key) -> Option<Command> {
        if key == Key::Interrupt {
            return Some(Command::Quit);
        }
        if self.is_typing {
            self.typed(key);
            return None;
        }
        if let Some(opened) = &mut self.opened {
            match key {
                Key::Escape | Key::Enter | Key::Character('q') => self.opened = None,
                Key::Up => opened.first = opened.first.saturating_sub(1),
                Key::PageUp => opened.first = opened.first.saturating_sub(PAGE),
                Key::Down => opened.scroll(1),
                Key::PageDown => opened.scroll(PAGE),
                _ => {}
            }
            return None;
        }
        match key {
            Key::Character('q') => return Some(Command::Quit),
            Key::Character('p' | ' ') => self.pause(),
            Key::Character('/') => self.is_typing = true,
            Key::Character('s') => self.sort_by_next(),
            Key::Character('r') => {
                let order = self.order_mut();
                order.is_reversed = !order.is_reversed;
            }
            Key::Escape => self.text.clear(),
            Key::NextPanel => self.focus_by(1),
            Key::PreviousPanel => self.focus_by(PANELS.len() - 1),
            Key::Up | Key::Character('k') => self.choose(|it| it.saturating_sub(1)),
            Key::Down | Key::Character('j') => self.choose(|it| it + 1),
            Key::PageUp => self.choose(|it| it.saturating_sub(PAGE)),
            Key::PageDown => self.choose(|it| it + PAGE),
            Key::Enter => return self.open(),
            Key::Interrupt | Key::Erase | Key::Character(_) => {}
        }
        None
    }

    fn typed(&mut self, key: Key) {
        match key {
            Key::Enter => self.is_typing = false,
            Key::Escape => {
                self.is_typing = false;
                self.text.clear();
            }
            Key::Erase => {
                self.text.pop();
            }
            Key::Character(character) if self.text.len() < LONGEST => self.text.push(character),
            _ => {}
        }
    }

    fn pause(&mut self) {
        self.is_paused = !self.is_paused;
        if let Some(held) = self.held.take() {
            self.snapshot = *held;
        }
    }

    fn sort_by_next(&mut self) {
        let sorts = self.focus.sorts().len();
        let order = self.order_mut();
        order.key = (order.key + 1) % sorts;
        order.is_reversed = false;
    }

    fn focus_by(&mut self, by: usize) {
        let place = place(self.focus) + by;
        self.focus = PANELS[place % PANELS.len()];
    }

    fn choose(&mut self, which: impl FnOnce(usize) -> usize) {
        let rows = self.rows(self.focus);
        let place = which(self.chosen(self.focus, &rows));
        let row = rows.get(place.min(rows.len().saturating_sub(1)));
        self.order_mut().chosen = row.map(|it| it.id.clone());
    }

    fn open(&mut self) -> Option<Command> {
        if self.focus != Panel::Anomalies {
            return None;
        }
        let rows = self.rows(self.focus);
        let id = rows.get(self.chosen(self.focus, &rows))?.id.clone();
        self.opened = Some(Opened {
            id: id.clone(),
            lines: None,
            first: 0,
        });
        Some(Command::Explain(id))
    }

    fn order(&self, panel: Panel) -> &Order {
        &self.orders[place(panel)]
    }

    fn order_mut(&mut self) -> &mut Order {
        &mut self.orders[place(self.focus)]
    }
}

impl Opened {
    fn scroll(&mut self, by: usize) {
        let length = self.lines.as_ref().map_or(0, Vec::len);
        self.first = (self.first + by).min(length.saturating_sub(1));
    }
}

fn place(panel: Panel) -> usize {
    let place = PANELS.iter().position(|it| *it == panel);
    place.unwrap_or_default()
}

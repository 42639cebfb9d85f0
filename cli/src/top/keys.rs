//! Which key is which.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::model::Key;

/// None for what means nothing here.
pub(super) fn key(event: &Event) -> Option<Key> {
    let Event::Key(KeyEvent {
        code,
        modifiers,
        kind,
        ..
    }) = event
    else {
        return None;
    };
    if *kind == KeyEventKind::Release {
        return None;
    }
    if modifiers.contains(KeyModifiers::CONTROL) {
        let ends = matches!(code, KeyCode::Char('c' | 'd'));
        return ends.then_some(Key::Interrupt);
    }
    Some(match code {
        KeyCode::Esc => Key::Escape,
        KeyCode::Enter => Key::Enter,
        KeyCode::Backspace => Key::Erase,
        KeyCode::Tab | KeyCode::Right => Key::NextPanel,
        KeyCode::BackTab | KeyCode::Left => Key::PreviousPanel,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Char(character) => Key::Character(*character),
        _ => return None,
    })
}

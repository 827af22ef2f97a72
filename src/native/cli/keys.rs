//! Keys as a terminal sends them, to the editor's keys.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::cli::editor::Key;

/// Nothing for keys without a meaning here.
pub fn key(event: &KeyEvent) -> Option<Key> {
    let control = event.modifiers.contains(KeyModifiers::CONTROL);
    let alt = event.modifiers.contains(KeyModifiers::ALT);
    Some(match event.code {
        KeyCode::Char(c) if control => return with_control(c),
        KeyCode::Char(c) if alt => match c {
            'b' | 'B' => Key::WordLeft,
            'f' | 'F' => Key::WordRight,
            'd' | 'D' => Key::CutWord,
            _ => return None,
        },
        KeyCode::Char(c) => Key::Char(c),
        KeyCode::Enter => Key::Enter,
        KeyCode::Backspace if alt || control => Key::CutWordBack,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Delete => Key::Delete,
        KeyCode::Left if control || alt => Key::WordLeft,
        KeyCode::Right if control || alt => Key::WordRight,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::Tab => Key::Tab,
        KeyCode::BackTab => Key::BackTab,
        KeyCode::Esc => Key::Escape,
        _ => return None,
    })
}

fn with_control(c: char) -> Option<Key> {
    Some(match c.to_ascii_lowercase() {
        'a' => Key::Home,
        'b' => Key::Left,
        'c' => Key::Interrupt,
        'd' => Key::DeleteOrEnd,
        'e' => Key::End,
        'f' => Key::Right,
        'g' => Key::Abort,
        'h' => Key::Backspace,
        'i' => Key::Tab,
        'j' | 'm' => Key::Enter,
        'k' => Key::CutToEnd,
        'l' => Key::Clear,
        'n' => Key::Down,
        'p' => Key::Up,
        'r' => Key::SearchBack,
        's' => Key::SearchForward,
        't' => Key::Exchange,
        'u' => Key::CutToStart,
        'w' => Key::CutWordBack,
        'y' => Key::PutBack,
        _ => return None,
    })
}

//! The guard against control characters from elsewhere.

/// Interface names may hold any byte, and a terminal obeys escape sequences and shows text in another
/// order when told to.
#[must_use]
pub fn harmless(text: &str) -> String {
    text.replace(is_harmful, "\u{fffd}")
}

/// Whether a terminal takes it for an order, or shows what follows in another one.
#[must_use]
pub fn is_harmful(character: char) -> bool {
    character.is_control() || is_bidirectional(character)
}

/// Unicode's `Bidi_Control` characters (`PropList.txt`).
const fn is_bidirectional(character: char) -> bool {
    matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_elsewhere_reorders_nothing() {
        for control in [
            '\u{61c}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}',
        ] {
            assert_eq!(harmless(&format!("a{control}b")), "a\u{fffd}b");
        }
        let right_to_left = "שלום \u{200d}";
        assert_eq!(harmless(right_to_left), right_to_left);
    }
}

//! Text from elsewhere in columns: harmless, and never wider than its column.

use ratatui::text::Span;

use super::super::row::Column;
use crate::palette::harmless;

/// Between two columns.
const GAP: u16 = 2;

/// Narrower than this a column says nothing.
const NARROWEST: u16 = 6;

/// How wide each column is, when all together are as wide as that.
pub(crate) fn widths(columns: &[Column], width: u16) -> Vec<u16> {
    let gaps = GAP.saturating_mul(
        u16::try_from(columns.len())
            .unwrap_or(u16::MAX)
            .saturating_sub(1),
    );
    let fixed = columns
        .iter()
        .map(|(_, width)| *width)
        .fold(gaps, u16::saturating_add);
    let flexible = columns.iter().filter(|(_, width)| *width == 0).count();
    let rest = usize::from(width.saturating_sub(fixed)) / flexible.max(1);
    let rest = u16::try_from(rest).unwrap_or(u16::MAX).max(NARROWEST);
    let widths = columns.iter().map(|(_, width)| match width {
        0 => rest,
        width => *width,
    });
    widths.collect()
}

/// Cells side by side.
pub(crate) fn line<'a>(cells: impl Iterator<Item = &'a str>, widths: &[u16]) -> String {
    let padded = cells.zip(widths).map(|(cell, width)| {
        let cell = fit(cell, *width);
        let missing = usize::from(*width).saturating_sub(columns(&cell));
        format!("{cell}{}", " ".repeat(missing))
    });
    let padded: Vec<_> = padded.collect();
    padded
        .join(&" ".repeat(usize::from(GAP)))
        .trim_end()
        .to_owned()
}

/// The text, or the beginning of it that fits.
pub(crate) fn fit(text: &str, width: u16) -> String {
    let text = harmless(text);
    let width = usize::from(width);
    if columns(&text) <= width {
        return text;
    }
    let mut fitting = String::new();
    for character in text.chars() {
        fitting.push(character);
        if columns(&fitting) >= width {
            fitting.pop();
            break;
        }
    }
    fitting + "…"
}

/// Of a terminal.
fn columns(text: &str) -> usize {
    Span::raw(text).width()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_to_the_columns_of_a_terminal() {
        for (text, width, expected) in [
            ("app1", 4, "app1"),
            ("app12", 4, "app…"),
            ("日本語名", 6, "日本…"),
            ("日本語名", 8, "日本語名"),
            ("a\u{1b}[2Jb", 10, "a\u{fffd}[2Jb"),
            ("a\u{202e}b", 10, "a\u{fffd}b"),
            ("ab", 0, "…"),
        ] {
            assert_eq!(fit(text, width), expected, "{text:?}");
        }
        let long = "x".repeat(253);
        assert_eq!(columns(&fit(&long, 30)), 30);
    }

    #[test]
    fn columns_fill_the_width() {
        let columns = [("A", 8), ("B", 0), ("C", 0)];
        assert_eq!(widths(&columns, 40), [8, 14, 14]);
        assert_eq!(
            widths(&columns, 5),
            [8, 6, 6],
            "a terminal cuts what is too wide"
        );
        let widths = widths(&columns, 40);
        let cells = ["aa", "b", "c"].into_iter();
        assert_eq!(line(cells, &widths), "aa        b               c");
    }
}

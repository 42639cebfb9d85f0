//! Columns for people.

use crate::palette::{BOLD, Palette, harmless};

/// Aligned lines, the first of them a heading; the last column is as wide as it needs.
pub(crate) fn table<const N: usize>(
    heading: [&str; N],
    rows: &[[String; N]],
    palette: Palette,
) -> Vec<String> {
    let rows: Vec<_> = rows
        .iter()
        .map(|row| row.each_ref().map(|cell| harmless(cell)))
        .collect();
    let mut widths = heading.map(|cell| cell.chars().count());
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let aligned = |cells: &[&str]| {
        let cells = cells.iter().zip(widths);
        let padded: Vec<_> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        padded.join("  ").trim_end().to_owned()
    };

    let mut lines = vec![palette.paint(BOLD, &aligned(&heading))];
    lines.extend(
        rows.iter()
            .map(|row| aligned(&row.each_ref().map(String::as_str))),
    );
    lines
}

/// What stands in a cell when nothing is known.
pub(crate) fn dash(text: String) -> String {
    match text.is_empty() {
        true => "-".to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_characters_and_lines_have_no_trailing_space() {
        let rows = [
            ["n1".to_owned(), "übel".to_owned(), String::new()],
            ["node-2".to_owned(), "-".to_owned(), "x\n".to_owned()],
        ];
        let lines = table(["NODE", "A", "B"], &rows, Palette::Plain);
        assert_eq!(
            lines,
            ["NODE    A     B", "n1      übel", "node-2  -     x\u{fffd}"]
        );
    }
}

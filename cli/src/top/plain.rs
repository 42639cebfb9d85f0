//! One frame as plain text, for scripts.

use super::{
    model::Model,
    panel::PANELS,
    view::{fit, line, summary, title, widths},
};

/// Rows of a panel that are printed.
const ROWS: usize = 20;

/// Every panel below the other.
pub(super) fn frame(model: &Model, width: u16) -> Vec<String> {
    let mut lines = vec![format!(
        "picket top {}  {}",
        fit(&model.server, 60),
        summary(model)
    )];
    for panel in PANELS {
        let rows = model.rows(panel);
        lines.push(String::new());
        lines.push(title(model, panel, rows.len()).trim().to_owned());
        if rows.is_empty() {
            lines.push(format!("  {}", fit(&panel.empty(&model.snapshot), width)));
            continue;
        }
        let widths = widths(panel.columns(), width.saturating_sub(2));
        let headings = panel.columns().iter().map(|(name, _)| *name);
        lines.push(format!("  {}", line(headings, &widths)));
        for row in rows.iter().take(ROWS) {
            let cells = row.cells.iter().map(String::as_str);
            lines.push(format!("  {}", line(cells, &widths)));
        }
        if rows.len() > ROWS {
            lines.push(format!(
                "  and {} more; --text shows fewer",
                rows.len() - ROWS
            ));
        }
    }
    lines
}

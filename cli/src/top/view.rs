//! What the model looks like on a terminal.

mod areas;
mod cells;

use ratatui::{
    Frame,
    layout::Rect,
    style::{Color, Modifier, Style},
    text::{Line, Span},
    widgets::{Block, Borders, Clear, Paragraph},
};

pub(super) use self::cells::{fit, line, widths};
use super::{
    model::{Model, Opened},
    panel::Panel,
    row::Heat,
};
use crate::time;

const HELP: &str = " Tab panel  ↑↓ row  Enter open  s sort  r reverse  / filter  p pause  q quit";
const HELP_OPENED: &str = " ↑↓ scroll  Esc close";
const HELP_TYPING: &str = "  (Enter keeps it, Esc drops it)";

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>) {
    let areas = areas::of(frame.area(), model.focus);
    frame.render_widget(Line::from(header(model)), areas.header);
    for (panel, area) in areas.panels {
        draw_panel(model, panel, area, frame);
    }
    if let Some(opened) = &model.opened {
        draw_opened(opened, areas.middle, frame);
    }
    frame.render_widget(Line::from(footer(model)), areas.footer);
}

/// Who is asked, whether he answers, and the sum of it.
pub(super) fn summary(model: &Model) -> String {
    let open = model.snapshot.anomalies.open;
    let nodes = match &model.snapshot.nodes {
        Ok(nodes) => {
            let connected = nodes.iter().filter(|it| it.connected).count();
            format!("  nodes {connected}/{}", nodes.len())
        }
        Err(_) => String::new(),
    };
    let contained: u32 = model
        .snapshot
        .graph
        .vertices
        .iter()
        .map(|it| it.contained_pods)
        .sum();
    format!("open {open}{nodes}  contained {contained}")
}

fn header(model: &Model) -> Vec<Span<'static>> {
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let state = match (&model.away, model.is_paused) {
        (Some((since, why)), _) => Span::styled(
            format!(
                "  AWAY for {}: {why}; trying again",
                time::age(Some(*since), model.now)
            ),
            colour(Heat::High),
        ),
        (None, true) => Span::styled("  PAUSED", colour(Heat::Medium)),
        (None, false) => Span::styled("  live", Style::new().fg(Color::Green)),
    };
    vec![
        Span::styled("picket top ", bold),
        Span::raw(fit(&model.server, 60)),
        Span::raw(format!("  {}", summary(model))),
        state,
    ]
}

fn footer(model: &Model) -> Vec<Span<'static>> {
    let dim = Style::new().add_modifier(Modifier::DIM);
    if model.opened.is_some() {
        return vec![Span::styled(HELP_OPENED, dim)];
    }
    let text = crate::palette::harmless(&model.text);
    if model.is_typing {
        return vec![
            Span::raw(format!(" filter: {text}_")),
            Span::styled(HELP_TYPING, dim),
        ];
    }
    let mut spans = vec![Span::styled(HELP, dim)];
    if !text.is_empty() {
        spans.insert(0, Span::raw(format!(" filter: {text} (Esc drops it) ")));
    }
    spans
}

fn draw_panel(model: &Model, panel: Panel, area: Rect, frame: &mut Frame<'_>) {
    let rows = model.rows(panel);
    let is_focused = model.focus == panel;
    let emphasis = match is_focused {
        true => Style::new().add_modifier(Modifier::BOLD),
        false => Style::new(),
    };
    let title = Span::styled(title(model, panel, rows.len()), emphasis);
    let block = Block::new().borders(Borders::TOP).title(title);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let columns = panel.columns();
    let widths = widths(columns, inner.width);
    let headings = columns.iter().map(|(name, _)| *name);
    let dim = Style::new().add_modifier(Modifier::DIM);
    let mut lines = vec![Line::styled(line(headings, &widths), dim)];
    if rows.is_empty() {
        lines.push(Line::raw(fit(&panel.empty(&model.snapshot), inner.width)));
    }
    let chosen = model.chosen(panel, &rows);
    let height = usize::from(inner.height.saturating_sub(1));
    let first = (chosen + 1).saturating_sub(height);
    for (place, row) in rows.iter().enumerate().skip(first).take(height) {
        let text = line(row.cells.iter().map(String::as_str), &widths);
        let style = colour(row.heat);
        let style = match is_focused && place == chosen {
            true => style.add_modifier(Modifier::REVERSED),
            false => style,
        };
        lines.push(Line::styled(text, style));
    }
    frame.render_widget(Paragraph::new(lines), inner);
}

/// What the panel is called, how much it has, and its order.
pub(super) fn title(model: &Model, panel: Panel, rows: usize) -> String {
    let (by, is_reversed) = model.sorted_by(panel);
    let reversed = if is_reversed { ", reversed" } else { "" };
    format!(" {} ({rows}) by {by}{reversed} ", panel.title())
}

fn draw_opened(opened: &Opened, area: Rect, frame: &mut Frame<'_>) {
    let title = format!(" {} ", fit(&opened.id, area.width.saturating_sub(4)));
    let block = Block::bordered().title(title);
    let inner = block.inner(area);
    let waiting = vec!["asking the server".to_owned()];
    let lines = opened.lines.as_ref().unwrap_or(&waiting);
    let lines = lines.iter().skip(opened.first);
    let lines = lines.map(|it| Line::raw(fit(it, inner.width)));
    let lines: Vec<_> = lines.take(usize::from(inner.height)).collect();
    frame.render_widget(Clear, area);
    frame.render_widget(block, area);
    frame.render_widget(Paragraph::new(lines), inner);
}

fn colour(heat: Heat) -> Style {
    match heat {
        Heat::Cold => Style::new(),
        Heat::Low => Style::new().fg(Color::Cyan),
        Heat::Medium => Style::new().fg(Color::Yellow),
        Heat::High => Style::new().fg(Color::Red).add_modifier(Modifier::BOLD),
    }
}

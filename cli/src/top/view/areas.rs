//! Where what is: side by side when there is room, one panel alone when there is hardly any.

use ratatui::layout::{Constraint, Layout, Rect};

use super::super::panel::{PANELS, Panel};

/// From here on two panels have room side by side.
const WIDE: u16 = 120;

/// Below, four panels would have no rows.
const LOW: u16 = 18;

#[derive(Debug)]
pub(super) struct Areas {
    pub(super) header: Rect,
    pub(super) middle: Rect,
    pub(super) footer: Rect,
    pub(super) panels: Vec<(Panel, Rect)>,
}

pub(super) fn of(area: Rect, focus: Panel) -> Areas {
    let [header, middle, footer] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Fill(1),
        Constraint::Length(1),
    ])
    .areas(area);
    let panels = if area.height < LOW {
        vec![(focus, middle)]
    } else if area.width < WIDE {
        let shares = [35, 27, 19, 19].map(Constraint::Percentage);
        let parts = Layout::vertical(shares).split(middle);
        PANELS.into_iter().zip(parts.iter().copied()).collect()
    } else {
        let halves = [45, 55].map(Constraint::Percentage);
        let [anomalies, below] = Layout::vertical(halves).areas(middle);
        let [links, right] = Layout::horizontal(halves.map(|_| Constraint::Fill(1)))
            .spacing(1)
            .areas(below);
        let [pods, nodes] = Layout::vertical([Constraint::Fill(1); 2]).areas(right);
        vec![
            (Panel::Anomalies, anomalies),
            (Panel::Links, links),
            (Panel::Pods, pods),
            (Panel::Nodes, nodes),
        ]
    };
    Areas {
        header,
        middle,
        footer,
        panels,
    }
}

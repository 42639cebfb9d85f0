//! A bar chart as SVG. It takes rectangles and text only; a plotting crate would bring fonts and more.

use std::fmt::Write as _;

/// One bar, in nanoseconds.
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) value: f64,
    /// Drawn as a line across, where there is one.
    pub(super) target: Option<f64>,
}

const LABELS: f64 = 210.0;
const WIDTH: f64 = 760.0;
const ROW: f64 = 22.0;
const TOP: f64 = 44.0;
/// Room for the number behind the longest bar.
const MARGIN: f64 = 60.0;

/// Bars below each other, in one scale.
pub(super) fn svg(title: &str, bars: &[Bar]) -> Result<String, std::fmt::Error> {
    let longest = bars
        .iter()
        .flat_map(|bar| [Some(bar.value), bar.target])
        .flatten()
        .fold(1.0, f64::max);
    let scale = (WIDTH - LABELS - MARGIN) / longest;
    let height = TOP + ROW * bars.len() as f64 + 10.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"10\" y=\"24\" font-size=\"15\">{title}</text>\n"
    );
    for (row, bar) in bars.iter().enumerate() {
        let y = TOP + ROW * row as f64;
        let length = bar.value.max(0.0) * scale;
        let missed = bar.target.is_some_and(|target| bar.value > target);
        let fill = if missed { "#c0392b" } else { "#2f6f9f" };
        writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n\
             <rect x=\"{LABELS}\" y=\"{y}\" width=\"{length:.1}\" height=\"15\" fill=\"{fill}\"/>\n\
             <text x=\"{:.1}\" y=\"{}\">{:.0}</text>",
            LABELS - 8.0,
            y + 12.0,
            bar.name,
            LABELS + length + 5.0,
            y + 12.0,
            bar.value
        )?;
        if let Some(target) = bar.target {
            writeln!(
                svg,
                "<rect x=\"{:.1}\" y=\"{}\" width=\"2\" height=\"19\" fill=\"#222\"/>",
                LABELS + target * scale,
                y - 2.0
            )?;
        }
    }
    svg.push_str("</svg>\n");
    Ok(svg)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_in_one_scale_and_misses_stand_out() {
        let bar = |value, target| Bar {
            name: "x".into(),
            value,
            target,
        };
        let drawn = svg("t", &[bar(10.0, Some(5.0)), bar(5.0, Some(5.0))]).unwrap();
        assert!(
            drawn.contains("width=\"490.0\" height=\"15\" fill=\"#c0392b\""),
            "{drawn}"
        );
        assert!(
            drawn.contains("width=\"245.0\" height=\"15\" fill=\"#2f6f9f\""),
            "{drawn}"
        );
    }
}

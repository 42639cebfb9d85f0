//! With as many outputs as there may be, a process still tells little.

use prometheus_client::{encoding::text, registry::Registry};

use super::{super::list::MOST, Metrics};

/// Of one process.
const SERIES: usize = 200;

fn count(text: &str) -> usize {
    text.lines().filter(|it| !it.starts_with('#')).count()
}

#[test]
fn as_many_outputs_as_there_may_be_leave_few_series() {
    let mut registry = Registry::default();
    let metrics = Metrics::new(&mut registry);
    let written = || {
        let mut text = String::new();
        text::encode(&mut text, &registry).unwrap();
        text
    };
    let without = count(&written());
    for index in 0..MOST {
        drop(metrics.of(&format!("output-{index}")));
    }
    let more = count(&written()) - without;
    assert!(more >= 9 * MOST, "{more}");
    let all = count(&crate::metrics::exposition().unwrap()) + more;
    assert!(all <= SERIES, "{all} series");
}

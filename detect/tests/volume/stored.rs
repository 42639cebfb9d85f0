//! What is usual can be looked at, stored, taken over, and forgotten.

use std::time::Duration;

use detect::{Baseline, Detectors};

use crate::replay::{HOUR, SUBJECT, at, default, ids, play, teach, upload};

const TAUGHT: u64 = 7 * 24 + 2;

fn taught() -> Detectors {
    let mut detectors = default();
    detectors.name(SUBJECT, "shop/web");
    teach(&mut detectors, SUBJECT, 0..TAUGHT, |_| 10_000);
    detectors
}

fn opened_by_an_upload(detectors: &mut Detectors) -> usize {
    play(detectors, at(HOUR * TAUGHT as u32), upload(15)).len()
}

#[test]
fn detectors_that_take_over_know_what_the_former_ones_learned() {
    let former = taught();
    let mut detectors = default();
    detectors.name(SUBJECT, "shop/web");
    assert_eq!(opened_by_an_upload(&mut detectors.clone()), 0);
    detectors.restore(former.baselines()).unwrap();
    assert_eq!(detectors.baselines(), former.baselines());
    assert_eq!(detectors.learned(SUBJECT), former.learned(SUBJECT));
    assert_eq!(opened_by_an_upload(&mut detectors), 1);
}

#[test]
fn a_baseline_that_is_reset_is_learned_anew() {
    let mut detectors = taught();
    assert!(detectors.reset_baseline("shop/web"));
    assert!(!detectors.reset_baseline("shop/web"));
    assert_eq!(detectors.learned(SUBJECT), Duration::ZERO);
    assert_eq!(opened_by_an_upload(&mut detectors), 0);
}

#[test]
fn baselines_can_be_looked_at_by_name() {
    let baselines = taught().baselines();
    assert_eq!(baselines.len(), 1);
    let Baseline { workload, flows } = &baselines[0];
    assert_eq!(workload, "shop/web");
    let names: Vec<_> = flows.keys().map(String::as_str).collect();
    assert_eq!(names.len(), detect::Flow::ALL.len());
    assert!(names.contains(&"bytes_sent") && names.contains(&"syn_received"));
    let usual = f64::from(flows["bytes_sent"].always.level).exp();
    assert!(
        (200_000.0..300_000.0).contains(&usual),
        "{usual}: a quarter of the floor"
    );
}

#[test]
fn flows_of_another_version_are_left_out() {
    let mut baselines = taught().baselines();
    let series = baselines[0].flows["bytes_sent"];
    baselines[0].flows = [("quic_sent".to_owned(), series)].into();
    let mut detectors = default();
    detectors.restore(baselines).unwrap();
    assert!(detectors.baselines()[0].flows.is_empty());
}

#[test]
fn a_damaged_baseline_is_named_and_nothing_is_taken_over() {
    let mut baselines = taught().baselines();
    for series in baselines[0].flows.values_mut() {
        series.always.spread = -1.0;
    }
    let mut detectors = default();
    let error = detectors.restore(baselines).unwrap_err();
    assert_eq!(error.workload, "shop/web");
    assert_eq!(detectors.baselines(), []);
}

#[test]
fn a_restored_workload_goes_on_learning() {
    let mut detectors = default();
    detectors.restore(taught().baselines()).unwrap();
    detectors.name(SUBJECT, "shop/web");
    let before = detectors.learned(SUBJECT);
    let found = teach(&mut detectors, SUBJECT, TAUGHT..TAUGHT + 5, |_| 10_000);
    assert_eq!(ids(&found), Vec::<&str>::new());
    assert_eq!(detectors.learned(SUBJECT), before + 3 * HOUR);
}

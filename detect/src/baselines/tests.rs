//! What holds for the baselines of all workloads.

use super::*;

fn learn(baselines: &mut Baselines, workload: &str, hour: u64) -> u64 {
    let mut usual = Usual {
        workload,
        baselines,
        peers: &mut Peers::default(),
    };
    let at = Time::default() + Duration::from_secs(hour * 3600);
    usual.learn(Flow::SynSent, at, 5000, 100);
    usual.baselines.take_forgotten()
}

#[test]
fn the_workload_that_has_not_learned_for_longest_makes_room() {
    let mut baselines = Baselines::default();
    for n in 0..WORKLOADS {
        assert_eq!(learn(&mut baselines, &format!("w{n}"), 5), 0);
    }
    learn(&mut baselines, "w7", 4);
    for n in (0..WORKLOADS).filter(|&n| n != 7) {
        learn(&mut baselines, &format!("w{n}"), 6);
    }
    assert_eq!(learn(&mut baselines, "another", 6), 1);
    assert_eq!(baselines.all().len(), WORKLOADS);
    assert!(!baselines.workloads.contains_key("w7"));
    assert!(baselines.workloads.contains_key("another"));
}

#[test]
fn a_file_with_more_workloads_than_there_is_room_for_keeps_the_latest() {
    let mut baselines = Baselines::default();
    let series = |latest_hour| Series {
        latest_hour,
        ..Series::default()
    };
    let many = (0..WORKLOADS as u64 + 3).map(|n| Baseline {
        workload: format!("w{n}"),
        flows: BTreeMap::from([(Flow::SynSent.name().to_owned(), series(n))]),
    });
    assert_eq!(baselines.restore(many.collect()), Ok(()));
    assert_eq!(baselines.take_forgotten(), 3);
    assert_eq!(baselines.all().len(), WORKLOADS);
    for (name, kept) in [("w2", false), ("w3", true)] {
        assert_eq!(baselines.workloads.contains_key(name), kept, "{name}");
    }
}

#[test]
fn all_baselines_together_take_a_few_megabytes() {
    let one = size_of::<Learned>() + size_of::<(String, Box<Learned>)>() + 128;
    assert!(one <= 4700, "{one} bytes");
}

#[test]
fn what_was_learned_goes_with_a_name_that_has_learned_nothing_itself() {
    let mut baselines = Baselines::default();
    learn(&mut baselines, "a", 1);
    learn(&mut baselines, "a", 2);
    learn(&mut baselines, "b", 1);
    baselines.rename("a", "c");
    assert_eq!(baselines.learned("c"), Duration::from_secs(7200));
    baselines.rename("c", "b");
    assert_eq!(baselines.learned("b"), Duration::from_secs(3600));
    assert_eq!(baselines.all().len(), 1);
}

#[test]
fn what_is_damaged_is_named_and_changes_nothing() {
    let mut baselines = Baselines::default();
    learn(&mut baselines, "a", 1);
    let before = baselines.all();
    let mut damaged = before.clone();
    for series in damaged.iter_mut().flat_map(|it| it.flows.values_mut()) {
        series.hours[23].level = f32::NAN;
    }
    let error = baselines.restore(damaged).unwrap_err();
    assert_eq!(
        error.to_string(),
        "what is usual for a is damaged at syn_sent"
    );
    assert_eq!(baselines.all(), before);
}

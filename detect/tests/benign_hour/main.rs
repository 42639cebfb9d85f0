//! An hour in the lives of pods that do nobody any harm: nothing above low may be raised.

mod changes;
mod naming;
mod pod;
mod talkers;
mod watchers;

use std::collections::BTreeSet;

use detect::{Anomaly, Detectors, Settings, Severity};

use crate::pod::Pod;

const SECONDS: u64 = 3600;

/// What the detectors find in an hour of a pod, and until everything is settled.
fn live(index: u32, mut act: impl FnMut(&mut Pod, u64)) -> Vec<Anomaly> {
    let mut detectors = Detectors::new(Settings::default());
    let (mut pod, mut found) = (Pod::new(index), Vec::new());
    for second in 0..SECONDS + 60 {
        if second < SECONDS {
            act(&mut pod, second);
        }
        let (now, observation) = pod.end();
        detectors.observe(&observation, now, &mut found);
    }
    found
}

/// Detectors and the worst of each, with what it says it counted.
fn told(found: &[Anomaly]) -> BTreeSet<(Severity, &'static str, String)> {
    let told = found.iter().map(|anomaly| {
        let crossed = anomaly.crossed;
        let why = format!(
            "{} {} of {} in {:?}, at {}, {} targets from {:?}",
            crossed.counted,
            crossed.measure.name(),
            crossed.threshold,
            crossed.window,
            anomaly.crossed_at,
            anomaly.targets.len() as u64 + anomaly.further_targets,
            anomaly
                .targets
                .first()
                .map(|it| (it.address, &it.sample_ports)),
        );
        (anomaly.severity, anomaly.detector, why)
    });
    told.collect()
}

/// Asserts that nothing above info is raised; and of `low`, that it is and that nothing worse is.
fn check(index: u32, act: impl FnMut(&mut Pod, u64), low: &[&str]) {
    let found = live(index, act);
    let told = told(&found);
    let worse: Vec<_> = told
        .iter()
        .filter(|(severity, ..)| *severity > Severity::Low)
        .collect();
    assert!(worse.is_empty(), "{worse:#?}");
    let raised = told
        .iter()
        .filter(|(severity, ..)| *severity == Severity::Low);
    let raised: BTreeSet<_> = raised.map(|(_, detector, _)| *detector).collect();
    assert_eq!(raised, low.iter().copied().collect(), "{told:#?}");
}

#[test]
fn probes_of_110_pods() {
    check(1, watchers::kubelet, &[]);
}

#[test]
fn a_scraper_whose_targets_are_there() {
    check(2, watchers::scraper(1000, 1), &[]);
}

#[test]
fn a_scraper_of_1000_targets_of_which_a_tenth_is_stale() {
    check(2, watchers::scraper(1000, 10), &[]);
}

#[test]
fn a_resolver() {
    check(3, naming::resolver, &[]);
}

#[test]
fn a_client_with_a_search_list() {
    check(4, naming::ndots, &[]);
}

#[test]
fn gossip() {
    check(5, talkers::gossip, &[]);
}

#[test]
fn a_media_server_with_72_joins_an_hour() {
    check(6, talkers::media(72), &[]);
}

#[test]
fn a_media_server_with_900_joins_an_hour() {
    check(6, talkers::media(900), &[]);
}

#[test]
fn an_active_ftp_server_with_60_files_each_ten_minutes() {
    check(7, talkers::ftp(60), &[]);
}

#[test]
fn an_active_ftp_server_with_150_files_each_ten_minutes() {
    check(7, talkers::ftp(150), &[]);
}

#[test]
fn rolling_restarts() {
    check(8, changes::rolling_restarts, &[]);
}

#[test]
fn fifty_clients_of_a_dead_dependency() {
    for client in 0..50 {
        check(100 + client, changes::dead_dependency(client.into()), &[]);
    }
}

#[test]
fn a_backup() {
    check(9, talkers::backup, &[]);
}

//! One decision at a time.

use std::collections::BTreeMap;

use api::{
    containment::LONGEST_LEASE,
    selector::Selector,
    v1::{ActionKind, State},
};

use super::*;
use crate::containment::{Change, Deed, Kept, Order, Refusal, Step};

const MINUTES: u64 = 60;

fn what(step: Option<&Step>) -> Option<(ActionKind, Option<&'static str>)> {
    step.map(|it| (it.kind, it.refused))
}

fn contained(machine: &mut Containment, ifindex: u32, pod: &v1::Pod, now: Time) -> bool {
    let step = machine.found(SCAN, &suspect(ifindex, pod), 10, now);
    step.is_some_and(|it| it.kind == ActionKind::Contained)
}

fn order(sequence: u64, pod: &v1::Pod, deed: Deed) -> Order {
    Order {
        id: format!("c{sequence}"),
        operator: "anna".into(),
        sequence,
        namespace: pod.namespace.clone(),
        pod: pod.name.clone(),
        uid: pod.uid.clone(),
        reason: "it looks bad".into(),
        deed,
    }
}

#[test]
fn a_scan_contains_its_pod_for_the_lease_and_says_why() {
    let mut machine = machine(acting());
    let app = pod("blue", "app");
    let step = machine.found(SCAN, &suspect(3, &app), 10, at(5)).unwrap();
    assert_eq!(step.change, Change::Contain(at(5 + 10 * MINUTES)));
    let told = step.told.unwrap();
    assert_eq!(
        (told.kind, told.state),
        (ActionKind::Contained, State::Opened)
    );
    assert_eq!(
        (&told.reason[..], &told.anomaly_id[..]),
        ("it scanned", "a1")
    );
    assert_eq!(
        (&told.pod[..], told.until),
        ("app", Some(at(5 + 10 * MINUTES)))
    );
}

#[test]
fn what_says_nothing_of_the_pod_does_nothing() {
    let app = pod("blue", "app");
    for found in [
        Found {
            shadow: true,
            ..SCAN
        },
        Found {
            is_source: false,
            ..SCAN
        },
        Found {
            detector: "beacon",
            ..SCAN
        },
        Found {
            state: State::Closed,
            ..SCAN
        },
    ] {
        let mut machine = machine(acting());
        let step = machine.found(found, &suspect(3, &app), 10, at(1));
        assert!(step.is_none(), "{found:?}: {step:?}");
    }
    let mut off = machine(Settings {
        mode: Mode::Off,
        ..acting()
    });
    assert!(off.found(SCAN, &suspect(3, &app), 10, at(1)).is_none());
}

#[test]
fn what_stands_against_it_is_told_once_in_a_while() {
    let app = pod("blue", "app");
    let unknown = v1::Pod {
        uid: String::new(),
        ..app.clone()
    };
    let ended = v1::Pod {
        ended_at: Some(v1::Timestamp::default()),
        ..app.clone()
    };
    let system = pod("kube-system", "proxy");
    let nobody = Suspect {
        pod: None,
        ..suspect(3, &app)
    };
    let propose = Settings {
        mode: Mode::Propose,
        ..acting()
    };
    let (proposed, refused) = (ActionKind::Proposed, ActionKind::Refused);
    for (settings, suspect, kind, reason) in [
        (acting(), nobody, proposed, "unknown_pod"),
        (acting(), suspect(3, &unknown), proposed, "unknown_pod"),
        (acting(), suspect(3, &ended), refused, "ended_pod"),
        (acting(), suspect(3, &system), refused, "protected"),
        (propose.clone(), suspect(3, &app), proposed, "propose"),
        (propose, suspect(3, &system), refused, "protected"),
    ] {
        let mut machine = machine(settings);
        let step = machine.found(SCAN, &suspect, 10, at(1));
        assert_eq!(what(step.as_ref()), Some((kind, Some(reason))));
        let step = step.unwrap();
        assert_eq!(step.change, Change::Nothing);
        assert!(step.told.is_some());
        let again = machine.found(SCAN, &suspect, 10, at(2)).unwrap();
        assert!(again.told.is_none(), "told again");
        let later = machine.found(SCAN, &suspect, 10, at(20 * MINUTES)).unwrap();
        assert_eq!(later.told.unwrap().withheld, 1);
        assert!(machine.armed(&[suspect], 10, at(3)).subjects.is_empty());
    }
}

#[test]
fn caps_hold() {
    let pods: Vec<_> = (0..8)
        .map(|it| pod(&format!("ns{it}"), &format!("p-{it}x")))
        .collect();
    let count = |settings, watched: usize, seconds: u64, pods: &[v1::Pod]| {
        let mut machine = machine(settings);
        let all = pods.iter().zip(0..);
        all.filter(|(pod, index)| {
            let suspect = suspect(*index, pod);
            let step = machine.found(SCAN, &suspect, watched, at(seconds * u64::from(*index)));
            step.is_some_and(|it| it.kind == ActionKind::Contained)
        })
        .count()
    };
    let share = |max_share_percent| Settings {
        max_share_percent,
        ..acting()
    };
    assert_eq!(count(share(10), 8, 60, &pods), 1, "at least one");
    assert_eq!(count(share(10), 25, 60, &pods), 2);
    assert_eq!(count(share(100), 4, 60, &pods), 4);
    assert_eq!(count(acting(), 100, 1, &pods), 3, "a minute");
    assert_eq!(count(acting(), 100, 30, &pods), 8);
    let same: Vec<_> = (0..8).map(|it| pod("blue", &format!("p{it}x"))).collect();
    assert_eq!(count(acting(), 100, 60, &same), 3, "of one namespace");
}

#[test]
fn of_replicas_that_probe_at_once_one_is_contained() {
    let mut machine = machine(acting());
    let web = |name: &str| pod("blue", &format!("web-5d4f7c9b8-{name}"));
    assert!(contained(&mut machine, 1, &web("x2x7k"), at(1)));
    let step = machine.found(SCAN, &suspect(2, &web("bcdfg")), 10, at(2));
    let proposed = Some((ActionKind::Proposed, Some("replica_storm")));
    assert_eq!(what(step.as_ref()), proposed);
    assert!(contained(&mut machine, 3, &pod("blue", "other"), at(3)));
    assert!(contained(
        &mut machine,
        2,
        &web("bcdfg"),
        at(10 * MINUTES + 1)
    ));
}

#[test]
fn what_goes_on_is_renewed_and_what_does_not_ends() {
    let mut machine = machine(acting());
    let app = pod("blue", "app");
    let suspects = [suspect(3, &app)];
    assert!(contained(&mut machine, 3, &app, at(0)));
    assert!(machine.review(&suspects, at(7 * MINUTES)).is_empty());
    let steps = machine.review(&suspects, at(8 * MINUTES));
    assert_eq!(steps[0].change, Change::Contain(at(18 * MINUTES)));
    assert_eq!(steps[0].kind, ActionKind::Renewed);
    let closed = Found {
        state: State::Closed,
        ..SCAN
    };
    machine.found(closed, &suspects[0], 10, at(9 * MINUTES));
    assert!(machine.review(&suspects, at(17 * MINUTES)).is_empty());
    let steps = machine.review(&suspects, at(18 * MINUTES));
    assert_eq!(
        (steps[0].kind, steps[0].change),
        (ActionKind::Expired, Change::Release)
    );
    assert!(machine.is_idle());

    // Contained once more, it is for twice as long, and never longer than a day without an end.
    let step = machine
        .found(SCAN, &suspects[0], 10, at(19 * MINUTES))
        .unwrap();
    assert_eq!(step.change, Change::Contain(at(39 * MINUTES)));
    let mut last = at(39 * MINUTES);
    for minute in 20..3000 {
        for step in machine.review(&suspects, at(minute * MINUTES)) {
            if let Change::Contain(until) = step.change {
                last = until;
            }
        }
    }
    assert_eq!(last, at(19 * MINUTES) + LONGEST_LEASE);
    assert!(machine.is_idle());
}

#[test]
fn it_ends_with_whom_it_was_for() {
    let app = pod("blue", "app");
    let other = v1::Pod {
        uid: "other".into(),
        ..app.clone()
    };
    let ended = v1::Pod {
        ended_at: Some(v1::Timestamp::default()),
        ..app.clone()
    };
    let unknown = Suspect {
        pod: None,
        ..suspect(3, &app)
    };
    for (suspects, released) in [
        (vec![], true),
        (vec![suspect(3, &other)], true),
        (vec![suspect(3, &ended)], true),
        (vec![unknown], false),
        (vec![suspect(3, &app)], false),
    ] {
        let mut machine = machine(acting());
        assert!(contained(&mut machine, 3, &app, at(0)));
        let steps = machine.review(&suspects, at(1));
        let kinds: Vec<_> = steps.iter().map(|it| it.kind).collect();
        let expected: &[_] = if released {
            &[ActionKind::Released]
        } else {
            &[]
        };
        assert_eq!(kinds, expected, "{suspects:?}");
    }
}

#[test]
fn new_settings_release_what_may_no_longer_be_contained() {
    let app = pod("blue", "app");
    let mut own = machine(acting());
    assert!(contained(&mut own, 3, &app, at(0)));
    let propose = Settings {
        mode: Mode::Propose,
        ..acting()
    };
    assert_eq!(own.set(propose.clone(), at(1)).len(), 1);
    let lease = Deed::Contain(Duration::from_secs(60));
    own.obey(&order(1, &app, lease), &[suspect(3, &app)], at(2))
        .1
        .unwrap();
    assert!(own.set(acting(), at(3)).is_empty());
    assert!(own.set(propose, at(3)).is_empty(), "a person's stays");
    let protected = Settings {
        protected: vec![Selector {
            namespaces: vec!["blue".into()],
            ..Selector::default()
        }],
        ..acting()
    };
    assert!(own.set(protected, at(4)).is_empty());
    let steps = own.review(&[suspect(3, &app)], at(5));
    assert_eq!(steps[0].kind, ActionKind::Released);
}

#[test]
fn a_person_is_obeyed_beyond_the_caps_but_not_beyond_protection() {
    let mut machine = machine(Settings {
        mode: Mode::Off,
        ..acting()
    });
    let (app, system) = (pod("blue", "app"), pod("kube-system", "proxy"));
    let suspects = [suspect(3, &app), suspect(4, &system)];
    let lease = |seconds| Deed::Contain(Duration::from_secs(seconds));
    let elsewhere = v1::Pod {
        uid: "another".into(),
        ..app.clone()
    };
    for (sequence, pod, deed, expected) in [
        (10, &app, Deed::Release, Err(Refusal::NotContained)),
        (11, &app, lease(0), Err(Refusal::Lease)),
        (12, &app, lease(86_401), Err(Refusal::Lease)),
        (13, &app, lease(60), Ok(())),
        (13, &app, lease(90), Err(Refusal::Replayed)),
        (12, &app, lease(90), Err(Refusal::Replayed)),
        (14, &app, lease(90), Ok(())),
        (15, &elsewhere, Deed::Release, Err(Refusal::Elsewhere)),
        (16, &app, Deed::Release, Ok(())),
    ] {
        let (step, done) = machine.obey(&order(sequence, pod, deed), &suspects, at(1));
        assert_eq!(done, expected, "{sequence}");
        let told = step.told.unwrap();
        assert_eq!(
            (&told.by[..], told.command_id),
            ("anna", format!("c{sequence}"))
        );
    }
    let (_, done) = machine.obey(&order(17, &system, lease(60)), &suspects, at(1));
    assert!(matches!(done, Err(Refusal::Protected(_))), "{done:?}");
    // The agent does not undo what a person decided.
    machine.set(acting(), at(2));
    let step = machine.found(SCAN, &suspects[0], 10, at(3));
    let proposed = Some((ActionKind::Proposed, Some("released_by_operator")));
    assert_eq!(what(step.as_ref()), proposed);
}

#[test]
fn the_next_agent_takes_over_what_the_kernel_still_holds() {
    let (app, other) = (pod("blue", "app"), pod("red", "other"));
    let mut first = machine(acting());
    assert!(contained(&mut first, 3, &app, at(0)));
    assert!(contained(&mut first, 4, &other, at(0)));
    let kept = first.kept("boot");
    let leases = BTreeMap::from([
        (subject(3), at(10 * MINUTES)),
        (subject(4), at(60)),
        (subject(9), at(10 * MINUTES)),
    ]);
    let mut next = Containment::new(acting(), 8);
    let steps = next.adopt(kept.clone(), "boot", &leases, at(100));
    let told: Vec<_> = steps
        .iter()
        .map(|it| (it.subject.unwrap().ifindex, it.kind))
        .collect();
    assert_eq!(told, [(4, ActionKind::Expired), (9, ActionKind::Contained)]);
    assert_eq!(
        steps[0].told.as_ref().unwrap().opened_by,
        7,
        "the same anomaly"
    );
    assert_eq!(next.held().count(), 2);
    let steps = next.review(&[suspect(3, &app), suspect(9, &other)], at(10 * MINUTES));
    assert!(
        steps.iter().all(|it| it.kind == ActionKind::Expired),
        "{steps:?}"
    );
    assert!(next.is_idle());

    let mut bare = Containment::new(acting(), 9);
    let steps = bare.adopt(kept.clone(), "boot", &BTreeMap::new(), at(100));
    for step in &steps {
        assert_eq!(step.kind, ActionKind::Released, "no lease ended: {step:?}");
    }
    assert!(steps.len() == 2 && bare.is_idle());

    let mut rebooted = Containment::new(acting(), 9);
    let steps = rebooted.adopt(kept, "another", &BTreeMap::new(), at(1));
    assert_eq!(steps.len(), 2, "they ended with the boot");
    assert!(rebooted.is_idle());
}

#[test]
fn a_forged_command_is_told_of_but_not_without_end_and_silences_nobody() {
    let mut machine = machine(Settings {
        mode: Mode::Propose,
        ..acting()
    });
    let told = (0..100).filter(|_| machine.reject("c1", "no signature", at(1)).told.is_some());
    assert_eq!(told.count(), 10);
    let app = pod("blue", "app");
    let suspects = [suspect(3, &app)];
    let (step, done) = machine.obey(&order(1, &app, Deed::Release), &suspects, at(1));
    assert_eq!(done, Err(Refusal::NotContained));
    assert_eq!(step.told.unwrap().by, "anna");
    let proposed = machine.found(SCAN, &suspects[0], 10, at(1)).unwrap();
    assert_eq!(proposed.told.unwrap().withheld, 0);
}

#[test]
fn no_lease_goes_on_for_what_nobody_minds_any_more() {
    let mut machine = machine(acting());
    let app = pod("blue", "app");
    assert!(contained(&mut machine, 3, &app, at(0)));
    machine.close(SCAN.anomaly_id);
    let suspects = [suspect(3, &app)];
    assert!(machine.review(&suspects, at(9 * MINUTES)).is_empty());
    let steps = machine.review(&suspects, at(10 * MINUTES));
    assert_eq!(steps[0].kind, ActionKind::Expired);
}

#[test]
fn a_person_who_contains_an_interface_that_is_contained_means_the_pod_of_now() {
    let (app, other) = (pod("blue", "app"), pod("red", "other"));
    let leases = BTreeMap::from([(subject(3), at(10 * MINUTES))]);
    for known_before in [false, true] {
        let mut machine = machine(acting());
        match known_before {
            true => assert!(contained(&mut machine, 3, &app, at(0))),
            false => drop(machine.adopt(Kept::default(), "boot", &leases, at(0))),
        }
        let deed = Deed::Contain(Duration::from_secs(60));
        let (step, done) = machine.obey(&order(1, &other, deed), &[suspect(3, &other)], at(1));
        done.unwrap();
        let told = step.told.unwrap();
        assert_eq!((&told.namespace[..], &told.pod[..]), ("red", "other"));
        assert_eq!(told.uid, other.uid);
        let steps = machine.review(&[suspect(3, &other)], at(2));
        assert!(steps.is_empty(), "it is this one's: {steps:?}");
    }
}

//! Which trips may hold their pod, and what becomes of those in vain.

use api::v1::{ActionKind, State};

use super::*;
use crate::containment::Change;

fn pods(count: u32) -> Vec<v1::Pod> {
    (0..count)
        .map(|it| pod(&format!("ns{it}"), &format!("p{it}x")))
        .collect()
}

fn suspects(pods: &[v1::Pod]) -> Vec<Suspect<'_>> {
    pods.iter()
        .zip(0..)
        .map(|(pod, it)| suspect(it, pod))
        .collect()
}

#[test]
fn no_more_are_held_at_a_time_than_may_be_contained() {
    let pods = pods(20);
    let suspects = suspects(&pods);
    let same: Vec<_> = (0..20).map(|it| pod("blue", &format!("p{it}x"))).collect();
    let same = self::suspects(&same);
    let share = |max_share_percent| Settings {
        max_share_percent,
        ..acting()
    };
    let wide = Settings {
        max_per_minute: 100,
        ..acting()
    };
    let widest = Settings {
        max_per_namespace: 100,
        ..wide.clone()
    };
    let propose = Settings {
        mode: Mode::Propose,
        ..acting()
    };
    for (settings, suspects, expected) in [
        (share(5), &suspects, 1),
        (share(10), &suspects, 2),
        (acting(), &suspects, 3),
        (widest, &suspects, 20),
        // Those that trip first may all be of one namespace.
        (wide.clone(), &suspects, 3),
        (wide, &same, 3),
        (propose, &suspects, 0),
    ] {
        let machine = machine(settings.clone());
        let armed = machine.armed(suspects, suspects.len(), at(1));
        let most = armed.most.min(armed.subjects.len());
        assert_eq!(most, expected, "{settings:?}");
    }
}

#[test]
fn what_is_contained_leaves_so_much_less_to_be_held() {
    let pods = pods(20);
    let suspects = suspects(&pods);
    let mut machine = machine(acting());
    for (index, left) in [(0, 2), (1, 1), (2, 0)] {
        machine.found(SCAN, &suspects[index], 20, at(1)).unwrap();
        let armed = machine.armed(&suspects, 20, at(1));
        assert_eq!(armed.most.min(armed.subjects.len()), left);
        assert!(!armed.subjects.contains(&suspects[index].subject));
    }
}

#[test]
fn who_is_held_in_vain_is_told_of_and_not_held_again_for_a_while() {
    let app = pod("blue", "app");
    let busy = suspect(3, &app);
    let is_armed = |machine: &Containment, seconds| {
        let armed = machine.armed(&[busy], 100, at(seconds));
        armed.most > 0 && armed.subjects == [busy.subject]
    };
    let mut machine = machine(acting());
    assert!(is_armed(&machine, 1));
    assert!(machine.let_go(busy.subject, at(1)));
    let step = machine.held_in_vain(&busy, 7, at(1));
    assert_eq!(
        (step.kind, step.change),
        (ActionKind::Held, Change::Nothing)
    );
    let told = step.told.unwrap();
    assert_eq!((told.state, &told.pod[..]), (State::Opened, "app"));
    assert!(told.reason.contains("7 packets"), "{}", told.reason);
    let nothing = machine.held_in_vain(&busy, 0, at(1));
    assert!(nothing.told.is_none(), "nobody lost anything");
    assert!(!is_armed(&machine, 600));
    assert!(is_armed(&machine, 601));
    // It can be contained all the same, and then the hold was not in vain.
    machine.found(SCAN, &busy, 100, at(2)).unwrap();
    assert!(!machine.let_go(busy.subject, at(2)));
}

#[test]
fn holds_in_vain_are_under_the_cap_of_a_minute_and_take_nothing_from_containments() {
    let pods = pods(20);
    let suspects = suspects(&pods);
    let mut machine = machine(acting());
    for (index, left) in [(0, 2), (1, 1), (2, 0)] {
        assert!(machine.let_go(suspects[index].subject, at(1)));
        assert_eq!(machine.armed(&suspects, 20, at(1)).most, left);
    }
    let step = machine.found(SCAN, &suspects[5], 20, at(2)).unwrap();
    assert_eq!(step.kind, ActionKind::Contained);
    assert_eq!(machine.armed(&suspects, 20, at(61)).most, 2);
}

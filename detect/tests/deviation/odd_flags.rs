//! Segments with flags that no operating system sends.

use detect::{Class, Measure, Severity::Low, State, Technique, Transport};

use crate::replay::{find, life, ms, nothing, packets, peer, sent};
use State::{Closed, Opened, Updated};

#[test]
fn ten_in_a_minute_are_too_many_whatever_their_flags() {
    let classes = [Class::Null, Class::Fin, Class::Xmas, Class::OddFlags];
    for class in classes {
        for (count, expected) in [(9, vec![]), (10, vec![(Opened, Low)])] {
            let found = find("odd_flags", [(100, packets(class, count))]);
            assert_eq!(life(&found), expected, "{count} of {class:?}");
        }
    }
    let mixed = classes.map(|class| (100 * class as u64, packets(class, 3)));
    assert_eq!(life(&find("odd_flags", mixed)), [(Opened, Low)]);
}

#[test]
fn ten_in_more_than_a_minute_are_not() {
    let one = |n: u64| (n * 6800, packets(Class::Null, 1));
    assert_eq!(find("odd_flags", (0..100).map(one)), []);
    let one = |n: u64| (n * 6600, packets(Class::Null, 1));
    assert_eq!(life(&find("odd_flags", (0..10).map(one))), [(Opened, Low)]);
}

#[test]
fn flags_that_operating_systems_send_do_not_count() {
    for class in Class::ALL {
        let odd = matches!(
            class,
            Class::Null | Class::Fin | Class::Xmas | Class::OddFlags
        );
        let found = find("odd_flags", [(100, packets(class, 1000))]);
        assert_eq!(!found.is_empty(), odd, "{class:?}");
    }
}

#[test]
fn it_names_targets_that_were_sent_to_before_it_opened() {
    let mut before = packets(Class::Xmas, 9);
    let one = |at, n, port| sent(at, peer(n), Transport::Tcp, port, Technique::Xmas);
    before.contacts = (0..9).map(|n| one(100 + n, 1, n as u16)).collect();
    before
        .contacts
        .push(sent(110, peer(9), Transport::Tcp, 80, Technique::Syn));
    let mut after = packets(Class::Xmas, 1);
    after.contacts = vec![one(5000, 2, 443)];
    let mut late = packets(Class::Xmas, 100);
    late.contacts = vec![one(6000, 3, 443)];
    let found = find(
        "odd_flags",
        [
            (200, before),
            (5100, after),
            (6100, late),
            nothing(66_099),
            nothing(66_100),
        ],
    );
    let states: Vec<_> = found.iter().map(|it| it.state).collect();
    assert_eq!(states, [Opened, Updated, Closed]);
    let opened = &found[0];
    assert_eq!((opened.crossed_at, opened.first_seen), (ms(5000), ms(100)));
    assert_eq!(opened.crossed.measure, Measure::OddFlags);
    assert_eq!((opened.crossed.counted, opened.crossed.threshold), (10, 10));
    let targets: Vec<_> = opened.targets.iter().map(|it| it.address).collect();
    assert_eq!(targets, [peer(1), peer(2)]);
    assert_eq!(opened.technique, Some(Technique::Xmas));
    assert_eq!((found[2].counted, found[2].targets.len()), (110, 3));
}

#[test]
fn what_was_counted_before_the_end_opens_nothing_after_it() {
    let life = life(&find(
        "odd_flags",
        [
            (100, packets(Class::Fin, 50)),
            nothing(60_100),
            (62_000, packets(Class::Fin, 9)),
            nothing(70_000),
        ],
    ));
    assert_eq!(life, [(Opened, Low), (Closed, Low)]);
}

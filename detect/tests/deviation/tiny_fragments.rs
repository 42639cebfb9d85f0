//! Fragments too small for the header they begin.

use detect::{Class, Measure, Severity::Medium, State, Technique, Transport};

use crate::replay::{find, life, packets, peer, sent};
use State::Opened;

#[test]
fn three_in_a_minute_are_too_many() {
    for (count, expected) in [(2, vec![]), (3, vec![(Opened, Medium)])] {
        let found = find(
            "tiny_fragments",
            [(100, packets(Class::TinyFragment, count))],
        );
        assert_eq!(life(&found), expected, "{count}");
    }
    let apart = |n: u64| (n * 31_000, packets(Class::TinyFragment, 1));
    assert_eq!(find("tiny_fragments", (0..20).map(apart)), []);
}

#[test]
fn it_says_what_and_to_whom() {
    let mut tiny = packets(Class::TinyFragment, 3);
    let technique = Technique::TinyFragment;
    tiny.contacts = vec![sent(90, peer(1), Transport::Tcp, 22, technique)];
    let found = find("tiny_fragments", [(100, tiny)]);
    let crossed = found[0].crossed;
    assert_eq!(crossed.measure, Measure::TinyFragments);
    assert_eq!((crossed.counted, crossed.threshold), (3, 3));
    assert_eq!(found[0].targets[0].address, peer(1));
    assert_eq!(found[0].technique, Some(technique));
}

//! A pod that had an interface, and one that comes after.

use super::*;

#[test]
fn a_new_sandbox_of_the_same_pod_is_bound_to_it() {
    let mut binder = Binder::new("n1", Vec::new(), true);
    appear(&mut binder, subject(7, 1), 1, 1500);
    binder.bind(&table([pod("a", 1, 1000)]), true, at(2000));
    binder.gone(7, at(60_000));
    appear(&mut binder, subject(8, 1), 1, 61_000);
    let again = v1::Pod {
        running_at: rounded(62_000),
        ..pod("a", 1, 1000)
    };
    assert_eq!(
        binder.bind(&table([again]), true, at(63_000)),
        [subject(8, 1)]
    );
}

#[test]
fn who_has_the_address_of_a_pod_of_less_than_a_second_is_not_taken_for_it() {
    let mut binder = Binder::new("n1", Vec::new(), true);
    let short = v1::Pod {
        running_at: rounded(1000),
        ..pod("a", 1, 1000)
    };
    appear(&mut binder, subject(7, 1), 1, 1100);
    binder.bind(&table([short.clone()]), true, at(1500));
    assert_eq!(binder.key_of(subject(7, 1)), Some("a"));
    binder.gone(7, at(1600));
    appear(&mut binder, subject(7, 2), 1, 2300);
    let bound = binder.bind(&table([short]), true, at(2400));
    assert!(bound.is_empty(), "{bound:?}");
}

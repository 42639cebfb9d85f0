//! A policy that is changed line by line says what it is to say, and all else stays.

use super::*;
use crate::policy::{Policy, Time};

fn set(detector: &str, key: &str, value: &str) -> Change {
    Change::Set {
        detector: detector.into(),
        key: key.into(),
        value: value.into(),
    }
}

fn exception(name: &str) -> Change {
    Change::Add(Box::new(NewException {
        name: name.into(),
        owner: "team: a".into(),
        reason: "it's #1".into(),
        detectors: vec!["port_scan".into()],
        namespaces: vec!["blue".into()],
        labels: vec![("app".into(), "yes".into())],
        until: "2099-01-01T00:00:00Z".into(),
        ..NewException::default()
    }))
}

#[track_caller]
fn check(text: &str, changes: &[Change], expected: &str) {
    let edited = edit(text, changes).unwrap();
    assert_eq!(edited, expected);
    let read = Policy::read("p", &edited, Time::Before, &[]);
    assert!(read.is_ok(), "{}", read.unwrap_err());
}

#[test]
fn a_setting_is_changed_where_it_stands_and_all_else_stays() {
    let mode = [set("port_scan", "mode", "shadow")];
    for (text, expected) in [
        ("", "detectors:\n  port_scan: {mode: shadow}\n"),
        (
            "# a\nsilence: 2s\n",
            "# a\nsilence: 2s\ndetectors:\n  port_scan: {mode: shadow}\n",
        ),
        (
            "detectors: # d\n    ip_sweep:\n        mode: off # i\n",
            "detectors: # d\n    port_scan: {mode: shadow}\n    ip_sweep:\n        mode: off # i\n",
        ),
        (
            "detectors:\n  port_scan: # p\n    quiet: 90s\n",
            "detectors:\n  port_scan: # p\n    mode: shadow\n    quiet: 90s\n",
        ),
        (
            "detectors:\n  port_scan:\n    # why\n    mode: on   # so\n",
            "detectors:\n  port_scan:\n    # why\n    mode: shadow   # so\n",
        ),
        (
            "detectors: {port_scan: {quiet: 90s, mode: on}, ip_sweep: {mode: off}}\n",
            "detectors: {port_scan: {quiet: 90s, mode: shadow}, ip_sweep: {mode: off}}\n",
        ),
        (
            "detectors:\n  port_scan: {quiet: 90s}\n",
            "detectors:\n  port_scan: {mode: shadow, quiet: 90s}\n",
        ),
        (
            "detectors: {}\n",
            "detectors: {port_scan: {mode: shadow}}\n",
        ),
    ] {
        check(text, &mode, expected);
    }
}

#[test]
fn exceptions_come_and_go_as_a_whole() {
    let new = "- name: 'one'\n  owner: 'team: a'\n  reason: 'it''s #1'\n  until: '2099-01-01T00:00:00Z'\n  detectors: ['port_scan']\n  namespaces: ['blue']\n  labels: {'app': 'yes'}\n".replace("'port_scan'", "port_scan");
    check(
        "silence: 2s\n",
        &[exception("one")],
        &format!("silence: 2s\nexceptions:\n{new}"),
    );
    check(
        "exceptions: []\n# end\n",
        &[exception("one")],
        &format!("exceptions:\n{new}# end\n"),
    );
    let old = "exceptions:\n- {name: old, owner: o, reason: r}\n# below\nsilence: 2s\n";
    let both =
        format!("exceptions:\n- {{name: old, owner: o, reason: r}}\n{new}# below\nsilence: 2s\n");
    check(old, &[exception("one")], &both);
    check(&both, &[Change::Remove("one".into())], old);
    let none = "exceptions: []\n# below\nsilence: 2s\n";
    check(old, &[Change::Remove("old".into())], none);
    check(
        &both,
        &[Change::Remove("old".into()), Change::Remove("one".into())],
        none,
    );
}

#[test]
fn what_cannot_be_changed_is_told_and_nothing_is_injected() {
    for (text, change, expected) in [
        ("a: [", set("port_scan", "mode", "off"), "line 1"),
        ("", set("nothing", "mode", "off"), "nothing.mode"),
        ("", set("port_scan", "speed", "1"), "port_scan.speed"),
        (
            "",
            set("port_scan", "mode", "off}\nsilence: 1s"),
            "is no value",
        ),
        (
            "exceptions: [{name: a, owner: b, reason: c}]\n",
            exception("one"),
            "by hand",
        ),
        ("", exception("two\nlines"), "one line"),
        ("", Change::Remove("nobody".into()), "`nobody`"),
        (
            "x: &a {mode: on}\ndetectors:\n  port_scan: *a\n",
            set("port_scan", "mode", "off"),
            "by hand",
        ),
    ] {
        let said = edit(text, &[change]).unwrap_err().to_string();
        assert!(said.contains(expected), "{said}");
    }
}

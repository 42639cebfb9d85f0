//! Interfaces and pods in every order.

mod again;

use std::collections::HashMap;

use fastrand::Rng;

use super::{
    interface::{ELSEWHERE, NO_POD, SEVERAL},
    *,
};

const NAME: &str = "veth0";

fn at(millis: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(1_000_000 + millis)
}

/// As Kubernetes tells it.
fn rounded(millis: u64) -> Option<v1::Timestamp> {
    Some(at(millis / 1000 * 1000).into())
}

fn subject(ifindex: u32, epoch: u32) -> Subject {
    Subject { ifindex, epoch }
}

fn address(last: u8) -> IpAddr {
    IpAddr::from([10, 0, 0, last])
}

fn pod(uid: &str, last: u8, started: u64) -> v1::Pod {
    v1::Pod {
        uid: uid.into(),
        name: uid.into(),
        node: "n1".into(),
        addresses: vec![address(last).to_string()],
        started_at: rounded(started),
        ..v1::Pod::default()
    }
}

/// One that is there since then, with an address.
fn appear(binder: &mut Binder, subject: Subject, last: u8, since: u64) {
    binder.appeared(subject.ifindex, NAME, Some(at(since)), at(since));
    binder.watched(subject);
    binder.addresses(subject.ifindex, &[address(last)]);
}

fn table(pods: impl IntoIterator<Item = v1::Pod>) -> Pods {
    let pods = pods.into_iter().collect();
    Pods::from_table(v1::PodTable { pods, more: false })
}

#[test]
fn it_binds_as_soon_as_both_are_known_and_stays_with_it() {
    let mut binder = Binder::new("n1", Vec::new(), true);
    let first = subject(7, 1);
    appear(&mut binder, first, 1, 1500);
    assert_eq!(binder.bind(&table([]), true, at(1600)), []);
    assert_eq!(binder.why_unknown(first, &table([])), Some(NO_POD));

    let pods = table([pod("a", 1, 1000)]);
    assert_eq!(binder.bind(&pods, true, at(2000)), [first]);
    assert_eq!(binder.pod(first, &pods).unwrap().uid, "a");
    assert_eq!(binder.interface_of(&pod("a", 1, 1000)), Some(7));

    let both = table([pod("a", 1, 1000), pod("b", 1, 1000)]);
    assert_eq!(binder.bind(&both, true, at(3000)), [], "it has a pod");
    assert_eq!(binder.pod(first, &both).unwrap().uid, "a");
}

#[test]
fn a_pod_of_another_node_or_of_the_hosts_network_is_none() {
    let mut binder = Binder::new("n1", Vec::new(), true);
    appear(&mut binder, subject(7, 1), 1, 1500);
    let elsewhere = v1::Pod {
        node: "n2".into(),
        ..pod("a", 1, 1000)
    };
    let of_host = v1::Pod {
        host_network: true,
        ..pod("b", 1, 1000)
    };
    assert_eq!(
        binder.bind(&table([elsewhere, of_host]), true, at(2000)),
        []
    );
}

#[test]
fn a_reused_address_is_of_the_pod_whose_times_fit() {
    let mut binder = Binder::new("n1", Vec::new(), true);
    let (old, new) = (subject(7, 1), subject(7, 2));
    appear(&mut binder, old, 1, 1500);
    let running = v1::Pod {
        running_at: rounded(2000),
        ..pod("a", 1, 1000)
    };
    binder.bind(&table([running.clone()]), true, at(2500));
    binder.gone(7, at(9000));
    appear(&mut binder, new, 1, 9100);
    // The deletion of the old one is told late.
    assert_eq!(binder.bind(&table([running.clone()]), true, at(9200)), []);
    assert!(binder.key_of(new).is_none());
    let pods = table([running, pod("b", 1, 9000)]);
    assert_eq!(binder.bind(&pods, true, at(9900)), [new]);
    assert_eq!(binder.key_of(old), Some("a"));
    assert_eq!(binder.key_of(new), Some("b"));
}

#[test]
fn two_pods_that_fit_are_told_apart_by_nobody() {
    let mut binder = Binder::new("n1", Vec::new(), true);
    let (first, second) = (subject(7, 1), subject(8, 1));
    appear(&mut binder, first, 1, 1100);
    binder.gone(7, at(1300));
    appear(&mut binder, second, 1, 1400);
    let pods = table([pod("a", 1, 1000), pod("b", 1, 1000)]);
    assert_eq!(binder.bind(&pods, true, at(60_000)), []);
    assert_eq!(binder.why_unknown(second, &table([])), Some(SEVERAL));
    let alone = table([pod("a", 1, 1000)]);
    assert_eq!(binder.bind(&alone, true, at(60_000)), []);
    assert_eq!(binder.why_unknown(second, &table([])), Some(ELSEWHERE));
}

#[test]
fn what_is_gone_is_bound_once_all_is_told() {
    let mut binder = Binder::new("n1", Vec::new(), true);
    let short = subject(7, 1);
    appear(&mut binder, short, 1, 1100);
    binder.gone(7, at(1200));
    let pods = table([pod("a", 1, 1000)]);
    assert_eq!(binder.bind(&pods, true, at(2000)), []);
    assert_eq!(binder.bind(&pods, true, at(4300)), [short]);
    let much_later = at(4300) + REMEMBERED;
    binder.bind(&pods, true, much_later);
    assert_eq!(binder.key_of(short), None, "forgotten");
}

#[test]
fn after_a_restart_only_what_is_still_the_same_is_bound_until_pods_are_told() {
    let mut before = Binder::new("n1", Vec::new(), true);
    appear(&mut before, subject(7, 1), 1, 1500);
    appear(&mut before, subject(8, 1), 2, 1500);
    let pods = table([pod("a", 1, 1000), pod("b", 2, 1000)]);
    before.bind(&pods, true, at(2000));

    let mut after = Binder::new("n1", before.known(), false);
    for (subject, last) in [(subject(7, 1), 1), (subject(8, 2), 2)] {
        after.appeared(subject.ifindex, NAME, None, at(4000));
        after.watched(subject);
        after.addresses(subject.ifindex, &[address(last)]);
    }
    after.bind(&pods, true, at(5000));
    assert_eq!(after.key_of(subject(7, 1)), Some("a"));
    assert_eq!(after.appeared_at(subject(7, 1)), Some(at(1500)));
    assert_eq!(after.why_unknown(subject(8, 2), &table([])), Some(OUTDATED));
    after.set_current(true);
    assert_eq!(after.bind(&pods, true, at(6000)), [subject(8, 2)]);
}

#[test]
fn what_an_agent_before_said_holds_until_it_is_wrong() {
    let former = |name: &str| Former {
        subject: subject(7, 1),
        name: name.into(),
        addresses: vec![address(1)],
        pod: Some("a".into()),
        appeared_at: Some(at(1500)),
    };
    let pods = || table([pod("a", 1, 1000), pod("b", 2, 3000)]);
    let cases = [
        ("the same", NAME, Some(1), pods(), Some("a")),
        ("called otherwise", "veth9", None, pods(), None),
        ("no address is known yet", NAME, None, pods(), Some("a")),
        ("another's address", NAME, Some(2), pods(), None),
        ("the pod is forgotten", NAME, Some(1), table([]), None),
        (
            "the pod came later",
            NAME,
            Some(1),
            table([pod("a", 1, 2000)]),
            None,
        ),
    ];
    for (case, name, last, pods, expected) in cases {
        let mut binder = Binder::new("n1", vec![former(name)], false);
        binder.appeared(7, NAME, None, at(2500));
        binder.watched(subject(7, 1));
        let was_bound = binder.key_of(subject(7, 1)).is_some();
        assert_eq!(was_bound, name == NAME, "{case}");
        if let Some(last) = last {
            binder.addresses(7, &[address(last)]);
        }
        binder.set_current(true);
        let changed = binder.bind(&pods, true, at(5000));
        assert_eq!(binder.key_of(subject(7, 1)), expected, "{case}");
        let is_news = was_bound != expected.is_some();
        assert_eq!(changed.contains(&subject(7, 1)), is_news, "{case}");
    }
}

#[test]
fn what_went_while_no_agent_ran_is_who_it_was_or_is_said_to_be_unknown() {
    let former = Former {
        subject: subject(7, 1),
        name: NAME.into(),
        addresses: vec![address(1)],
        pod: Some("a".into()),
        appeared_at: Some(at(1500)),
    };
    let mut binder = Binder::new("n1", vec![former.clone()], false);
    let pods = table([pod("a", 1, 1000)]);
    assert_eq!(binder.departed(subject(7, 1), at(4000)), Some(former));
    assert_eq!(binder.departed(subject(8, 2), at(4000)), None);
    assert_eq!(binder.pod(subject(7, 1), &pods).unwrap().uid, "a");
    assert_eq!(binder.why_unknown(subject(8, 2), &pods), Some(UNSEEN));
    // The index is another's by now, and the pod is not.
    binder.appeared(7, NAME, Some(at(4500)), at(4500));
    binder.watched(subject(7, 3));
    binder.addresses(7, &[address(1)]);
    binder.set_current(true);
    binder.bind(&pods, true, at(9000));
    assert_eq!(binder.key_of(subject(7, 3)), None);
    assert_eq!(binder.key_of(subject(7, 1)), Some("a"));
    assert_eq!(
        binder.why_unknown(subject(7, 1), &table([])),
        Some(FORGOTTEN)
    );
}

/// Whoever may set addresses in his own network namespace has set that of a pod that comes later.
#[test]
fn one_that_was_there_before_the_pod_is_not_its_own() {
    let mut binder = Binder::new("n1", Vec::new(), true);
    let liar = subject(7, 1);
    binder.appeared(7, NAME, None, at(2500));
    binder.watched(liar);
    binder.addresses(7, &[address(1), address(2)]);
    let victim = table([pod("victim", 2, 3000)]);
    assert_eq!(binder.bind(&victim, true, at(60_000)), []);
    let own = subject(8, 2);
    appear(&mut binder, own, 2, 3500);
    assert_eq!(binder.bind(&victim, true, at(61_000)), [own]);
}

#[test]
fn nobody_is_bound_by_what_a_collector_told_that_is_away() {
    let mut binder = Binder::new("n1", Vec::new(), true);
    let pods = table([pod("a", 1, 1000)]);
    binder.set_current(false);
    appear(&mut binder, subject(7, 1), 1, 1500);
    assert_eq!(binder.bind(&pods, true, at(2000)), []);
    assert_eq!(binder.why_unknown(subject(7, 1), &pods), Some(OUTDATED));
    binder.set_current(true);
    assert_eq!(binder.bind(&pods, true, at(3000)), [subject(7, 1)]);
}

#[test]
fn pods_that_an_operator_wrote_down_are_what_has_their_address_now() {
    let mut binder = Binder::new("n1", Vec::new(), true);
    let written = v1::Pod {
        uid: String::new(),
        namespace: "default".into(),
        started_at: None,
        node: String::new(),
        ..pod("app1", 1, 0)
    };
    let pods = table([written]);
    for epoch in 1..=3 {
        let subject = subject(7, epoch);
        binder.appeared(7, NAME, (epoch > 1).then(|| at(1000)), at(1000));
        binder.watched(subject);
        binder.addresses(7, &[address(1)]);
        assert_eq!(binder.bind(&pods, true, at(2000)), [subject]);
        assert_eq!(binder.key_of(subject), Some("default/app1"));
        binder.gone(7, at(3000));
    }
}

#[test]
fn interfaces_that_come_and_go_take_bounded_room() {
    let mut binder = Binder::new("n1", Vec::new(), true);
    let count = u32::try_from(GONE).unwrap() + 100;
    for ifindex in 0..count {
        appear(&mut binder, subject(ifindex, 1), 1, 1000);
        binder.gone(ifindex, at(1000));
    }
    binder.bind(&table([]), true, at(2000));
    assert_eq!(binder.interfaces.len(), GONE);
    assert_eq!(binder.by_subject.len(), GONE);
    assert_eq!(binder.take_forgotten(), 100);
}

/// What is to happen at a time.
enum Step {
    Appear(Subject, u8, bool),
    Gone(u32),
    Tell(Box<v1::Pod>),
    Bind,
}

/// Short pods that reuse addresses and indexes at once, and an API server that tells of them late, in part, or
/// never: whoever is bound is bound to the right one.
#[test]
fn nobody_is_ever_bound_to_the_pod_of_another() {
    let (mut bound, mut all) = (0, 0);
    for seed in 0..60 {
        let mut rng = Rng::with_seed(seed);
        let mut steps = Vec::new();
        let mut truth = HashMap::new();
        for slot in 0..4_u8 {
            let mut now = rng.u64(0..2000);
            for epoch in 1..=12 {
                let life = rng.u64(50..600);
                let uid = format!("{slot}-{epoch}");
                let subject = subject(u32::from(slot), epoch);
                truth.insert(subject, uid.clone());
                let knows_address = rng.u8(0..10) > 0;
                steps.push((now, Step::Appear(subject, slot, knows_address)));
                steps.push((now + life, Step::Gone(subject.ifindex)));
                let mut told = pod(&uid, slot, now - rng.u64(0..now.clamp(1, 900)));
                let mut when = now + rng.u64(0..2500);
                if rng.u8(0..10) > 1 {
                    steps.push((when, Step::Tell(Box::new(told.clone()))));
                }
                if rng.u8(0..10) > 1 {
                    told.running_at = rounded(now + life / 2);
                    when += rng.u64(0..1000);
                    steps.push((when, Step::Tell(Box::new(told.clone()))));
                }
                if rng.u8(0..10) > 1 {
                    told.ended_at = rounded(now + life);
                    when += rng.u64(0..1000);
                    steps.push((when, Step::Tell(Box::new(told))));
                }
                now += life
                    + if rng.bool() {
                        rng.u64(0..50)
                    } else {
                        rng.u64(0..8000)
                    };
            }
        }
        for time in (0..120_000).step_by(700) {
            steps.push((time, Step::Bind));
        }
        steps.sort_by_key(|(time, _)| *time);
        let mut binder = Binder::new("n1", Vec::new(), true);
        let mut pods = Pods::default();
        for (time, step) in steps {
            match step {
                Step::Appear(subject, last, knows_address) => {
                    binder.appeared(subject.ifindex, NAME, Some(at(time)), at(time));
                    binder.watched(subject);
                    if knows_address {
                        binder.addresses(subject.ifindex, &[address(last)]);
                    }
                }
                Step::Gone(ifindex) => binder.gone(ifindex, at(time)),
                Step::Tell(pod) => pods.insert(*pod),
                Step::Bind => {
                    binder.bind(&pods, true, at(time));
                }
            }
        }
        for (subject, uid) in truth {
            all += 1;
            if let Some(found) = binder.key_of(subject) {
                bound += 1;
                assert_eq!(found, uid, "seed {seed}, {subject:?}");
            }
        }
    }
    assert!(bound * 8 > all, "{bound} of {all} were bound");
}

/// The same with everything told in the end, and addresses that rest for three seconds.
#[test]
fn short_pods_are_all_bound_when_their_addresses_rest() {
    let mut rng = Rng::with_seed(1);
    let mut binder = Binder::new("n1", Vec::new(), true);
    let mut pods = Pods::default();
    let mut now = 0;
    let mut bound = Vec::new();
    let mut told: Vec<(u64, v1::Pod)> = Vec::new();
    for epoch in 1..=500 {
        let life = rng.u64(100..500);
        let appeared = now + rng.u64(0..400);
        appear(&mut binder, subject(7, epoch), 1, appeared);
        binder.gone(7, at(appeared + life));
        let pod = v1::Pod {
            running_at: rounded(appeared + life / 2),
            ended_at: rounded(appeared + life),
            ..pod(&epoch.to_string(), 1, now)
        };
        told.push((appeared + life + rng.u64(0..2500), pod));
        now = appeared + life + 3000;
        told.retain(|(when, pod)| {
            let wait = *when > now;
            if !wait {
                pods.insert(pod.clone());
            }
            wait
        });
        bound.extend(binder.bind(&pods, true, at(now)));
        check(&binder, &bound);
    }
    for (_, pod) in told {
        pods.insert(pod);
    }
    bound.extend(binder.bind(&pods, true, at(now + 10_000)));
    check(&binder, &bound);
    bound.sort_unstable();
    let all: Vec<_> = (1..=500).map(|epoch| subject(7, epoch)).collect();
    assert_eq!(bound, all);
}

fn check(binder: &Binder, bound: &[Subject]) {
    for subject in bound.iter().rev().take(10) {
        let own = subject.epoch.to_string();
        assert_eq!(binder.key_of(*subject), Some(own.as_str()));
    }
}

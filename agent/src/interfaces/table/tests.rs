//! Which changes follow from which facts.

mod uplinks;

use std::net::{IpAddr, Ipv4Addr};

use super::*;

/// A veth of a pod.
fn pod(ifindex: u32, name: &str) -> Link {
    Link {
        ifindex,
        name: name.into(),
        veth: true,
        ethernet: true,
        address: vec![0xee; 6],
        peer: Some(3),
        peer_namespace: Some(0),
    }
}

fn address(last: u8) -> IpAddr {
    Ipv4Addr::new(10, 244, 0, last).into()
}

/// One step: facts by notification, or a complete dump of facts.
enum Step {
    Told(Fact),
    Dumped(Vec<Fact>),
}
use Step::{Dumped, Told};

fn route(last: u8, ifindex: u32) -> Fact {
    Fact::Route {
        address: address(last),
        ifindex: Some(ifindex),
        replaces: false,
    }
}

fn neighbour(last: u8, ifindex: u32, standing: Standing) -> Fact {
    Fact::Neighbour {
        address: address(last),
        ifindex,
        standing,
    }
}

fn inside(ifindex: u32, lasts: &[u8]) -> Fact {
    let addresses = lasts.iter().copied().map(address).collect();
    Fact::Inside { ifindex, addresses }
}

fn appeared(ifindex: u32, name: &str) -> Change {
    let name = name.into();
    Change::Appeared {
        ifindex,
        name,
        whose: Whose::Pod,
        appeared_at: None,
    }
}

fn addresses(ifindex: u32, lasts: &[u8]) -> Change {
    let addresses = lasts.iter().copied().map(address).collect();
    Change::Addresses { ifindex, addresses }
}

const GONE: Change = Change::Gone { ifindex: 7 };
const SYNCHRONIZED: Change = Change::Synchronized;

fn run(selection: Selection, steps: Vec<Step>) -> Vec<Change> {
    let mut table = Table::new(selection);
    let mut changes = Vec::new();
    for step in steps {
        match step {
            Told(fact) => table.apply(fact, Source::Notification, &mut changes),
            Dumped(facts) => {
                table.begin_dump();
                for fact in facts {
                    table.apply(fact, Source::Dump, &mut changes);
                }
                table.finish_dump(&mut changes);
            }
        }
        table.tell_addresses(&mut changes);
    }
    changes
}

#[test]
fn links_come_and_go() {
    let link = || Fact::Link(pod(7, "veth7"));
    let gone = || Fact::NoLink { ifindex: 7 };
    let with = |change: fn(&mut Link)| {
        let mut link = pod(7, "veth7");
        change(&mut link);
        Fact::Link(link)
    };
    let cases: Vec<(&str, Vec<Step>, Vec<Change>)> = vec![
        (
            "appears and dies at once",
            vec![Told(link()), Told(gone())],
            vec![appeared(7, "veth7"), GONE],
        ),
        ("dies unknown", vec![Told(gone())], vec![]),
        (
            "is told once however often it changes",
            vec![Told(link()), Told(link()), Dumped(vec![link()])],
            vec![appeared(7, "veth7"), SYNCHRONIZED],
        ),
        (
            "is found by a dump",
            vec![Dumped(vec![link()])],
            vec![appeared(7, "veth7"), SYNCHRONIZED],
        ),
        (
            "its end was missed",
            vec![Told(link()), Dumped(vec![])],
            vec![appeared(7, "veth7"), GONE, SYNCHRONIZED],
        ),
        (
            "is renamed",
            vec![
                Told(link()),
                Told(Fact::Link(pod(7, "cali7"))),
                Dumped(vec![Fact::Link(pod(7, "cali7"))]),
            ],
            vec![
                appeared(7, "veth7"),
                Change::Renamed {
                    ifindex: 7,
                    name: "cali7".into(),
                },
                SYNCHRONIZED,
            ],
        ),
        (
            "gets another link-layer address",
            vec![
                Told(link()),
                Told(with(|link| link.address = vec![0xaa; 6])),
            ],
            vec![appeared(7, "veth7")],
        ),
        (
            "its index is taken over between notifications",
            vec![
                Told(link()),
                Told(gone()),
                Told(Fact::Link(pod(7, "veth8"))),
            ],
            vec![appeared(7, "veth7"), GONE, appeared(7, "veth8")],
        ),
        (
            "its peer moves into a pod",
            vec![Told(with(|link| link.peer_namespace = None)), Told(link())],
            vec![appeared(7, "veth7")],
        ),
        (
            "its peer comes back",
            vec![Told(link()), Told(with(|link| link.peer_namespace = None))],
            vec![appeared(7, "veth7"), GONE],
        ),
        (
            "is no veth",
            vec![Told(with(|link| link.veth = false))],
            vec![],
        ),
    ];
    for (case, steps, expected) in cases {
        assert_eq!(run(Selection::default(), steps), expected, "{case}");
    }
}

#[test]
fn an_index_taken_over_unseen_is_another_interface() {
    type Alter = fn(&mut Link);
    let cases: [(&str, Alter); 4] = [
        ("name", |link| link.name = "veth8".into()),
        ("link-layer address", |link| link.address = vec![0xaa; 6]),
        ("peer", |link| link.peer = Some(9)),
        ("peer's namespace", |link| link.peer_namespace = Some(4)),
    ];
    for (what, alter) in cases {
        let mut other = pod(7, "veth7");
        alter(&mut other);
        let name = other.name.clone();
        let steps = vec![
            Dumped(vec![Fact::Link(pod(7, "veth7")), route(1, 7)]),
            Dumped(vec![Fact::Link(other), route(2, 7)]),
        ];
        let expected = vec![
            appeared(7, "veth7"),
            addresses(7, &[1]),
            SYNCHRONIZED,
            GONE,
            appeared(7, &name),
            addresses(7, &[2]),
            SYNCHRONIZED,
        ];
        assert_eq!(run(Selection::default(), steps), expected, "by its {what}");
    }
}

#[test]
fn addresses_follow_routes_and_neighbours() {
    use Standing::{Confirmed, Lost, Unchanged};
    let replaced = |ifindex| Fact::Route {
        address: address(1),
        ifindex,
        replaces: true,
    };
    let cases: Vec<(&str, Vec<Step>, Vec<Change>)> = vec![
        (
            "sorted",
            vec![Told(route(9, 7)), Told(route(1, 7))],
            vec![addresses(7, &[9]), addresses(7, &[1, 9])],
        ),
        (
            "a route ends what neighbours said",
            vec![Told(neighbour(9, 7, Confirmed)), Told(route(1, 7))],
            vec![addresses(7, &[9]), addresses(7, &[1])],
        ),
        (
            "a pod that answers for another beside its route",
            vec![Told(route(5, 7)), Told(neighbour(1, 7, Confirmed))],
            vec![addresses(7, &[5])],
        ),
        (
            "the same address both ways goes with the last of them",
            vec![
                Told(route(1, 7)),
                Told(neighbour(1, 7, Confirmed)),
                Told(Fact::NoRoute {
                    address: address(1),
                    ifindex: 7,
                }),
                Told(neighbour(1, 7, Lost)),
            ],
            vec![addresses(7, &[1]), addresses(7, &[])],
        ),
        (
            "a neighbour that never answered",
            vec![Told(neighbour(9, 7, Unchanged))],
            vec![],
        ),
        (
            "a neighbour that ages, also through a dump",
            vec![
                Told(neighbour(9, 7, Confirmed)),
                Told(neighbour(9, 7, Unchanged)),
                Dumped(vec![
                    Fact::Link(pod(7, "veth7")),
                    Fact::Link(pod(8, "veth8")),
                    neighbour(9, 7, Unchanged),
                ]),
            ],
            vec![addresses(7, &[9]), SYNCHRONIZED],
        ),
        (
            "a route that moves leaves its old interface",
            vec![Told(route(1, 7)), Told(replaced(Some(8)))],
            vec![addresses(7, &[1]), addresses(7, &[]), addresses(8, &[1])],
        ),
        (
            "a route that moves elsewhere",
            vec![Told(route(1, 7)), Told(replaced(None))],
            vec![addresses(7, &[1]), addresses(7, &[])],
        ),
        (
            "the end of a route was missed",
            vec![
                Told(route(1, 7)),
                Dumped(vec![
                    Fact::Link(pod(7, "veth7")),
                    Fact::Link(pod(8, "veth8")),
                ]),
            ],
            vec![addresses(7, &[1]), addresses(7, &[]), SYNCHRONIZED],
        ),
        (
            "what is set inside, whatever it answers to",
            vec![
                Told(inside(7, &[1])),
                Told(neighbour(9, 7, Confirmed)),
                Told(inside(7, &[1])),
                Told(inside(7, &[2, 1, 2])),
            ],
            vec![addresses(7, &[1]), addresses(7, &[1, 2])],
        ),
        (
            "a route ends what is set inside",
            vec![Told(inside(7, &[9])), Told(route(1, 7))],
            vec![addresses(7, &[9]), addresses(7, &[1])],
        ),
        (
            "nothing is set inside",
            vec![Told(neighbour(9, 7, Confirmed)), Told(inside(7, &[]))],
            vec![addresses(7, &[9])],
        ),
        (
            "the other end is in another network namespace by now",
            vec![
                Told(inside(7, &[1])),
                Told(Fact::Link(Link {
                    peer_namespace: Some(9),
                    ..pod(7, "veth7")
                })),
            ],
            vec![addresses(7, &[1]), addresses(7, &[])],
        ),
        (
            "an interface that is not watched",
            vec![
                Told(route(1, 2)),
                Told(neighbour(1, 2, Confirmed)),
                Told(inside(2, &[1])),
            ],
            vec![],
        ),
    ];
    for (case, steps, expected) in cases {
        let mut all = vec![
            Told(Fact::Link(pod(7, "veth7"))),
            Told(Fact::Link(pod(8, "veth8"))),
        ];
        all.extend(steps);
        let changes = run(Selection::default(), all);
        assert_eq!(changes[2..], expected, "{case}");
    }
}

#[test]
fn a_pod_cannot_grow_the_table() {
    let mut table = Table::new(Selection::default());
    let mut changes = Vec::new();
    let link = Fact::Link(pod(7, "veth7"));
    table.apply(link, Source::Notification, &mut changes);
    for last in 0..=255 {
        let fact = neighbour(last, 7, Standing::Confirmed);
        table.apply(fact, Source::Notification, &mut changes);
    }
    table.tell_addresses(&mut changes);
    let Some(Change::Addresses { addresses, .. }) = changes.pop() else {
        panic!("no addresses");
    };
    assert_eq!(addresses.len(), ADDRESSES);
    assert_eq!(table.take_addresses_dropped(), 256 - ADDRESSES as u64);
    assert_eq!(table.take_addresses_dropped(), 0);
}

#[test]
fn what_is_set_inside_cannot_grow_it_either_and_only_the_unrouted_are_looked_into() {
    let mut table = Table::new(Selection::default());
    let mut changes = Vec::new();
    for ifindex in [7, 8] {
        let link = Fact::Link(pod(ifindex, "veth"));
        table.apply(link, Source::Notification, &mut changes);
    }
    let lasts: Vec<_> = (0..=255).collect();
    table.apply(inside(7, &lasts), Source::Dump, &mut changes);
    table.apply(route(1, 8), Source::Notification, &mut changes);
    table.tell_addresses(&mut changes);
    assert_eq!(table.take_addresses_dropped(), 256 - ADDRESSES as u64);
    assert_eq!(table.unrouted(7), Some(&pod(7, "veth")));
    assert_eq!(table.unrouted(8), None);
    assert_eq!(table.indexes().collect::<Vec<_>>(), [7, 8]);
}

#[test]
fn names_select_across_renames() {
    let selection = Selection::by_name(["cali*", "lxc?"]).unwrap();
    let steps = vec![
        Told(Fact::Link(pod(7, "veth7"))),
        Told(Fact::Link(pod(7, "cali7"))),
        Told(Fact::Link(pod(7, "eth0"))),
        Told(Fact::Link(Link {
            ifindex: 8,
            name: "lxc8".into(),
            ..Link::default()
        })),
    ];
    let expected = vec![appeared(7, "cali7"), GONE, appeared(8, "lxc8")];
    assert_eq!(run(selection, steps), expected);
}

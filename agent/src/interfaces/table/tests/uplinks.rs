//! Uplinks, and whose their addresses are.

use super::*;
use crate::interfaces::Uplinks;

#[test]
fn an_uplink_is_the_nodes_and_no_pods() {
    let uplink = Fact::Uplink { ifindex: 7 };
    let link = Fact::Link(pod(7, "eth0"));
    let with = |change: fn(&mut Link)| {
        let mut link = pod(7, "eth0");
        change(&mut link);
        Fact::Link(link)
    };
    let as_node = Change::Appeared {
        ifindex: 7,
        name: "eth0".into(),
        whose: Whose::Node,
        appeared_at: None,
    };
    let as_pod = || appeared(7, "eth0");
    let named = || Selection::by_name(["eth*"]).unwrap();
    let ignored = || Selection::default().with(Uplinks::Ignore);
    let dump = |link: &Fact| Dumped(vec![uplink.clone(), link.clone()]);
    let cases: Vec<(&str, Selection, Vec<Step>, Vec<Change>)> = vec![
        (
            "known before the link",
            Selection::default(),
            vec![dump(&link)],
            vec![as_node.clone(), SYNCHRONIZED],
        ),
        ("ignored", ignored(), vec![dump(&link)], vec![SYNCHRONIZED]),
        (
            "no veth",
            Selection::default(),
            vec![dump(&with(|link| link.veth = false))],
            vec![as_node.clone(), SYNCHRONIZED],
        ),
        (
            "without Ethernet headers",
            Selection::default(),
            vec![dump(&with(|link| link.ethernet = false))],
            vec![SYNCHRONIZED],
        ),
        (
            "a default route that comes later",
            Selection::default(),
            vec![Told(link.clone()), Told(uplink.clone()), dump(&link)],
            vec![as_pod(), GONE, as_node.clone(), SYNCHRONIZED],
        ),
        (
            "a default route that is gone by the next dump",
            Selection::default(),
            vec![
                dump(&link),
                Dumped(vec![link.clone()]),
                Dumped(vec![link.clone()]),
            ],
            vec![
                as_node.clone(),
                SYNCHRONIZED,
                GONE,
                SYNCHRONIZED,
                as_pod(),
                SYNCHRONIZED,
            ],
        ),
        (
            "named",
            named(),
            vec![dump(&link)],
            vec![as_node, SYNCHRONIZED],
        ),
        (
            "named and ignored",
            named().with(Uplinks::Ignore),
            vec![dump(&link)],
            vec![SYNCHRONIZED],
        ),
    ];
    for (case, selection, steps, expected) in cases {
        assert_eq!(run(selection, steps), expected, "{case}");
    }
}

/// What is behind an uplink are others: its gateway, and all they lead to.
#[test]
fn the_addresses_of_an_uplink_are_the_nodes_own() {
    let own = |last| Fact::Own {
        address: address(last),
        ifindex: 7,
    };
    let steps = vec![
        Dumped(vec![
            Fact::Uplink { ifindex: 7 },
            Fact::Link(pod(7, "eth0")),
            Fact::Link(pod(8, "veth8")),
            route(1, 7),
            neighbour(2, 7, Standing::Confirmed),
            own(3),
            Fact::Own {
                address: address(4),
                ifindex: 8,
            },
        ]),
        Told(own(5)),
        Told(Fact::NotOwn {
            address: address(3),
            ifindex: 7,
        }),
    ];
    let changes = run(Selection::default(), steps);
    let expected = [
        addresses(7, &[3]),
        SYNCHRONIZED,
        addresses(7, &[3, 5]),
        addresses(7, &[5]),
    ];
    assert_eq!(changes[2..], expected);
}

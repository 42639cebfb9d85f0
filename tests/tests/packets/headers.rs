//! What is before the transport, whole and broken.

use tests::packet::{
    ICMP, PEER, POD, SCTP, TCP, UDP, ethernet, fragment, from_pod, from_pod_v6, ipv4, sent, vlan,
};

use crate::{
    sent::{Row, message},
    syn,
};

pub(crate) fn header_rows() -> Vec<Row> {
    let tcp = syn(443).bytes();
    let hop = |next: u8| [next, 0, 1, 4, 0, 0, 0, 0];
    let connect = "tcp_syn Connect(tcp 443) tcp:443";
    let with_byte = |at: usize, value: u8, mut frame: Vec<u8>| {
        frame[at] = value;
        frame
    };
    vec![
        (
            "ipv4 options",
            None,
            ipv4(TCP, 0, &[1; 40], POD, PEER, &tcp),
            connect,
        ),
        (
            "one tag",
            None,
            vlan(&[0x8100], &from_pod(&syn(443))),
            connect,
        ),
        (
            "two tags",
            None,
            vlan(&[0x88a8, 0x8100], &from_pod(&syn(443))),
            connect,
        ),
        (
            "three tags",
            None,
            vlan(&[0x8100; 3], &from_pod(&syn(443))),
            "unparsed:ethernet",
        ),
        (
            "cut tag",
            None,
            ethernet(0x8100, &[0, 5]),
            "unparsed:ethernet",
        ),
        (
            "ipv4 header too short",
            None,
            with_byte(14, 0x44, from_pod(&syn(443))),
            "unparsed:ipv4",
        ),
        ("first fragment", None, fragment(0x2000, &tcp), connect),
        ("cut tcp", None, sent(TCP, &tcp[..12]), "unparsed:tcp"),
        (
            "tcp offset below 5",
            None,
            with_byte(46, 0x40, from_pod(&syn(443))),
            "unparsed:tcp",
        ),
        ("cut udp", None, sent(UDP, &[0; 7]), "unparsed:udp"),
        ("cut sctp", None, sent(SCTP, &[0; 15]), "unparsed:sctp"),
        ("cut icmp", None, sent(ICMP, &[8, 0, 0, 0]), "unparsed:icmp"),
        (
            "cut quotation",
            None,
            sent(ICMP, &[&message(3, 3)[..], &[0x45; 8]].concat()),
            "unparsed:icmp",
        ),
        ("cut arp", None, ethernet(0x0806, &[0; 27]), "unparsed:arp"),
        ("ipv6", None, from_pod_v6(TCP, &tcp), connect),
        (
            "ipv6 hop-by-hop",
            None,
            from_pod_v6(0, &[&hop(TCP)[..], &tcp].concat()),
            connect,
        ),
        (
            "ipv6 chain",
            None,
            from_pod_v6(
                0,
                &[&hop(60), &hop(43), &hop(60), &hop(TCP)[..], &tcp].concat(),
            ),
            connect,
        ),
        (
            "ipv6 first fragment",
            None,
            from_pod_v6(44, &[&[TCP, 0, 0, 1, 0, 0, 0, 7][..], &tcp].concat()),
            connect,
        ),
        (
            "ipv6 later fragment",
            None,
            from_pod_v6(44, &[&[TCP, 0, 0, 9, 0, 0, 0, 7][..], &tcp].concat()),
            "later_fragments",
        ),
        (
            "ipv6 endless chain",
            None,
            from_pod_v6(60, &hop(60).repeat(8)),
            "unparsed:ipv6_chain",
        ),
        (
            "ipv6 cut chain",
            None,
            from_pod_v6(60, &[60]),
            "unparsed:ipv6",
        ),
        (
            "ipv6 of another version",
            None,
            with_byte(14, 0x50, from_pod_v6(TCP, &tcp)),
            "unparsed:ipv6",
        ),
    ]
}

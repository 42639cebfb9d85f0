//! What each kind of packet of the pod counts as.

use std::net::Ipv4Addr;

use anyhow::{Result, ensure};
use tests::{
    Kernel,
    packet::{
        ACK, FIN, ICMP, ICMPV6, PEER, PEER_V6, POD, POD_V6, PSH, RST, SCTP, SYN, TCP, Tcp, UDP,
        URG, arp, ethernet, fragment, from_pod, from_pod_v6, ipv4, neighbour, received, sctp, sent,
        to_pod, udp,
    },
    without_root,
};

use crate::{headers::header_rows, syn, told::told};

fn flags(flags: u8) -> Vec<u8> {
    from_pod(&Tcp {
        port: 9,
        flags,
        ..Tcp::default()
    })
}

/// Data of the peer from port 9, which makes it heard.
fn data() -> Vec<u8> {
    to_pod(&Tcp {
        port: 9,
        flags: ACK | PSH,
        ..Tcp::default()
    })
}

pub(crate) fn message(kind: u8, code: u8) -> [u8; 8] {
    [kind, code, 0, 0, 0, 0, 0, 0]
}

/// What an ICMP message of the pod quotes.
fn quoting(frame: &[u8]) -> Vec<u8> {
    [&message(3, 3)[..], &frame[14..]].concat()
}

/// A fresh slot, then a packet to the pod if any, then one of the pod; told is the latter alone.
pub(crate) type Row = (&'static str, Option<Vec<u8>>, Vec<u8>, &'static str);

fn tcp_rows() -> Vec<Row> {
    let data_9 = |flags| [&flags_bytes(flags)[..], b"data"].concat();
    let heard = || Some(data());
    vec![
        (
            "syn",
            None,
            from_pod(&syn(443)),
            "tcp_syn Connect(tcp 443) tcp:443",
        ),
        (
            "bare syn",
            None,
            from_pod(&Tcp {
                words: 6,
                ..syn(80)
            }),
            "tcp_syn Syn(tcp 80) tcp:80",
        ),
        (
            "syn with congestion bits",
            None,
            flags(SYN | 0xc0),
            "tcp_syn Syn(tcp 9) tcp:9",
        ),
        (
            "port 0",
            None,
            from_pod(&syn(0)),
            "tcp_syn Connect(tcp 0) tcp:0",
        ),
        (
            "port 65535",
            None,
            from_pod(&syn(65_535)),
            "tcp_syn Connect(tcp 65535) tcp:65535",
        ),
        ("null", None, flags(0), "tcp_null Null(tcp 9) tcp:9"),
        ("fin", None, flags(FIN), "tcp_fin Fin(tcp 9) tcp:9"),
        (
            "xmas",
            None,
            flags(FIN | PSH | URG),
            "tcp_xmas Xmas(tcp 9) tcp:9",
        ),
        (
            "syn and fin",
            None,
            flags(SYN | FIN),
            "tcp_odd_flags Other(tcp 9) tcp:9",
        ),
        (
            "stray ack",
            None,
            flags(ACK),
            "tcp_stray_ack Ack(tcp 9) tcp:9",
        ),
        (
            "stray fin",
            None,
            flags(FIN | ACK),
            "tcp_stray_fin Maimon(tcp 9) tcp:9",
        ),
        (
            "stray syn-ack",
            None,
            flags(SYN | ACK),
            "tcp_stray_syn_ack SynAck(tcp 9) tcp:9",
        ),
        ("ack", heard(), flags(ACK), ""),
        ("fin of a connection", heard(), flags(FIN | ACK), ""),
        ("syn-ack of a server", heard(), flags(SYN | ACK), "accepted"),
        ("data", None, sent(TCP, &data_9(ACK | PSH)), ""),
        (
            "reset of a probe",
            None,
            flags(RST | ACK),
            "resets_sent refusing refusing:40000",
        ),
        (
            "reset of a connection",
            None,
            from_pod(&Tcp {
                sequence: 7,
                flags: RST | ACK,
                ..Tcp::default()
            }),
            "resets_sent",
        ),
        ("reset without ack", None, flags(RST), "resets_sent"),
        (
            "tiny fragment",
            None,
            fragment(0x2000, &syn(443).bytes()[..8]),
            "tiny_fragment TinyFragment(tcp 443) tcp:443",
        ),
        (
            "small first fragment",
            None,
            fragment(0x2000, &syn(443).bytes()[..16]),
            "tcp_syn Connect(tcp 443) tcp:443",
        ),
    ]
}

fn flags_bytes(flags: u8) -> Vec<u8> {
    Tcp {
        port: 9,
        flags,
        ..Tcp::default()
    }
    .bytes()
}

fn other_rows() -> Vec<Row> {
    let query = || sent(UDP, &udp(40_000, 53, b"query"));
    let to_161 = received(UDP, &udp(5555, 161, b""));
    let all_nodes = "ff02::1".parse().unwrap_or(PEER_V6);
    let nobody = Ipv4Addr::UNSPECIFIED;
    vec![
        ("udp", None, query(), "udp Udp(udp 53) udp:53"),
        (
            "udp reply",
            Some(received(UDP, &udp(53, 40_000, b""))),
            query(),
            "replies",
        ),
        (
            "udp in a tiny fragment",
            None,
            fragment_of(UDP, &udp(1, 53, b"")[..4]),
            "unparsed:udp",
        ),
        (
            "sctp init",
            None,
            sent(SCTP, &sctp(1, 36412, 1)),
            "sctp_init SctpInit(sctp 36412) udp:36412",
        ),
        (
            "sctp cookie echo",
            None,
            sent(SCTP, &sctp(1, 36412, 10)),
            "sctp_cookie_echo SctpCookieEcho(sctp 36412) udp:36412",
        ),
        (
            "sctp cookie echo of an association",
            Some(received(SCTP, &sctp(36412, 1, 2))),
            sent(SCTP, &sctp(1, 36412, 10)),
            "",
        ),
        (
            "sctp abort",
            None,
            sent(SCTP, &sctp(36412, 1, 6)),
            "refusing refusing:36412",
        ),
        ("sctp data", None, sent(SCTP, &sctp(1, 36412, 0)), ""),
        (
            "sctp in a tiny fragment",
            None,
            fragment_of(SCTP, &sctp(1, 36412, 1)[..8]),
            "tiny_fragment TinyFragment(sctp 36412) udp:36412",
        ),
        (
            "echo request",
            None,
            sent(ICMP, &message(8, 0)),
            "echo Ping(icmp 0)",
        ),
        (
            "timestamp request",
            None,
            sent(ICMP, &message(13, 0)),
            "echo Ping(icmp 0)",
        ),
        (
            "mask request",
            None,
            sent(ICMP, &message(17, 0)),
            "echo Ping(icmp 0)",
        ),
        (
            "ipv6 echo request",
            None,
            from_pod_v6(ICMPV6, &message(128, 0)),
            "echo Ping(icmp 0)",
        ),
        ("echo reply", None, sent(ICMP, &message(0, 0)), "other_icmp"),
        (
            "time exceeded",
            None,
            sent(ICMP, &message(11, 0)),
            "other_icmp",
        ),
        (
            "unreachable",
            None,
            sent(ICMP, &quoting(&to_161)),
            "refusing refusing:161",
        ),
        (
            "unreachable of another's packet",
            None,
            sent(
                ICMP,
                &quoting(&ipv4(
                    UDP,
                    0,
                    &[],
                    PEER,
                    Ipv4Addr::LOCALHOST,
                    &udp(5555, 161, b""),
                )),
            ),
            "other_icmp",
        ),
        (
            "gre",
            None,
            sent(47, &[0; 4]),
            "protocol Protocol(protocol 47) protocol:47",
        ),
        (
            "gre reply",
            Some(received(47, &[0; 4])),
            sent(47, &[0; 4]),
            "",
        ),
        (
            "icmpv6 over ipv4",
            None,
            sent(ICMPV6, &[0; 8]),
            "protocol Protocol(protocol 58) protocol:58",
        ),
        (
            "arp request",
            None,
            arp(1, POD, PEER),
            "neighbour Neighbour(neighbour 0)",
        ),
        ("arp probe", None, arp(1, nobody, PEER), "other_neighbour"),
        (
            "arp announcement",
            None,
            arp(1, POD, POD),
            "other_neighbour",
        ),
        ("arp reply", None, arp(2, POD, PEER), "other_neighbour"),
        ("rarp", None, arp(3, POD, PEER), "other_frames"),
        (
            "solicitation",
            None,
            neighbour(135, POD_V6, all_nodes, PEER_V6),
            "neighbour Neighbour(neighbour 0)",
        ),
        (
            "duplicate address detection",
            None,
            neighbour(135, "::".parse().unwrap_or(POD_V6), all_nodes, POD_V6),
            "other_neighbour",
        ),
        (
            "advertisement",
            None,
            neighbour(136, POD_V6, all_nodes, POD_V6),
            "other_neighbour",
        ),
        (
            "later fragment",
            None,
            fragment(0x2003, &[0; 40]),
            "later_fragments",
        ),
        ("lldp", None, ethernet(0x88cc, &[0; 40]), "other_frames"),
    ]
}

fn fragment_of(protocol: u8, payload: &[u8]) -> Vec<u8> {
    ipv4(protocol, 0x2000, &[], POD, PEER, payload)
}

#[test]
fn what_the_pod_sends() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    Kernel::with(async |mut kernel: Kernel| {
        let rows = [tcp_rows(), other_rows(), header_rows()].into_iter();
        for (name, before, packet, expected) in rows.flatten() {
            kernel.renew()?;
            if let Some(before) = before {
                kernel.to_pod(&before)?;
                kernel.drain()?;
            }
            kernel.from_pod(&packet)?;
            let seen = kernel.drain()?;
            ensure!(told(&seen) == expected, "{name}: {}", told(&seen));
            let volume = |volumes: [detect::Volume; 4]| -> u64 {
                volumes.iter().map(|volume| volume.packets).sum()
            };
            ensure!(volume(seen.sent) == 1, "{name}: {seen:?}");
            ensure!(volume(seen.received) == 0, "{name}: {seen:?}");
            let again = told(&kernel.drain()?);
            ensure!(again.is_empty(), "{name}: drained twice: {again}");
        }
        Ok(())
    })
}

//! What each kind of packet to the pod counts as.

use anyhow::{Result, ensure};
use tests::{
    Kernel,
    packet::{
        ACK, ICMP, ICMPV6, PEER, PEER_V6, POD, POD_V6, PSH, RST, SCTP, SYN, TCP, Tcp, UDP, arp,
        ethernet, from_pod, from_pod_v6, icmp, icmpv6, ipv4, neighbour, received, sctp, sent,
        to_pod, udp,
    },
    without_root,
};

use crate::{syn, told::told};

/// Packets to and of the pod beforehand, then one to the pod; told is the last alone.
struct Row {
    name: &'static str,
    before: Vec<Vec<u8>>,
    heard: Vec<Vec<u8>>,
    packet: Vec<u8>,
    told: &'static str,
}

fn back(flags: u8, sequence: u32) -> Vec<u8> {
    to_pod(&Tcp {
        port: 443,
        flags,
        sequence,
        ..Tcp::default()
    })
}

fn row(name: &'static str, before: &[Vec<u8>], packet: Vec<u8>, told: &'static str) -> Row {
    Row {
        name,
        before: before.to_vec(),
        heard: Vec::new(),
        packet,
        told,
    }
}

fn after(heard: Vec<u8>, row: Row) -> Row {
    Row {
        heard: vec![heard],
        ..row
    }
}

fn tcp_rows() -> Vec<Row> {
    let tried = [from_pod(&syn(443))];
    let refused = "refused resets_received Refused(tcp 443) refused:443";
    vec![
        row(
            "syn-ack",
            &tried,
            back(SYN | ACK, 7),
            "answered Answered(tcp 443)",
        ),
        row(
            "data",
            &tried,
            back(ACK | PSH, 7),
            "answered Answered(tcp 443)",
        ),
        after(
            back(ACK | PSH, 7),
            row("more data", &tried, back(ACK | PSH, 8), ""),
        ),
        row("reset of a syn", &tried, back(RST | ACK, 0), refused),
        row("reset of an ack", &tried, back(RST, 0), refused),
        row(
            "reset of a connection",
            &tried,
            back(RST | ACK, 7),
            "resets_received",
        ),
        after(
            back(ACK, 7),
            row(
                "reset by one that was heard",
                &tried,
                back(RST, 9),
                "resets_received",
            ),
        ),
        row("unasked syn-ack", &[], back(SYN | ACK, 7), ""),
        row("unasked data", &[], back(ACK | PSH, 7), ""),
        row("unasked reset", &[], back(RST | ACK, 0), "resets_received"),
        row("probe", &[], back(SYN, 0), "probes probed:40000"),
        row("null probe", &[], back(0, 0), "probes probed:40000"),
        row(
            "tiny probe",
            &[],
            ipv4(TCP, 0x2000, &[], PEER, POD, &syn(80).bytes()[..8]),
            "probes probed:80",
        ),
    ]
}

fn other_rows() -> Vec<Row> {
    let asked = [sent(UDP, &udp(40_000, 53, b"query"))];
    let answer = || received(UDP, &udp(53, 40_000, b""));
    let init = [sent(SCTP, &sctp(1, 36412, 1))];
    let echo = |kind| received(ICMP, &[kind, 0, 0, 0, 0, 0, 0, 0]);
    vec![
        row("udp answer", &asked, answer(), "answered Answered(udp 53)"),
        after(answer(), row("more of it", &asked, answer(), "")),
        row("udp probe", &[], answer(), "probes probed:40000"),
        row(
            "sctp init",
            &[],
            received(SCTP, &sctp(9, 36412, 1)),
            "probes probed:36412",
        ),
        row(
            "sctp init ack",
            &init,
            received(SCTP, &sctp(36412, 1, 2)),
            "answered Answered(sctp 36412)",
        ),
        row(
            "unasked init ack",
            &[],
            received(SCTP, &sctp(36412, 1, 2)),
            "",
        ),
        row(
            "sctp abort",
            &init,
            received(SCTP, &sctp(36412, 1, 6)),
            "refused Refused(sctp 36412) refused:36412",
        ),
        row("unasked abort", &[], received(SCTP, &sctp(36412, 1, 6)), ""),
        row(
            "sctp cookie echo",
            &[],
            received(SCTP, &sctp(9, 36412, 10)),
            "probes probed:36412",
        ),
        row(
            "sctp data",
            &init,
            received(SCTP, &sctp(36412, 1, 0)),
            "answered Answered(sctp 36412)",
        ),
        row("echo request", &[], echo(8), "echoes_received"),
        row(
            "echo reply",
            &[sent(ICMP, &[8, 0, 0, 0, 0, 0, 0, 0])],
            echo(0),
            "answered Answered(icmp 0)",
        ),
        row("unasked echo reply", &[], echo(0), "other_icmp"),
        row("time exceeded", &[], echo(11), "other_icmp"),
        row(
            "ipv6 echo request",
            &[],
            icmpv6(128, 0, &[]),
            "echoes_received",
        ),
        row(
            "gre answer",
            &[sent(47, &[0; 4])],
            received(47, &[0; 4]),
            "answered Answered(protocol 47)",
        ),
        row("unasked gre", &[], received(47, &[0; 4]), ""),
        row("arp request", &[], arp(1, PEER, POD), "other_neighbour"),
        row(
            "arp reply",
            &[arp(1, POD, PEER)],
            arp(2, PEER, POD),
            "answered Answered(neighbour 0)",
        ),
        row(
            "unasked arp reply",
            &[],
            arp(2, PEER, POD),
            "other_neighbour",
        ),
        row(
            "advertisement",
            &[neighbour(135, POD_V6, PEER_V6, PEER_V6)],
            neighbour(136, PEER_V6, POD_V6, PEER_V6),
            "answered Answered(neighbour 0)",
        ),
        row(
            "solicitation",
            &[],
            neighbour(135, PEER_V6, POD_V6, POD_V6),
            "other_neighbour",
        ),
        row(
            "later fragment",
            &[],
            ipv4(UDP, 0x2003, &[], PEER, POD, &[0; 8]),
            "later_fragments",
        ),
        row("lldp", &[], ethernet(0x88cc, &[0; 40]), "other_frames"),
        row("cut udp", &[], received(UDP, &[0; 7]), "unparsed:udp"),
    ]
}

fn unreachable_rows() -> Vec<Row> {
    let tried = [from_pod(&syn(443))];
    let tried_v6 = [from_pod_v6(TCP, &syn(443).bytes())];
    let asked = [sent(UDP, &udp(40_000, 53, b"query"))];
    let ping = [sent(ICMP, &[8, 0, 0, 0, 0, 0, 0, 0])];
    let gre = [sent(47, &[0; 4])];
    let quoted = |frame: &[u8]| frame[14..].to_vec();
    let tcp = "refused Refused(tcp 443) refused:443";
    vec![
        row(
            "port unreachable",
            &tried,
            icmp(3, 3, &quoted(&tried[0])),
            tcp,
        ),
        row("prohibited", &tried, icmp(3, 13, &quoted(&tried[0])), tcp),
        row(
            "ipv6 unreachable",
            &tried_v6,
            icmpv6(1, 4, &quoted(&tried_v6[0])),
            tcp,
        ),
        row(
            "fragmentation needed",
            &tried,
            icmp(3, 4, &quoted(&tried[0])),
            "other_icmp",
        ),
        row(
            "of another port",
            &tried,
            icmp(3, 3, &quoted(&from_pod(&syn(444)))),
            "other_icmp",
        ),
        row(
            "of another's packet",
            &tried,
            icmp(
                3,
                3,
                &quoted(&ipv4(TCP, 0, &[], PEER, PEER, &syn(443).bytes())),
            ),
            "other_icmp",
        ),
        row(
            "udp",
            &asked,
            icmp(3, 3, &quoted(&asked[0])),
            "refused Refused(udp 53) refused:53",
        ),
        row(
            "ping",
            &ping,
            icmp(3, 1, &quoted(&ping[0])),
            "refused Refused(icmp 0)",
        ),
        row(
            "unasked ping",
            &[],
            icmp(3, 1, &quoted(&ping[0])),
            "other_icmp",
        ),
        row(
            "gre",
            &gre,
            icmp(3, 2, &quoted(&gre[0])),
            "refused Refused(protocol 47)",
        ),
        row(
            "ipv6 packet too big",
            &tried_v6,
            icmpv6(2, 0, &quoted(&tried_v6[0])),
            "other_icmp",
        ),
        row(
            "cut quotation",
            &tried,
            icmp(3, 3, &quoted(&tried[0])[..22]),
            "unparsed:icmp",
        ),
        row(
            "cut ipv6 message",
            &[],
            tests::packet::ipv6(ICMPV6, PEER_V6, POD_V6, &[1; 4]),
            "unparsed:icmp",
        ),
    ]
}

#[test]
fn what_comes_to_the_pod() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    Kernel::with(async |mut kernel: Kernel| {
        let rows = [tcp_rows(), other_rows(), unreachable_rows()].into_iter();
        for row in rows.flatten() {
            kernel.renew()?;
            for packet in &row.before {
                kernel.from_pod(packet)?;
            }
            for packet in &row.heard {
                kernel.to_pod(packet)?;
            }
            kernel.drain()?;
            kernel.to_pod(&row.packet)?;
            let seen = kernel.drain()?;
            ensure!(told(&seen) == row.told, "{}: {}", row.name, told(&seen));
            let received: u64 = seen.received.iter().map(|volume| volume.packets).sum();
            ensure!(received == 1, "{}: {seen:?}", row.name);
        }
        Ok(())
    })
}

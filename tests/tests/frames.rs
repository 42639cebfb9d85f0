//! Frames that only a real veth carries, BPF_PROG_TEST_RUN not: cut before their IP header's end, with
//! most of their bytes in pages, or with a VLAN tag that the stack takes out.

use std::{fs, sync::atomic::Ordering::Relaxed, time::Duration};

use agent::datapath::Direction;
use anyhow::{Context, Result, bail};
use rustix::net::{AddressFamily, SocketType, netdevice, socket};
use tests::{
    Kernel, Wire, guarded,
    oracle::{Gso, Model, parse_linear},
    packet::{
        ACK, PEER, POD, RST, SYN, Tcp, ethernet, fragment, from_pod, from_pod_v6, icmp, icmpv6,
        ipv4, to_pod, vlan,
    },
    run, wait_for, without_root,
};

const LIMIT: Duration = Duration::from_secs(5);
const ETHERNET: usize = 14;
/// More than a page: smaller frames are linear whatever their sender asks for.
const LARGE: usize = 5_000;

fn tcp(flags: u8) -> Tcp {
    Tcp {
        port: 443,
        flags,
        ..Tcp::default()
    }
}

/// Frames of every kind, as short as they can be.
fn frames() -> Vec<Vec<u8>> {
    let syn = from_pod(&tcp(SYN));
    let segment = tcp(SYN).bytes();
    let hop = |next: u8, units: u8| {
        let mut header = vec![next, units, 1, 4];
        header.resize(8 + 8 * usize::from(units), 0);
        header
    };
    let arp = |operation| {
        let mut arp = vec![0, 1, 8, 0, 6, 4, 0, operation, 2, 0, 0, 0, 0, 1];
        arp.extend(POD.octets());
        arp.extend([0; 6]);
        arp.extend(PEER.octets());
        ethernet(0x0806, &arp)
    };
    let chunk = |kind| {
        [
            &[0, 9, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, kind, 0, 0, 4][..],
            &[0; 4],
        ]
        .concat()
    };
    let target = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];
    let quoted_v6 = &from_pod_v6(6, &segment)[ETHERNET..];
    vec![
        vlan(&[0x8100], &syn),
        vlan(&[0x88a8, 0x8100], &syn),
        vlan(&[0x8100; 3], &syn),
        vlan(&[0x8100], &to_pod(&tcp(SYN | ACK))),
        vlan(
            &[0x88a8, 0x8100],
            &from_pod_v6(60, &[hop(6, 1), segment.clone()].concat()),
        ),
        vlan(&[0x8100], &arp(1)),
        vlan(&[0x8100], &ethernet(8, &[0xff; 8])),
        syn.clone(),
        to_pod(&tcp(SYN | ACK)),
        to_pod(&tcp(RST | ACK)),
        fragment(0x2000, &segment),
        fragment(0x2010, &segment),
        ipv4(6, 0, &[1; 40], POD, PEER, &segment),
        ipv4(17, 0, &[], POD, PEER, &[0, 53, 0, 53, 0, 8, 0, 0]),
        ipv4(132, 0, &[], POD, PEER, &chunk(1)),
        ipv4(132, 0x2000, &[], POD, PEER, &chunk(1)),
        ipv4(47, 0, &[], POD, PEER, &[0; 4]),
        icmp(8, 0, &[]),
        icmp(3, 3, &syn[ETHERNET..]),
        icmpv6(1, 4, quoted_v6),
        icmpv6(135, 0, &target),
        from_pod_v6(6, &segment),
        from_pod_v6(0, &[hop(60, 0), hop(6, 1), segment.clone()].concat()),
        from_pod_v6(0, &[hop(6, 31), segment].concat()),
        from_pod_v6(60, &hop(60, 0).repeat(8)),
        arp(1),
        arp(2),
        ethernet(0x88b5, &[0; 8]),
    ]
}

#[test]
fn frames_cut_at_every_length_are_counted_as_the_oracle_does() -> Result<()> {
    let whole = |frame: &[u8]| {
        (ETHERNET..=frame.len())
            .map(|length| (length, length))
            .collect()
    };
    check(frames(), whole)
}

#[test]
fn frames_in_pages_are_counted_as_the_oracle_does() -> Result<()> {
    let large = frames().into_iter().map(|mut frame| {
        frame.resize(LARGE, 0);
        frame
    });
    let parts = |frame: &[u8]| {
        (ETHERNET..=400)
            .map(|linear| (frame.len(), linear))
            .collect()
    };
    check(large.collect(), parts)
}

/// Sends each frame both ways, at each of its lengths and with so much of it linear.
fn check(
    frames: Vec<Vec<u8>>,
    lengths: impl Fn(&[u8]) -> Vec<(usize, usize)> + Sync,
) -> Result<()> {
    if without_root() {
        return Ok(());
    }
    Kernel::with(async |kernel: Kernel| {
        // Whatever the stack itself sends would be counted too.
        fs::write("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1")?;
        for interface in ["pod0", "eth0"] {
            let mut command = guarded("ip");
            command.args(["link", "set", interface, "mtu", "9000", "up"]);
            run("ip", &mut command, LIMIT)?.success()?;
        }
        let index = |name| -> Result<u32> {
            let any = socket(AddressFamily::INET, SocketType::DGRAM, None)?;
            Ok(netdevice::name_to_index(any, name)?)
        };
        let wires = [
            (Direction::FromPod, Wire::new(index("eth0")?)?),
            (Direction::ToPod, Wire::new(index("pod0")?)?),
        ];
        let datapath = &kernel.datapath;
        let cap = datapath.settings().records_per_drain.load(Relaxed);
        let mut model = Model::new(datapath.seed(), cap);
        let slot = datapath
            .slot(kernel.subject)
            .context("nothing is watched")?;
        for frame in &frames {
            for (length, linear) in lengths(frame) {
                let frame = &frame[..length];
                for (direction, wire) in &wires {
                    wire.send(frame, linear)?;
                    match direction {
                        Direction::FromPod => {
                            if let Some((frame, linear)) = untagged(frame, linear) {
                                let packet = parse_linear(&frame, linear);
                                model.packet_from_pod(&packet, Gso::default(), &frame);
                            }
                        }
                        Direction::ToPod => {
                            let packet = parse_linear(frame, linear);
                            model.packet_to_pod(&packet, Gso::default(), frame, false);
                        }
                    }
                    let agree = || Ok(model.difference(slot).is_none().then_some(()));
                    if wait_for("the frame to be counted", LIMIT, agree).is_err() {
                        bail!(
                            "{direction:?}, {length} bytes of which {linear} are linear: \
                             {:?}\n{:02x?}\n{}",
                            parse_linear(frame, linear),
                            &frame[..length.min(400)],
                            model.difference(slot).unwrap_or_default()
                        );
                    }
                }
            }
        }
        Ok(())
    })
}

/// What the programs are given of a frame that the pod sent. The stack keeps its outer tag beside it, and
/// drops it if no Ethernet type follows (`skb_vlan_untag`, net/core/skbuff.c).
fn untagged(frame: &[u8], linear: usize) -> Option<(Vec<u8>, usize)> {
    const TAG: usize = 4;
    const READ: usize = ETHERNET + TAG + 2;
    if !matches!(frame[12..ETHERNET], [0x81, 0x00] | [0x88, 0xa8]) {
        return Some((frame.to_vec(), linear));
    }
    let untagged = [&frame[..12], frame.get(12 + TAG..)?].concat();
    (frame.len() >= READ).then_some((untagged, linear.max(READ) - TAG))
}

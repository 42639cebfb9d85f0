//! Super-packets pass a pod's veth whole, and count as the segments that they stand for.
#![expect(unsafe_code, reason = "a socket option that nothing wraps")]

use std::{
    fs,
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream, UdpSocket},
    os::fd::AsRawFd as _,
    sync::atomic::Ordering::Relaxed,
    thread,
    time::Duration,
};

use agent::datapath::Datapath;
use agent_common::VolumeClass;
use anyhow::{Context, Result, anyhow, ensure};
use detect::Subject;
use rustix::net::{AddressFamily, SocketType, netdevice, socket};
use tests::{Node, Passed, Pod, unpinned, wait_for, watch_anew, without_root};

const LIMIT: Duration = Duration::from_secs(10);
const PORT: u16 = 5001;
const TCP_BYTES: usize = 16 << 20;
/// Addresses of a bridge and of two pods. BIG TCP that is routed is lost as too big (`Ip6InTooBigErrors`).
type Network = [&'static str; 3];
const V4: Network = ["10.244.5.1/24", "10.244.5.10/24", "10.244.5.11/24"];
const V6: Network = ["fd00:5::1/64", "fd00:5::10/64", "fd00:5::11/64"];
/// As much as a super-packet has by default.
const LARGE: u32 = 65_536;
/// More than the length field of IPv6 can tell: BIG TCP, whose packets say that they have none.
const BIG: u32 = 190_000;
/// `UDP_SEGMENT` cuts what is sent into so many datagrams of so many bytes.
const DATAGRAMS: u64 = 60;
const DATAGRAM_BYTES: libc::c_int = 1000;

#[test]
fn tcp_counts_as_many_segments_as_the_pod_s_own_stack() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    for (network, largest) in [(V4, LARGE), (V6, LARGE), (V6, BIG)] {
        let traffic = |app1: &Pod, app2: &Pod| {
            transfer(app1, app2)?;
            transfer(app2, app1)
        };
        // They talk to each other alone, so what one sent has come to the other.
        let expected = |pod: &Pod, peer: &Pod| {
            Ok([
                pod.network.enter(tcp_segments_sent)??,
                peer.network.enter(tcp_segments_sent)??,
            ])
        };
        check(network, largest, VolumeClass::Tcp, traffic, expected)
            .with_context(|| format!("{network:?}, super-packets up to {largest} bytes"))?;
    }
    Ok(())
}

#[test]
fn udp_counts_as_many_datagrams_as_were_sent_at_once() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    for network in [V4, V6] {
        let expected = |pod: &Pod, _: &Pod| {
            let sends = pod.name == "app1";
            Ok(if sends {
                [DATAGRAMS, 0]
            } else {
                [0, DATAGRAMS]
            })
        };
        check(network, LARGE, VolumeClass::Udp, send_at_once, expected)
            .with_context(|| format!("{network:?}"))?;
    }
    Ok(())
}

/// Compares what is counted of `class` at both pods with what is `expected`, and the bytes of all
/// classes with those that the veths count.
fn check(
    [gateway, one, other]: Network,
    largest: u32,
    class: VolumeClass,
    traffic: impl Fn(&Pod, &Pod) -> Result<()> + Sync,
    expected: impl Fn(&Pod, &Pod) -> Result<[u64; 2]> + Sync,
) -> Result<()> {
    let node = Node::new("node1")?;
    node.bridge(gateway)?;
    let app1 = &node.bridged("default", "app1", one)?;
    let app2 = &node.bridged("blue", "app2", other)?;
    for (network, interface) in [
        (&node.network, &app1.interface[..]),
        (&node.network, &app2.interface),
        (&app1.network, "eth0"),
        (&app2.network, "eth0"),
    ] {
        network.ip(&format!("link set {interface} gso_max_size {largest}"))?;
    }
    node.network.enter(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let _entered = runtime.enter();
        let mut datapath = unpinned(2)?;
        let veths = [
            Veth::watch(&mut datapath, app1)?,
            Veth::watch(&mut datapath, app2)?,
        ];
        traffic(app1, app2)?;
        for (veth, peer) in veths.iter().zip([app2, app1]) {
            let compare = || {
                let passed = Passed::of(&veth.pod.interface)?.since(&veth.before);
                let counted = veth.counted(&datapath, class)?;
                let expected = Counted {
                    segments: expected(veth.pod, peer)?,
                    bytes: passed.bytes,
                };
                anyhow::Ok((counted, expected, passed))
            };
            let agree = || {
                let (counted, expected, passed) = compare()?;
                Ok((counted == expected).then_some((counted, passed)))
            };
            let agreed = wait_for("all to be counted", LIMIT, agree);
            let (counted, passed) =
                agreed.map_err(|error| anyhow!("{error}: {}: {:?}", veth.pod, compare()))?;
            for (way, segments) in counted.segments.into_iter().enumerate() {
                let (packets, bytes) = (passed.packets[way], passed.bytes[way]);
                ensure!(
                    segments == 0 || packets * u64::from(largest / 4) < bytes,
                    "{}: {packets} packets had {bytes} bytes: they did not pass whole",
                    veth.pod
                );
            }
        }
        Ok(())
    })?
}

/// A pod's watched veth.
struct Veth<'a> {
    pod: &'a Pod,
    subject: Subject,
    /// What had passed when its slot was empty.
    before: Passed,
}

/// From the pod, and to it.
#[derive(Debug, Eq, PartialEq)]
struct Counted {
    /// Of one class.
    segments: [u64; 2],
    /// Of all classes.
    bytes: [u64; 2],
}

impl<'a> Veth<'a> {
    /// Gives it an empty slot while nothing passes.
    fn watch(datapath: &mut Datapath, pod: &'a Pod) -> Result<Self> {
        let any = socket(AddressFamily::INET, SocketType::DGRAM, None)?;
        let ifindex = netdevice::name_to_index(any, &pod.interface)?;
        wait_for("a moment without packets", LIMIT, || {
            let before = Passed::of(&pod.interface)?;
            let subject = watch_anew(datapath, ifindex)?;
            let veth = Self {
                pod,
                subject,
                before,
            };
            Ok((Passed::of(&pod.interface)? == before).then_some(veth))
        })
    }

    fn counted(&self, datapath: &Datapath, class: VolumeClass) -> Result<Counted> {
        let slot = datapath.slot(self.subject).context("it is not watched")?;
        let ways = slot.volume.each_ref();
        Ok(Counted {
            segments: ways.map(|classes| classes[class as usize].packets.load(Relaxed)),
            bytes: ways.map(|classes| classes.iter().map(|it| it.bytes.load(Relaxed)).sum()),
        })
    }
}

/// What TCP of this namespace sent, by both versions of IP: `tcpOutSegs` leaves out what
/// `tcpRetransSegs` counts (RFC 4022).
fn tcp_segments_sent() -> Result<u64> {
    let counts = fs::read_to_string("/proc/thread-self/net/snmp")?;
    let mut lines = counts.lines().filter_map(|line| line.strip_prefix("Tcp: "));
    let (names, values) = lines.next().zip(lines.next()).context("no TCP")?;
    let named = names.split(' ').zip(values.split(' '));
    let sent = named.filter(|(name, _)| ["OutSegs", "RetransSegs"].contains(name));
    sent.map(|(_, value)| Ok(value.parse::<u64>()?)).sum()
}

fn transfer(from: &Pod, to: &Pod) -> Result<()> {
    let address = SocketAddr::new(to.address(), PORT);
    let listener = to.network.enter(|| TcpListener::bind(address))??;
    let mut sender = from.network.enter(|| TcpStream::connect(address))??;
    let (mut receiver, _) = listener.accept()?;
    thread::scope(|scope| {
        let received = scope.spawn(move || receiver.read_to_end(&mut Vec::new()));
        sender.write_all(&vec![7; TCP_BYTES])?;
        drop(sender);
        let received = received
            .join()
            .map_err(|_| anyhow!("the receiver panicked"))??;
        ensure!(received == TCP_BYTES, "{received} bytes arrived");
        Ok(())
    })
}

fn send_at_once(from: &Pod, to: &Pod) -> Result<()> {
    let address = SocketAddr::new(to.address(), PORT);
    let _receiver = to.network.enter(|| UdpSocket::bind(address))??;
    let any = SocketAddr::new(from.address(), 0);
    let sender = from.network.enter(|| UdpSocket::bind(any))??;
    let bytes = DATAGRAM_BYTES;
    // SAFETY: the option is an int, which outlives the call.
    let set = unsafe {
        libc::setsockopt(
            sender.as_raw_fd(),
            libc::SOL_UDP,
            libc::UDP_SEGMENT,
            (&raw const bytes).cast(),
            size_of::<libc::c_int>() as u32,
        )
    };
    ensure!(set == 0, "no UDP_SEGMENT: {}", io::Error::last_os_error());
    let payload = vec![7; DATAGRAMS as usize * DATAGRAM_BYTES as usize];
    sender.send_to(&payload, address)?;
    Ok(())
}

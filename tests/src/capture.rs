//! A capture at one interface, and what it says about who probed which ports.

use std::{collections::BTreeSet, fs, net::IpAddr, path::Path, time::Duration};

use anyhow::{Context, Result, anyhow, ensure};
use etherparse::{LaxNetSlice, LaxSlicedPacket, TransportSlice};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::{deadline::wait_for, namespace::Namespace, process::Process};

const LIMIT: Duration = Duration::from_secs(10);
const BUFFER_KIB: &str = "262144";
const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;

/// A running `tcpdump`.
#[derive(Debug)]
pub struct Capture {
    directory: TempDir,
    tcpdump: Process,
}

impl Capture {
    /// Starts capturing at `interface` of `network`; every packet from now on is in it.
    ///
    /// # Errors
    /// When `tcpdump` cannot be started or does not open the interface.
    pub fn start(network: &Namespace, interface: &str) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let mut command = network.command("tcpdump");
        command
            .args(["-i", interface, "-n", "-Z", "root", "-B", BUFFER_KIB])
            .args(["--immediate-mode", "-U", "-s", "128", "-w"])
            .arg(directory.path().join("packets"));
        let mut tcpdump = Process::spawn("tcpdump", &mut command)?;
        tcpdump.wait_for_line("listening on", LIMIT)?;
        Ok(Self { directory, tcpdump })
    }

    /// Stops it, and reads what it has.
    ///
    /// # Errors
    /// When `tcpdump` did not keep up, so that the capture is no measure of anything.
    pub fn finish(mut self) -> Result<Packets> {
        // It discards what it has not read yet when it is told to stop, so let it catch up first.
        wait_for("tcpdump to catch up", LIMIT, || {
            self.tcpdump.forget_lines();
            self.tcpdump.signal(Signal::USR1)?;
            let said = self.tcpdump.wait_for_line(" packets captured", LIMIT)?;
            let [captured, received, dropped] = counts(&said)?;
            Ok((captured + dropped >= received).then_some(()))
        })?;
        self.tcpdump.forget_lines();
        self.tcpdump.terminate(LIMIT)?;
        let said = self.tcpdump.wait_for_line(" dropped by kernel", LIMIT)?;
        ensure!(
            said.starts_with("0 "),
            "the capture is not whole: {said}; the machine is too busy to measure"
        );
        Packets::read(&self.directory.path().join("packets"))
    }
}

/// What a capture holds of TCP.
#[derive(Clone, Debug, Default)]
pub struct Packets {
    tcp: Vec<Tcp>,
}

#[derive(Clone, Copy, Debug)]
struct Tcp {
    source: IpAddr,
    destination: IpAddr,
    port: u16,
    initiating: bool,
}

impl Packets {
    /// Distinct destination ports that `source` initiated to: by packets with neither ACK nor RST.
    #[must_use]
    pub fn ports_initiated_by(&self, source: IpAddr) -> BTreeSet<u16> {
        let tcp = self.tcp.iter();
        tcp.filter(|tcp| tcp.source == source && tcp.initiating)
            .map(|tcp| tcp.port)
            .collect()
    }

    /// TCP packets from `source` to `destination`.
    #[must_use]
    pub fn between(&self, source: IpAddr, destination: IpAddr) -> usize {
        let tcp = self.tcp.iter();
        tcp.filter(|tcp| tcp.source == source && tcp.destination == destination)
            .count()
    }

    fn read(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut rest = bytes.get(FILE_HEADER..).context("no pcap file header")?;
        let mut packets = Self::default();
        while let Some((header, behind)) = rest.split_at_checked(RECORD_HEADER) {
            let stored = u32::from_ne_bytes([header[8], header[9], header[10], header[11]]);
            let (packet, behind) = behind
                .split_at_checked(usize::try_from(stored)?)
                .context("the last packet of the capture is cut")?;
            packets.tcp.extend(Tcp::parse(packet));
            rest = behind;
        }
        Ok(packets)
    }
}

impl Tcp {
    fn parse(packet: &[u8]) -> Option<Self> {
        let packet = LaxSlicedPacket::from_ethernet(packet).ok()?;
        let (source, destination) = match packet.net? {
            LaxNetSlice::Ipv4(ip) => (
                ip.header().source_addr().into(),
                ip.header().destination_addr().into(),
            ),
            LaxNetSlice::Ipv6(ip) => (
                ip.header().source_addr().into(),
                ip.header().destination_addr().into(),
            ),
            LaxNetSlice::Arp(_) => return None,
        };
        let TransportSlice::Tcp(tcp) = packet.transport? else {
            return None;
        };
        Some(Self {
            source,
            destination,
            port: tcp.destination_port(),
            initiating: !tcp.ack() && !tcp.rst(),
        })
    }
}

/// The numbers in `N packets captured, N packets received by filter, N packets dropped by kernel`.
fn counts(said: &str) -> Result<[u64; 3]> {
    let numbers = said.split(' ').filter_map(|word| word.parse().ok());
    let numbers: Vec<_> = numbers.collect();
    numbers
        .try_into()
        .map_err(|_| anyhow!("tcpdump said {said:?} when asked for its counts"))
}

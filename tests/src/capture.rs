//! A capture at one interface, and what it says about who probed which ports.

use std::{
    collections::BTreeSet,
    fs,
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, anyhow, ensure};
use etherparse::{LaxNetSlice, LaxSlicedPacket, TransportSlice};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::{deadline::wait_for, namespace::Namespace, process::Process};

const LIMIT: Duration = Duration::from_secs(10);
const BUFFER_KIB: &str = "262144";
/// Bytes of each packet that are stored.
const HEADERS: &str = "128";
const WHOLE: &str = "262144";
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
        Self::of(network, interface, HEADERS)
    }

    /// Starts capturing packets at their full length.
    ///
    /// # Errors
    /// When `tcpdump` cannot be started or does not open the interface.
    pub fn whole(network: &Namespace, interface: &str) -> Result<Self> {
        Self::of(network, interface, WHOLE)
    }

    fn of(network: &Namespace, interface: &str, stored: &str) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let mut command = network.command("tcpdump");
        command
            .args(["-i", interface, "-n", "-Z", "root", "-B", BUFFER_KIB])
            .args(["--immediate-mode", "-U", "-s", stored, "-w"])
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
        // It discards what it has not read yet when it is told to stop.
        self.catch_up()?;
        self.tcpdump.forget_lines();
        self.tcpdump.terminate(LIMIT)?;
        let said = self.tcpdump.wait_for_line(" dropped by kernel", LIMIT)?;
        ensure!(
            said.starts_with("0 "),
            "the capture is not whole: {said}; the machine is too busy to measure"
        );
        let mut packets = Packets::default();
        read(&self.path(), |frame| packets.tcp.extend(Tcp::parse(frame)))?;
        Ok(packets)
    }

    /// The frames that passed so far, in order.
    ///
    /// # Errors
    /// When `tcpdump` does not keep up.
    pub fn frames(&mut self) -> Result<Vec<Vec<u8>>> {
        let dropped = self.catch_up()?;
        ensure!(
            dropped == 0,
            "the capture is not whole: {dropped} packets dropped; the machine is too busy to measure"
        );
        let mut frames = Vec::new();
        read(&self.path(), |frame| frames.push(frame.to_vec()))?;
        Ok(frames)
    }

    /// Saves what passed so far as a file.
    ///
    /// # Errors
    /// When `tcpdump` does not keep up, or the file cannot be written.
    pub fn save(&mut self, to: &Path) -> Result<()> {
        let dropped = self.catch_up()?;
        ensure!(
            dropped == 0,
            "the capture is not whole: {dropped} packets dropped"
        );
        let saved = fs::copy(self.path(), to);
        saved.with_context(|| format!("cannot write {}", to.display()))?;
        Ok(())
    }

    /// Waits until it has read what passed before, and how many it could not.
    fn catch_up(&mut self) -> Result<u64> {
        wait_for("tcpdump to catch up", LIMIT, || {
            self.tcpdump.forget_lines();
            self.tcpdump.signal(Signal::USR1)?;
            let said = self.tcpdump.wait_for_line(" captured, ", LIMIT)?;
            let [captured, received, dropped] = counts(&said)?;
            Ok((captured + dropped >= received).then_some(dropped))
        })
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("packets")
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
}

/// Reads a capture file up to its last whole packet.
fn read(path: &Path, mut each: impl FnMut(&[u8])) -> Result<()> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut rest = bytes.get(FILE_HEADER..).context("no pcap file header")?;
    while let Some((header, behind)) = rest.split_at_checked(RECORD_HEADER) {
        let stored = u32::from_ne_bytes([header[8], header[9], header[10], header[11]]);
        let (packet, behind) = behind
            .split_at_checked(usize::try_from(stored)?)
            .context("the last packet of the capture is cut")?;
        each(packet);
        rest = behind;
    }
    Ok(())
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

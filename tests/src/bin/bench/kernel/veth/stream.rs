//! Throughput of one TCP stream out of a pod, a packet for each segment.

use std::{
    fs,
    io::{ErrorKind, Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    thread,
    time::Duration,
};

use agent::datapath::monotonic;
use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tests::Namespace;

use super::{At, HOST, HOST_IFINDEX, Switch, pin};
use crate::statistics::Spread;

const HOST_ADDRESS: &str = "10.9.0.1";
const ROUNDS: usize = 40;
const ROUND: Duration = Duration::from_millis(120);
/// Longest frame without segmentation offload: an MTU, and the Ethernet header.
const FRAME_BYTES: u64 = 1514;
/// Share of the throughput without a program that is left at least.
const TARGET: f64 = 0.96;

/// Measures and prints.
#[expect(clippy::print_stdout, reason = "it talks to a person")]
pub(super) fn measure() -> Result<Value> {
    let rounds = rounds()?;
    let rate = |at: At| Spread::of(rounds.iter().map(|it| it[at as usize]));
    let share = |at: At| Spread::of(rounds.iter().map(|it| it[at as usize] / it[0]));
    let (empty, ours) = (share(At::Empty), share(At::Ours));
    println!(
        "\nTCP stream without GSO, TSO and GRO: {:.0} MB/s without a program; empty {:.3} of it \
         ({:.3} to {:.3}), ours {:.3} ({:.3} to {:.3}), target {TARGET}: {}",
        rate(At::Nothing).median,
        empty.median,
        empty.low,
        empty.high,
        ours.median,
        ours.low,
        ours.high,
        verdict(&ours),
    );
    Ok(json!({
        "nothing_mb_per_s": rate(At::Nothing).json(),
        "empty_share": empty.json(),
        "ours_share": ours.json(),
        "target_share": TARGET,
    }))
}

fn verdict(ours: &Spread) -> &'static str {
    if ours.high - ours.low > 2.0 * (1.0 - TARGET) {
        "too noisy to tell"
    } else if ours.median >= TARGET {
        "met"
    } else {
        "missed"
    }
}

fn rounds() -> Result<Vec<[f64; 3]>> {
    let (host, pod) = (Namespace::new()?, Namespace::new()?);
    host.ip(&format!(
        "link add {HOST} index {HOST_IFINDEX} type veth peer name eth0 netns {}\n\
         addr add {HOST_ADDRESS}/24 dev {HOST}\n\
         link set {HOST} gso_max_segs 1 up",
        pod.path().display()
    ))?;
    pod.ip("addr add 10.9.0.2/24 dev eth0\nlink set eth0 gso_max_segs 1 up")?;
    let listener = host.enter(|| TcpListener::bind((HOST_ADDRESS, 5001)))??;
    let sender = pod.enter(|| TcpStream::connect((HOST_ADDRESS, 5001)))??;
    let (receiver, _) = listener.accept()?;
    let received = AtomicU64::new(0);
    thread::scope(|scope| {
        let sending = scope.spawn(|| send(&sender));
        let receiving = scope.spawn(|| receive(&receiver, &received));
        let rounds = host.enter(|| switched(&received));
        sender.shutdown(Shutdown::Both)?;
        for thread in [sending, receiving] {
            thread
                .join()
                .unwrap_or_else(|_| bail!("an end of the stream panicked"))?;
        }
        rounds?
    })
}

/// Megabytes a second, with each program in turns.
fn switched(received: &AtomicU64) -> Result<Vec<[f64; 3]>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let _entered = runtime.enter();
    let mut switch = Switch::new()?;
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let mut round = [0.0; 3];
        for at in At::ALL {
            switch.on(at)?;
            let (start, before) = (monotonic(), received.load(Relaxed));
            thread::park_timeout(ROUND);
            let bytes = received.load(Relaxed) - before;
            round[at as usize] = bytes as f64 / monotonic().since(start).as_secs_f64() / 1e6;
            switch.off(at)?;
        }
        rounds.push(round);
    }
    let [packets, bytes] = [counter("packets")?, counter("bytes")?];
    ensure!(
        bytes <= packets * FRAME_BYTES,
        "packets of {} bytes: segmentation was offloaded",
        bytes / packets.max(1)
    );
    Ok(rounds)
}

/// What the host side has received, by this thread's own network devices.
fn counter(what: &str) -> Result<u64> {
    let table = fs::read_to_string("/proc/thread-self/net/dev")?;
    let line = table
        .lines()
        .find_map(|line| line.trim().strip_prefix(HOST)?.strip_prefix(':'));
    let mut columns = line.context("no such device")?.split_whitespace();
    let column = if what == "bytes" { 0 } else { 1 };
    Ok(columns.nth(column).context("no such column")?.parse()?)
}

fn send(mut stream: &TcpStream) -> Result<()> {
    pin(0)?;
    let data = vec![0x5a; 64 << 10];
    loop {
        match stream.write(&data) {
            Ok(_) => {}
            Err(error) if is_end(error.kind()) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

fn receive(mut stream: &TcpStream, received: &AtomicU64) -> Result<()> {
    pin(1)?;
    let mut data = vec![0; 256 << 10];
    loop {
        match stream.read(&mut data) {
            Ok(0) => return Ok(()),
            Ok(bytes) => received.fetch_add(bytes as u64, Relaxed),
            Err(error) if is_end(error.kind()) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
    }
}

fn is_end(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::BrokenPipe | ErrorKind::ConnectionReset)
}

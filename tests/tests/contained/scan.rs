//! A real scanner is contained while it scans; what its pod used before goes on unhurt.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow, ensure};
use api::v1::{ActionKind, Event, State, subscribe_request::From};
use rustix::process::Signal;
use tests::{
    Capture, Place, Pod, Process, Story, Subscription, Watch, require_tools, run, visit, wait_for,
    without_root,
};

const LIMIT: Duration = Duration::from_secs(60);
/// What the pod is connected to all the time, and what it connects to anew.
const STREAM: u16 = 40_001;
const KNOWN: u16 = 40_002;
const THRESHOLD: usize = 25;
/// Bytes of the stream, a pattern, that are pushed at a time.
const PIECE: usize = 16 * 1024;

/// All counts of the port scan detector trip at the same number of ports.
fn config(lease: &str) -> String {
    format!(
        "detectors: {{port_scan: {{ports_per_minute: {THRESHOLD}, failed_ports_per_minute: {THRESHOLD}, \
         failed_ports_per_hour: {THRESHOLD}, low_ports_per_minute: {THRESHOLD}, \
         crafted_ports_per_hour: {THRESHOLD}, quiet: 2s}}, port_scan_target: {{mode: off}}}}\n\
         containment: {{mode: act, lease: {lease}}}\n"
    )
}

/// A long-lived connection over which a pattern is pushed, and checked byte for byte at the other end.
struct Stream {
    stop: Arc<AtomicBool>,
    client: thread::JoinHandle<Result<u64>>,
    server: thread::JoinHandle<Result<u64>>,
}

impl Stream {
    fn start(client: &Pod, server: &Pod) -> Result<Self> {
        let to = SocketAddr::from((server.address(), STREAM));
        let listener = server.network.enter(|| TcpListener::bind(to))??;
        let mut sending = client.network.enter(|| TcpStream::connect(to))??;
        let (mut receiving, _) = listener.accept()?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        sending.set_write_timeout(Some(LIMIT))?;
        receiving.set_read_timeout(Some(LIMIT))?;
        let client = thread::spawn(move || {
            let mut sent = 0_u64;
            while !stopped.load(Ordering::Relaxed) {
                let piece: Vec<u8> = (0..PIECE as u64).map(|it| pattern(sent + it)).collect();
                sending.write_all(&piece)?;
                sent += piece.len() as u64;
                thread::park_timeout(Duration::from_millis(1));
            }
            Ok(sent)
        });
        let server = thread::spawn(move || {
            let (mut got, mut buffer) = (0_u64, vec![0; PIECE]);
            loop {
                let read = receiving.read(&mut buffer)?;
                if read == 0 {
                    return Ok(got);
                }
                for (index, byte) in buffer[..read].iter().enumerate() {
                    let at = got + index as u64;
                    ensure!(*byte == pattern(at), "byte {at} is another one");
                }
                got += read as u64;
            }
        });
        Ok(Self {
            stop,
            client,
            server,
        })
    }

    /// Bytes that went across, all of them right.
    fn finish(self) -> Result<u64> {
        self.stop.store(true, Ordering::Relaxed);
        let join = |it: thread::JoinHandle<Result<u64>>| {
            it.join().map_err(|_| anyhow!("a thread panicked"))?
        };
        let sent = join(self.client).context("the client of the stream")?;
        let got = join(self.server).context("the server of the stream")?;
        ensure!(sent == got, "{sent} bytes sent, {got} received");
        Ok(got)
    }
}

const fn pattern(at: u64) -> u8 {
    (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8
}

fn contained(events: &mut Subscription, kind: ActionKind) -> Result<Event> {
    let wanted = |event: &Event| event.action.as_ref().is_some_and(|it| it.kind() == kind);
    Ok(events.event(LIMIT, wanted)?.0)
}

/// Scans all ports of the target; how many of them got the probe, and so answered.
fn scan(scanner: &Pod, target: &Pod, timing: &str) -> Result<usize> {
    let capture = Capture::start(&target.network, "eth0")?;
    let address = target.address().to_string();
    let mut nmap = scanner.command("nmap");
    nmap.args(["-n", "-Pn", "-p-", timing, "--max-retries", "0"]);
    nmap.args(["--host-timeout", "8s", &address]);
    run("nmap", &mut nmap, LIMIT)?;
    let ports = capture.finish()?.ports_initiated_by(scanner.address());
    let used = [STREAM, KNOWN];
    Ok(ports.iter().filter(|port| !used.contains(port)).count())
}

#[test]
fn a_scanner_gets_little_more_answers_than_the_threshold_and_the_rest_goes_on() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    require_tools(&["nmap", "tcpdump"])?;
    let open: Vec<u16> = (1..=600).collect();
    for (timing, ports) in [
        ("-T4", &[][..]),
        ("-T5", &[]),
        ("-T4", &open),
        ("-T5", &open),
    ] {
        let story = Story::new()?;
        let Story { app1, app2, node } = &story;
        let _open = app2.serve(ports)?;
        let _known = app2.serve(&[KNOWN])?;
        let watch = Watch::start(node, &[app1, app2], &config("10m"), Place::Apart)?;
        let mut events = watch.client()?.subscribe(From::AfterCursor(0), LIMIT)?;
        let stream = Stream::start(app1, app2)?;
        let known = SocketAddr::from((app2.address(), KNOWN));
        app1.network.enter(|| visit(known))??;

        let answered = scan(app1, app2, timing)?;
        let event = contained(&mut events, ActionKind::Contained)?;
        for _ in 0..20 {
            app1.network.enter(|| visit(known))??;
        }
        let bytes = stream.finish()?;
        println!(
            "nmap -p- {timing}, {} open: {answered} ports answered at threshold {THRESHOLD}, \
             {bytes} bytes of the stream unhurt; {}",
            ports.len(),
            event.summary
        );
        ensure!(event.state() == State::Opened, "{event:?}");
        ensure!(
            (THRESHOLD..2 * THRESHOLD).contains(&answered),
            "{answered} ports answered{}",
            watch.log()
        );
    }
    Ok(())
}

#[test]
fn a_lease_ends_by_itself_with_agent_and_collector_killed() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    require_tools(&["nmap", "tcpdump"])?;
    let story = Story::new()?;
    let Story { app1, app2, node } = &story;
    let _server = app2.serve(&[KNOWN])?;
    let mut watch = Watch::pinned(node, &[app1, app2], &config("3s"))?;
    let mut events = watch.client()?.subscribe(From::AfterCursor(0), LIMIT)?;
    let address = app2.address().to_string();
    let mut nmap = app1.command("nmap");
    let scanner = Process::spawn("nmap", nmap.args(["-n", "-Pn", "-p-", &address]))?;
    contained(&mut events, ActionKind::Contained)?;
    drop(scanner);
    watch.kill_agent()?;
    let mut collector = watch.collector.take().context("no collector")?;
    collector.signal(Signal::KILL)?;
    collector.wait(LIMIT)?;

    let known = SocketAddr::from((app2.address(), KNOWN));
    let reaches = |address: SocketAddr| {
        let connect = || TcpStream::connect_timeout(&address, Duration::from_millis(300));
        app1.network.enter(connect).map(|it| it.is_ok())
    };
    ensure!(!reaches(known)?, "the pins keep it contained");
    wait_for("the lease to end", Duration::from_secs(10), || {
        Ok(reaches(known)?.then_some(()))
    })
}

//! Pods that live for a fraction of a second, and whose addresses and interface indexes the next ones have at
//! once: each is seen, and nobody is taken for another, however late the API server tells who they were.

#[expect(
    dead_code,
    clippy::unwrap_used,
    reason = "the collector's tests ask for more of it, and all of it is tests"
)]
#[path = "../../../collector/tests/collector/api_server.rs"]
mod api_server;
mod kubelet;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::ErrorKind,
    net::{IpAddr, SocketAddr, TcpStream},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, Result, anyhow, ensure};
use api::v1::{Event, State, subscribe_request::From, subscribe_response::Item};
use tests::{Namespace, Node, Subscription, Watch, wait_for, without_root};

use self::kubelet::{Kubelet, Stage};

const LIMIT: Duration = Duration::from_secs(60);
/// Each agent may raise 1,024 events at once, two of each pod.
const ROUNDS: u32 = 2;
const PODS: u32 = 500;
const AT_ONCE: u8 = 20;
/// A few more than are needed, so that they go from pod to pod in any order.
const POOL: u8 = AT_ONCE + 4;
/// The least that passes from when a pod's network is there to the first instruction of its own.
const START: Duration = Duration::from_millis(20);
/// A container runtime makes and removes the networks of a few pods at a time.
static MAKING: Mutex<()> = Mutex::new(());
const FIRST_INDEX: u32 = 3000;
/// Ports that only this pod probes, of which it probes the first `Pod::probes`.
const PORTS: u16 = 60;
const FEWEST: u16 = 20;
/// Of the pods, that are named in the end: of the others the API server tells too little, or somebody else may
/// have had the interface.
const NAMED_PERCENT: u32 = 50;
const AGENT_CONFIG: &str = "slots: 64\ndetectors: {port_scan_target: {mode: off}}\n";

/// What there is to be seen of a pod.
#[derive(Clone, Debug)]
struct Pod {
    number: u32,
    interface: String,
    address: IpAddr,
    first_port: u16,
    probes: u16,
    /// When its interface was asked for.
    asked: SystemTime,
}

#[test]
fn pods_of_a_fraction_of_a_second_are_seen_and_not_mistaken() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let (mut sent, mut seen, mut named, mut delays) = (0, 0, 0, Vec::new());
    for _ in 0..ROUNDS {
        let round = round()?;
        sent += round.sent;
        seen += round.seen;
        named += round.named;
        delays.extend(round.delays);
    }
    delays.sort_unstable();
    let percentile = |percent: usize| delays[(delays.len() * percent).div_ceil(100).max(1) - 1];
    let told = format!(
        "{} of {} probes of {} pods seen, {} pods named and none wrongly; attached after p50 {:.1?}, p99 {:.1?}, at most {:.1?}",
        seen,
        sent,
        ROUNDS * PODS,
        named,
        percentile(50),
        percentile(99),
        percentile(100),
    );
    println!("{told}");
    ensure!(seen * 1000 >= sent * 999, "{told}");
    ensure!(named * 100 >= ROUNDS * PODS * NAMED_PERCENT, "{told}");
    ensure!(percentile(99) <= Duration::from_millis(50), "{told}");
    Ok(())
}

struct Round {
    sent: u64,
    seen: u64,
    named: u32,
    delays: Vec<Duration>,
}

fn round() -> Result<Round> {
    let node = Node::new("node1")?;
    let sink = node.routed("default", "sink", &["10.244.8.1"])?;
    let kubelet = Kubelet::start(&node.name, sink.address())?;
    let watch = Watch::of_cluster(&node, &[&sink], AGENT_CONFIG, kubelet.kubeconfig())?;
    let mut subscription = watch.client()?.subscribe(From::Now(true), LIMIT)?;
    let pods = live(&node, sink.address(), &kubelet)?;
    let told = told(&mut subscription, &pods).with_context(|| watch.log())?;
    let sent = pods.values().map(|pod| u64::from(pod.probes)).sum();
    let mut seen = 0;
    let mut named = 0;
    for (interface, pod) in &pods {
        let Some(told) = told.get(interface) else {
            continue;
        };
        named += u32::from(told.is_named);
        let event = &told.closed;
        let counted = check(event, pod).with_context(|| format!("{pod:?}: {event:?}"))?;
        seen += u64::from(counted);
    }
    let agent = watch.agent.as_ref().context("no agent runs")?;
    let lines = agent.lines();
    let delays = lines.iter().filter_map(|line| delay(line, &pods));
    let delays: Vec<_> = delays.collect();
    ensure!(
        delays.len() == pods.len(),
        "{} of {} interfaces were watched{}",
        delays.len(),
        pods.len(),
        watch.log()
    );
    Ok(Round {
        sent,
        seen,
        named,
        delays,
    })
}

/// Lets all pods live, as many at once as may be.
fn live(node: &Node, sink: IpAddr, kubelet: &Kubelet) -> Result<BTreeMap<String, Pod>> {
    let next = AtomicU32::new(0);
    let numbers = Mutex::new((0..POOL).collect::<Vec<u8>>());
    let indexes = Mutex::new((0..POOL).collect::<Vec<u8>>());
    let lived = Mutex::new(BTreeMap::new());
    let work = || -> Result<()> {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= PODS {
                return Ok(());
            }
            // The address that has been free for longest, and the index that came free last.
            let address = lock(&numbers).remove(0);
            let index = lock(&indexes).pop().context("no index is free")?;
            let pod = one(node, sink, kubelet, number, [address, index])?;
            lock(&numbers).push(address);
            lock(&indexes).push(index);
            lock(&lived).insert(pod.interface.clone(), pod);
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| {
            let worked = worker.join();
            worked.map_err(|_| anyhow!("a worker panicked"))?
        })
    })?;
    Ok(lived.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// One pod from its beginning to its end.
fn one(
    node: &Node,
    sink: IpAddr,
    kubelet: &Kubelet,
    number: u32,
    [address, index]: [u8; 2],
) -> Result<Pod> {
    let making = lock(&MAKING);
    let network = Namespace::new()?;
    let first_port = 1 + u16::try_from(number % 1000)? * PORTS;
    let pod = Pod {
        number,
        interface: format!("short{number}"),
        address: IpAddr::from([10, 244, 9, address]),
        first_port,
        probes: fastrand::u16(FEWEST..=PORTS),
        asked: now(),
    };
    let Pod {
        interface, address, ..
    } = &pod;
    kubelet.tell(&pod, Stage::TakenOn);
    let life = Duration::from_millis(fastrand::u64(100..=500));
    node.network.ip(&format!(
        "link add {interface} index {} address ee:ee:ee:ee:ee:ee type veth peer name eth0 netns {}\n\
         link set {interface} up\n\
         route add {address}/32 dev {interface}\n",
        FIRST_INDEX + u32::from(index),
        network.path().display()
    ))?;
    network.ip(&format!(
        "link set eth0 up\n\
         addr add {address}/32 dev eth0\n\
         neigh add 169.254.1.1 lladdr ee:ee:ee:ee:ee:ee dev eth0 nud permanent\n\
         route add 169.254.1.1 dev eth0\n\
         route add default via 169.254.1.1\n"
    ))?;
    drop(making);
    kubelet.tell(&pod, Stage::Started);
    wait_until(now() + START)?;
    network.enter(|| {
        for port in pod.ports() {
            probe(SocketAddr::new(sink, port))?;
        }
        Ok::<_, anyhow::Error>(())
    })??;
    let ends = pod.asked + life;
    wait_for("the end of a pod", LIMIT, || {
        Ok((now() >= ends).then_some(()))
    })?;
    kubelet.tell(&pod, Stage::Ended);
    let removing = lock(&MAKING);
    node.network.ip(&format!("link del {interface}\n"))?;
    drop(removing);
    Ok(pod)
}

impl Pod {
    fn uid(&self) -> String {
        format!("uid-{}", self.interface)
    }

    fn ports(&self) -> impl Iterator<Item = u16> {
        self.first_port..self.first_port + self.probes
    }
}

/// Connects to a port where nobody listens.
fn probe(to: SocketAddr) -> Result<()> {
    match TcpStream::connect_timeout(&to, LIMIT) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(()),
        Err(error) => Err(error).context("the sink does not refuse"),
        Ok(_) => Err(anyhow!("the sink serves {to}")),
    }
}

/// What was told of a pod.
struct Told {
    closed: Event,
    is_named: bool,
}

/// What is told of each pod, by its interface, until nothing more comes. Every event names its own pod, or none.
fn told(
    subscription: &mut Subscription,
    pods: &BTreeMap<String, Pod>,
) -> Result<BTreeMap<String, Told>> {
    // Names come when all is known that may have had an interface.
    const QUIET: Duration = Duration::from_secs(12);
    let mut told: BTreeMap<String, Told> = BTreeMap::new();
    let mut named = BTreeSet::new();
    while let Some(received) = subscription.poll(QUIET)? {
        let Item::Event(event) = received.item else {
            return Err(anyhow!("events were lost: {:?}", received.item));
        };
        ensure!(event.withheld == 0, "events were held back: {event:?}");
        if event.detector != "port_scan" {
            continue;
        }
        let source = event.source.clone().unwrap_or_default();
        let pod = pods.get(&source.interface);
        let pod = pod.with_context(|| format!("nobody had {}", source.interface))?;
        if !source.uid.is_empty() || !source.pod.is_empty() {
            ensure!(source.uid == pod.uid(), "another pod: {pod:?}: {event:?}");
            named.insert(source.interface.clone());
        }
        if event.state() == State::Closed {
            let anomaly = event.anomaly_id.clone();
            let is_named = false;
            let closed = event;
            let former = told.insert(source.interface, Told { closed, is_named });
            let former = former.map_or(anomaly.clone(), |it| it.closed.anomaly_id);
            ensure!(former == anomaly, "two anomalies of one pod: {former}");
        }
    }
    for (interface, told) in &mut told {
        told.is_named = named.contains(interface);
    }
    Ok(told)
}

/// How many of a pod's probes the event counts; every one of them must be its own.
fn check(event: &Event, pod: &Pod) -> Result<u16> {
    let source = event.source.clone().unwrap_or_default();
    ensure!(source.address == pod.address.to_string(), "another address");
    let counted = event.ports.as_ref().map_or(0, |it| it.distinct);
    ensure!(counted <= u32::from(pod.probes), "too many ports");
    let own: Vec<_> = pod.ports().map(u32::from).collect();
    for target in &event.targets {
        let all_own = target.sample_ports.iter().all(|port| own.contains(port));
        ensure!(all_own, "ports of another pod");
    }
    Ok(u16::try_from(counted)?)
}

/// From when an interface was asked for until the agent says in `line` that it watches it.
fn delay(line: &str, pods: &BTreeMap<String, Pod>) -> Option<Duration> {
    if !line.contains(": watching ") {
        return None;
    }
    let (_, rest) = line.split_once("interface=\"")?;
    let (interface, _) = rest.split_once('"')?;
    let at = humantime::parse_rfc3339(line.split_whitespace().next()?).ok()?;
    at.duration_since(pods.get(interface)?.asked).ok()
}

fn wait_until(moment: SystemTime) -> Result<()> {
    let is_there = || Ok((now() >= moment).then_some(()));
    wait_for("a moment of a pod's life", LIMIT, is_there)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(clippy::disallowed_methods, reason = "the lives of pods are measured")]
fn now() -> SystemTime {
    SystemTime::now()
}

//! The scan, and how fast it is told.

use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, anyhow};
use api::v1::{Endpoint, Event, State, Technique};
use humantime::format_duration;
use tests::{Pod, Process, Story, Subscription};

use crate::{
    stage::Stage,
    teller::{ALARM, COMMAND, STRONG, Teller},
};

const ANOMALY_LIMIT: Duration = Duration::from_secs(15);
const NMAP_LIMIT: Duration = Duration::from_secs(60);

/// Lets app1 scan app2, and tells what the subscriber sees.
pub(crate) fn tell(teller: &Teller, stage: &Stage) -> Result<Subscription> {
    let mut subscription = stage.subscribe()?;
    let Story { app1, app2, .. } = &stage.story;
    let target = app2.address().to_string();
    let mut nmap = app1.command("nmap");
    // Without -n it would wait 13 s for a name server, which this cluster lacks.
    nmap.args(["-n", &target]);
    teller.step(&format!(
        "app1 starts: {}",
        teller.paint(COMMAND, &format!("nmap -n {target}"))
    ));
    let mut nmap = Process::spawn("nmap", &mut nmap)?;

    let (event, arrived) = subscription
        .event(ANOMALY_LIMIT, |event| opened_by(event, app1))
        .map_err(|error| {
            let logs = nmap.log() + &stage.watch.log();
            anyhow!("the anomaly was not seen: {error:#}{logs}")
        })?;
    let running = nmap.ended_at().is_none_or(|ended| ended > arrived);
    teller.step(&teller.paint(ALARM, &format!("{} opened", event.detector)));
    describe(teller, &event);
    let latency = latency(&event, arrived)?.as_secs_f64() * 1e3;
    teller.detail(
        "latency",
        &format!(
            "{} from the packet that crossed the threshold to this subscriber",
            teller.paint(STRONG, &format!("{latency:.1} ms"))
        ),
    );
    let state = if running {
        "was still running"
    } else {
        "had just ended"
    };
    teller.detail("", &format!("nmap {state} at that moment"));

    nmap.wait(NMAP_LIMIT)?;
    let last = nmap.wait_for_line("Nmap done", NMAP_LIMIT)?;
    teller.step(&format!("nmap says: {last}"));
    Ok(subscription)
}

fn opened_by(event: &Event, pod: &Pod) -> bool {
    event.state() == State::Opened
        && event.detector == "port_scan"
        && event
            .source
            .as_ref()
            .is_some_and(|source| source.namespace == pod.namespace && source.pod == pod.name)
}

fn describe(teller: &Teller, event: &Event) {
    if let Some(source) = &event.source {
        teller.detail("from", &named(teller, source));
    }
    for target in &event.targets {
        if let Some(endpoint) = &target.endpoint {
            teller.detail("to", &named(teller, endpoint));
        }
    }
    if let Some(crossed) = &event.crossed {
        let window = crossed
            .window
            .and_then(|window| Duration::try_from(window).ok());
        teller.detail(
            "counted",
            &format!(
                "{} {} within {}; the threshold is {}",
                crossed.counted,
                api::summary::measure(event),
                format_duration(window.unwrap_or_default()),
                crossed.threshold
            ),
        );
    }
    teller.detail("technique", technique(event.technique()));
    teller.detail("ATT&CK", &event.attack_ids.join(", "));
    teller.detail("in short", &event.summary);
}

fn named(teller: &Teller, endpoint: &Endpoint) -> String {
    let name = format!("{}/{}", endpoint.namespace, endpoint.pod);
    format!("{} ({})", teller.paint(STRONG, &name), endpoint.address)
}

fn technique(technique: Technique) -> &'static str {
    match technique {
        Technique::TcpConnect => "TCP connect scan",
        Technique::TcpSyn => "TCP SYN scan",
        Technique::TcpNull => "TCP NULL scan",
        Technique::TcpFin => "TCP FIN scan",
        Technique::TcpXmas => "TCP Xmas scan",
        Technique::TcpOther => "TCP scan with odd flags",
        Technique::TcpAck => "TCP ACK or window scan",
        Technique::TcpMaimon => "TCP Maimon scan",
        Technique::TcpSynAck => "TCP SYN-ACK scan",
        Technique::TinyFragment => "scan in tiny fragments",
        Technique::Udp => "UDP scan",
        Technique::SctpInit => "SCTP INIT scan",
        Technique::SctpCookieEcho => "SCTP COOKIE ECHO scan",
        Technique::Ping => "ping sweep",
        Technique::IpProtocol => "IP protocol scan",
        Technique::Neighbour => "neighbour sweep",
        Technique::Unspecified => "not known",
    }
}

fn latency(event: &Event, arrived: SystemTime) -> Result<Duration> {
    let crossed = event
        .crossed_at
        .context("the event does not say when it crossed")?;
    arrived
        .duration_since(SystemTime::try_from(crossed)?)
        .context("the event arrived before the packet that crossed the threshold")
}

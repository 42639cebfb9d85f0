//! `picket replay` tells of a capture what the agent told of the traffic itself.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use api::v1::{Event, State, subscribe_request::From};
use serde_json::Value;
use tempfile::TempDir;
use tests::{
    Capture, Finished, Form, Place, Recording, Story, Watch, binary, guarded, pod_table, run,
    visit, without_root,
};

const LIMIT: Duration = Duration::from_secs(60);
const AGENT_CONFIG: &str = "detectors: {port_scan: {quiet: 2s}, port_scan_target: {mode: off}}\n";

/// A directory for the files of one replay.
struct Desk(TempDir);

impl Desk {
    fn new() -> Result<Self> {
        Ok(Self(tempfile::tempdir_in("/tmp")?))
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> Result<PathBuf> {
        let path = self.0.path().join(name);
        fs::write(&path, bytes)?;
        Ok(path)
    }
}

fn replay(capture: &Path, arguments: &[&str]) -> Result<Finished> {
    let mut picket = guarded(binary("picket")?);
    picket.arg("replay").args(arguments).arg(capture);
    run("picket", &mut picket, LIMIT)
}

/// What `nmap` did, at the veth of the one who did it, and how the live agent closed it.
fn scan(story: &Story, directory: &Path) -> Result<(PathBuf, Event)> {
    let Story { app1, app2, node } = story;
    let _server = app2.serve(&[80, 8080])?;
    let watch = Watch::start(node, &[app1, app2], AGENT_CONFIG, Place::Apart)?;
    let mut subscription = watch.client()?.subscribe(From::Now(true), LIMIT)?;
    let mut capture = Capture::start(&node.network, &app1.interface)?;
    let mut nmap = app1.command("nmap");
    nmap.args(["-n", "-sS"]).arg(app2.address().to_string());
    run("nmap", &mut nmap, LIMIT)?.success()?;
    let closed = subscription.event(LIMIT, |event| event.state() == State::Closed);
    let (closed, _) = closed.with_context(|| watch.log())?;
    let file = directory.join("scan.pcap");
    capture.save(&file)?;
    Ok((file, closed))
}

#[test]
fn a_replayed_scan_is_told_as_the_live_one_was() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let (story, desk) = (Story::new()?, Desk::new()?);
    let (file, live) = scan(&story, desk.0.path())?;
    let config = desk.file("agent.yaml", AGENT_CONFIG)?;
    let table = desk.file("pods.yaml", pod_table(&[&story.app1, &story.app2]))?;
    let settings = ["--config", path(&config)?, "--pod-table", path(&table)?];

    let told = replay(&file, &[&["--json"], &settings[..]].concat())?.success()?;
    let events: Vec<Value> = told
        .stdout
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    let states: Vec<_> = events.iter().map(|event| &event["state"]).collect();
    assert_eq!(states, ["opened", "updated", "updated", "closed"]);
    let closed = &events[3];
    let ports = live.ports.unwrap_or_default();
    for (count, live) in [
        ("distinct", ports.distinct),
        ("refused", ports.refused),
        ("answered", ports.answered),
        ("silent", ports.silent),
    ] {
        assert_eq!(closed["ports"][count], live, "{count}");
    }
    assert_eq!(closed["technique"], "tcp_syn");
    for (at, event) in [("source", closed), ("endpoint", &closed["targets"][0])] {
        let endpoint = if at == "source" {
            live.source.as_ref()
        } else {
            live.targets.first().and_then(|it| it.endpoint.as_ref())
        };
        let endpoint = endpoint.context("the live event names nobody")?;
        assert_eq!(event[at]["pod"], endpoint.pod, "{at}");
        assert_eq!(event[at]["address"], endpoint.address, "{at}");
    }
    let [live_first, first] = [
        live.first_seen.map(|at| at.seconds).unwrap_or_default(),
        seconds(&closed["first_seen"])?,
    ];
    ensure!(
        (live_first - first).abs() <= 1,
        "packet time is not the clock"
    );

    let text = replay(&file, &settings)?.success()?;
    ensure!(
        text.stdout
            .contains("default/app1 (10.244.147.92) stopped scanning blue/app2"),
        "{}",
        text.stdout
    );
    ensure!(text.stderr.contains("1 anomaly"), "{}", text.stderr);
    Ok(())
}

#[test]
fn every_form_of_a_capture_tells_the_same() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let (story, desk) = (Story::new()?, Desk::new()?);
    let (file, _) = scan(&story, desk.0.path())?;
    let recording = Recording::read(&file)?;
    let pod = story.app1.address().to_string();
    let replayed = |form| {
        let capture = desk.file("capture", recording.bytes(form))?;
        replay(&capture, &["--json", "--pod", &pod])
    };
    let expected = replayed(Form::Pcap)?.success()?;
    ensure!(expected.stdout.lines().count() == 4, "{}", expected.stdout);
    for form in [
        Form::BigEndian,
        Form::Nanoseconds,
        Form::ShortSnap,
        Form::Pcapng,
        Form::RawIp,
        Form::Cooked,
        Form::Cooked2,
        Form::Cut,
    ] {
        let told = replayed(form)?.success()?;
        // The last packet of a scan is one of its own.
        let same = if form == Form::Cut { 1 } else { 4 };
        let lines = |told: &Finished| {
            let lines = told.stdout.lines().take(same);
            lines.map(String::from).collect::<Vec<_>>()
        };
        assert_eq!(lines(&told), lines(&expected), "{form:?}");
        let packets = recording.packets() - usize::from(form == Form::Cut);
        let counted = format!("{packets} packets (");
        ensure!(told.stderr.contains(&counted), "{form:?}: {}", told.stderr);
        assert_eq!(
            told.stderr.contains("ends within a packet"),
            form == Form::Cut,
            "{form:?}: {}",
            told.stderr
        );
    }
    let refused = replayed(Form::Radio)?;
    assert_eq!(refused.status.code(), Some(1));
    ensure!(
        refused.stderr.contains("link type 127"),
        "{}",
        refused.stderr
    );
    Ok(())
}

#[test]
fn benign_traffic_replays_to_nothing() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let (story, desk) = (Story::new()?, Desk::new()?);
    let Story { app1, app2, node } = &story;
    let _server = app2.serve(&[8080])?;
    let mut captures = [app1, app2].map(|pod| Capture::start(&node.network, &pod.interface));
    let server = (app2.address(), 8080).into();
    let visits = || (0..500).try_for_each(|_| visit(server).map(drop));
    app1.network.enter(visits)??;
    for capture in &mut captures {
        let file = desk.0.path().join("benign.pcap");
        capture
            .as_mut()
            .map_err(|error| anyhow::anyhow!("{error:#}"))?
            .save(&file)?;
        let told = replay(&file, &[])?.success()?;
        assert_eq!(told.stdout, "");
        for text in ["for the pod", "0 anomalies", "0 skipped", "0 not parsed"] {
            ensure!(told.stderr.contains(text), "no {text:?}: {}", told.stderr);
        }
    }
    Ok(())
}

#[test]
fn what_cannot_be_replayed_is_refused_with_the_next_step() -> Result<()> {
    let desk = Desk::new()?;
    let text = desk.file("text", "no packets at all, just text")?;
    let (missing, directory) = (desk.0.path().join("missing"), desk.0.path().to_owned());
    for (file, says) in [
        (&missing, "check the path"),
        (&text, "begins like neither pcap nor pcapng"),
        (&directory, "no regular file"),
    ] {
        let refused = replay(file, &[])?;
        assert_eq!(refused.status.code(), Some(1), "{}", file.display());
        assert_eq!(refused.stdout, "");
        for text in [path(file)?, says] {
            ensure!(
                refused.stderr.contains(text),
                "no {text:?}: {}",
                refused.stderr
            );
        }
    }
    let refused = replay(&text, &["--pod", "app1"])?;
    ensure!(
        refused.stderr.contains("a MAC address such as"),
        "{}",
        refused.stderr
    );
    Ok(())
}

#[test]
fn without_an_agent_or_its_rights_a_replay_says_so() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let desk = Desk::new()?;
    let picket = desk.0.path().join("picket");
    fs::copy(binary("picket")?, &picket)?;
    let mut chmod = guarded("chmod");
    run("chmod", chmod.arg("755").arg(desk.0.path()), LIMIT)?.success()?;
    // An empty capture is one all the same.
    let header = [
        &[0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0][..],
        &[0; 12],
        &[1, 0, 0, 0],
    ]
    .concat();
    let capture = desk.file("capture", header)?;
    let alone = Command::new(&picket)
        .arg("replay")
        .arg(&capture)
        .env("PATH", desk.0.path())
        .output()?;
    let said = String::from_utf8_lossy(&alone.stderr).into_owned();
    ensure!(said.contains("cannot find picket-agent"), "{said}");

    fs::copy(binary("picket-agent")?, desk.0.path().join("picket-agent"))?;
    let mut nobody = guarded("setpriv");
    nobody
        .args([
            "--reuid",
            "65534",
            "--regid",
            "65534",
            "--clear-groups",
            "--",
        ])
        .arg(&picket)
        .arg("replay")
        .arg(&capture);
    let refused = run("picket", &mut nobody, LIMIT)?;
    assert_eq!(refused.status.code(), Some(1));
    ensure!(refused.stderr.contains("run as root"), "{}", refused.stderr);
    Ok(())
}

fn path(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is no text")
}

fn seconds(time: &Value) -> Result<i64> {
    let time = humantime::parse_rfc3339(time.as_str().context("no time")?)?;
    let since = time.duration_since(std::time::SystemTime::UNIX_EPOCH)?;
    Ok(i64::try_from(since.as_secs())?)
}

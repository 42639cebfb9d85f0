//! From one agent to the next: what is pinned goes on counting, and the next one takes it over.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use api::v1::{Event, State, subscribe_request::From};
use rustix::process::Signal;
use tests::{
    Capture, Client, Pod, Process, Story, Subscription, Watch, bpf, bpf::Foreign, run, wait_for,
    without_root,
};

const LIMIT: Duration = Duration::from_secs(60);
const AGENT_CONFIG: &str = "detectors: {port_scan: {quiet: 2s}, port_scan_target: {mode: off}}\n";

fn links(watch: &Watch) -> Result<Vec<String>> {
    let mut pins = watch.pins()?;
    pins.retain(|path| path.contains("/links/"));
    Ok(pins)
}

/// Of what is done about it there are events too.
fn is_opened(event: &Event) -> bool {
    event.state() == State::Opened && event.detector == "port_scan"
}

fn closed(subscription: &mut Subscription, opened: &Event) -> Result<Event> {
    let (closed, _) = subscription.event(LIMIT, |event| {
        event.anomaly_id == opened.anomaly_id && event.state() == State::Closed
    })?;
    Ok(closed)
}

#[test]
fn an_agent_killed_within_a_scan_costs_no_port() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let story = Story::new()?;
    let Story { app1, app2, node } = &story;
    let _server = app2.serve(&[80, 8080])?;
    let mut watch = Watch::pinned(node, &[app1, app2], AGENT_CONFIG)?;
    let pinned = links(&watch)?;
    ensure!(pinned.len() == 4, "two programs at two pods: {pinned:?}");
    let mut subscription = watch.client()?.subscribe(From::Now(true), LIMIT)?;
    let capture = Capture::start(&node.network, &app1.interface)?;
    let mut nmap = app1.command("nmap");
    nmap.args(["-n", "-sS", "--max-rate", "2000", "-p", "1-6000"]);
    let mut scan = Process::spawn("nmap", nmap.arg(app2.address().to_string()))?;
    subscription.event(LIMIT, is_opened)?;
    watch.kill_agent()?;
    ensure!(
        links(&watch)? == pinned,
        "what is pinned went with the agent"
    );
    ensure!(scan.is_running()?, "the scan was over before the kill");
    watch.start_agent()?;
    ensure!(scan.is_running()?, "the scan was over before the takeover");
    ensure!(scan.wait(LIMIT)?.success(), "{}", scan.log());
    let (opened, _) = subscription.event(LIMIT, is_opened)?;
    let closed = closed(&mut subscription, &opened).with_context(|| watch.log())?;
    let captured = capture.finish()?.ports_initiated_by(app1.address());
    let counted = closed.ports.unwrap_or_default().distinct;
    assert_eq!(
        usize::try_from(counted)?,
        captured.len(),
        "{opened:?} {}",
        watch.log()
    );
    ensure!(captured.len() >= 6000, "the scan was cut short");
    ensure!(links(&watch)? == pinned, "the links were not taken over");
    Ok(())
}

fn scan(pod: &Pod, target: &Pod) -> Result<()> {
    let mut nmap = pod.command("nmap");
    nmap.args(["-n", "-sS", &target.address().to_string()]);
    run("nmap", &mut nmap, LIMIT)?.success().map(drop)
}

/// `ip`'s lines to remove a pod's veth and to make another with the same index and name.
fn replace(watch: &Story, elsewhere: &tests::Namespace) -> Result<()> {
    let interface = &watch.app1.interface;
    let index = ifindex(watch, interface)?;
    watch.node.network.ip(&format!(
        "link del {interface}\n\
         link add {interface} index {index} type veth peer name eth0 netns {}\n\
         link set {interface} up\n",
        elsewhere.path().display()
    ))
}

fn ifindex(story: &Story, interface: &str) -> Result<u32> {
    let mut ip = story.node.network.command("ip");
    ip.args(["-o", "link", "show", interface]);
    let shown = run("ip", &mut ip, LIMIT)?.success()?.stdout;
    let index = shown.split(':').next().unwrap_or_default();
    index
        .parse()
        .with_context(|| format!("no index in {shown}"))
}

#[test]
fn what_a_pod_did_before_it_went_is_told_by_the_next_agent() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let story = Story::new()?;
    let Story { app1, app2, node } = &story;
    let mut watch = Watch::pinned(node, &[app1, app2], AGENT_CONFIG)?;
    let pinned = links(&watch)?;
    let mut subscription = watch.client()?.subscribe(From::Now(true), LIMIT)?;
    watch.wait_until_remembered(&[app1, app2])?;
    watch.kill_agent()?;
    let capture = Capture::start(&node.network, &app1.interface)?;
    scan(app1, app2)?;
    let captured = capture.finish()?.ports_initiated_by(app1.address());
    let elsewhere = tests::Namespace::new()?;
    replace(&story, &elsewhere)?;
    watch.start_agent()?;
    let (opened, _) = subscription.event(LIMIT, is_opened)?;
    let source = opened.source.clone().unwrap_or_default();
    ensure!(
        source.uid == "uid-app1" && source.interface == app1.interface,
        "an innocent is accused: {opened:?}"
    );
    let closed = closed(&mut subscription, &opened)?;
    let counted = closed.ports.unwrap_or_default().distinct;
    assert_eq!(usize::try_from(counted)?, captured.len());
    watch.wait_until_attached(&[app1, app2])?;
    ensure!(links(&watch)? == pinned, "zombies: {:?}", links(&watch)?);
    let nodes = Client::connect(&watch.agent_address(), LIMIT)?.nodes()?;
    let slots = nodes
        .into_iter()
        .filter_map(|it| it.status)
        .flat_map(|it| it.slots);
    let known: u32 = slots.map(|slot| slot.distinct_ports).sum();
    ensure!(known == 0, "the newcomer inherits {known} ports");
    Ok(())
}

#[test]
fn another_version_is_replaced_without_a_trace() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let story = Story::new()?;
    let Story { app1, app2, node } = &story;
    let mut watch = Watch::pinned(node, &[app1, app2], "slots: 16\n")?;
    let mut subscription = watch.client()?.subscribe(From::Now(true), LIMIT)?;
    watch.stop_agent()?;
    ensure!(
        links(&watch)?.len() == 4,
        "a stop is no end to what is pinned"
    );
    watch.configure_agent("slots: 17\n")?;
    watch.start_agent()?;
    watch.wait_until_attached(&[app1, app2])?;
    wait_for("the other version to go", LIMIT, || {
        let pins = watch.pins()?;
        Ok(pins.iter().all(|path| path.contains("-17/")).then_some(()))
    })?;
    ensure!(links(&watch)?.len() == 4, "{:?}", watch.pins()?);
    scan(app1, app2)?;
    subscription.event(LIMIT, is_opened)?;
    Ok(())
}

#[test]
fn detach_removes_all_that_agents_have_left() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let story = Story::new()?;
    let Story { app1, app2, node } = &story;
    for (attach, left) in [
        ("tcx", "4 links, 0 filters"),
        ("clsact", "0 links, 4 filters"),
    ] {
        let mut watch = Watch::pinned(node, &[app1, app2], &format!("attach: {attach}\n"))?;
        let detach = |watch: &Watch| run("detach", watch.agent_command()?.arg("detach"), LIMIT);
        let refused = detach(&watch)?;
        ensure!(
            !refused.status.success() && refused.stderr.contains("another picket-agent"),
            "an agent runs: {refused:?}"
        );
        watch.kill_agent()?;
        let said = detach(&watch)?.success()?.stdout;
        ensure!(said.contains(left), "{said:?}");
        ensure!(watch.pins()?.is_empty(), "{:?}", watch.pins()?);
        ensure!(filters(&story, app1)?.is_empty(), "filters are left");
        let again = detach(&watch)?.success()?.stdout;
        ensure!(again.contains("nothing to remove"), "{again:?}");
    }
    Ok(())
}

/// The BPF filters of both directions at the host side of a pod's veth, a line each.
fn filters(story: &Story, pod: &Pod) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for direction in ["ingress", "egress"] {
        let mut tc = story.node.network.command("tc");
        tc.args(["filter", "show", "dev", &pod.interface, direction]);
        let shown = run("tc", &mut tc, LIMIT)?.success()?.stdout;
        lines.extend(
            shown
                .lines()
                .filter(|it| it.contains(" id "))
                .map(str::to_owned),
        );
    }
    Ok(lines)
}

fn tc(story: &Story, line: &str) -> Result<()> {
    let mut tc = story.node.network.command("sh");
    tc.args(["-c", &format!("tc {line}")]);
    run("tc", &mut tc, LIMIT)?.success().map(drop)
}

#[test]
fn filters_of_a_killed_agent_are_replaced_and_those_of_others_stay() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let story = Story::new()?;
    let Story { app1, app2, node } = &story;
    let _server = app2.serve(&[80, 8080])?;
    let foreign = format!("dev {} ingress pref 1 handle 0x1", app1.interface);
    tc(&story, &format!("qdisc add dev {} clsact", app1.interface))?;
    tc(
        &story,
        &format!("filter add {foreign} bpf bytecode '1,6 0 0 0'"),
    )?;
    let mut watch = Watch::pinned(
        node,
        &[app1, app2],
        "attach: clsact\ndetectors: {port_scan: {quiet: 2s}, port_scan_target: {mode: off}}\n",
    )?;
    let before = filters(&story, app1)?;
    ensure!(before.len() == 2, "one each way: {before:?}");
    let mut subscription = watch.client()?.subscribe(From::Now(true), LIMIT)?;
    let capture = Capture::start(&node.network, &app1.interface)?;
    watch.kill_agent()?;
    ensure!(filters(&story, app1)? == before, "they went with the agent");
    scan(app1, app2)?;
    watch.start_agent()?;
    let (opened, _) = subscription.event(LIMIT, is_opened)?;
    let closed = closed(&mut subscription, &opened)?;
    let captured = capture.finish()?.ports_initiated_by(app1.address());
    let counted = closed.ports.unwrap_or_default().distinct;
    assert_eq!(usize::try_from(counted)?, captured.len());
    let after = filters(&story, app1)?;
    ensure!(
        after.len() == 2 && after != before,
        "{before:?}, then {after:?}"
    );
    let mut tc = node.network.command("tc");
    tc.args([
        "filter",
        "show",
        "dev",
        &app1.interface,
        "ingress",
        "pref",
        "1",
    ]);
    let shown = run("tc", &mut tc, LIMIT)?.success()?.stdout;
    ensure!(shown.contains("bytecode"), "the filter of another is gone");
    Ok(())
}

#[test]
fn what_others_detach_is_attached_again() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let story = Story::new()?;
    let Story { app1, app2, node } = &story;
    let watch = Watch::pinned(node, &[app1, app2], "attach: clsact\n")?;
    let mut subscription = watch.client()?.subscribe(From::Now(true), LIMIT)?;
    tc(&story, &format!("qdisc del dev {} clsact", app1.interface))?;
    ensure!(filters(&story, app1)?.is_empty(), "nothing was detached");
    wait_for("the programs to be attached again", LIMIT, || {
        Ok((filters(&story, app1)?.len() == 2).then_some(()))
    })?;
    scan(app1, app2)?;
    subscription.event(LIMIT, is_opened)?;
    ensure!(
        watch.log().contains("detached by others"),
        "{}",
        watch.log()
    );
    Ok(())
}

#[test]
fn a_link_that_others_detach_is_made_again() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let story = Story::new()?;
    let Story { app1, app2, node } = &story;
    let mut watch = Watch::pinned(node, &[app1, app2], "attach: tcx\n")?;
    let mut subscription = watch.client()?.subscribe(From::Now(true), LIMIT)?;
    let before = links(&watch)?;
    for path in &before {
        let path = watch.bpffs()?.root().join("sys/fs/bpf").join(path);
        bpf::detach(&bpf::pinned(&path)?)?;
    }
    let agent = watch.agent.as_mut().context("no agent runs")?;
    agent.wait_for_line("detached by others", LIMIT)?;
    scan(app1, app2)?;
    subscription.event(LIMIT, is_opened)?;
    ensure!(links(&watch)? == before, "{:?}", links(&watch)?);
    Ok(())
}

#[test]
fn no_program_of_another_blinds_the_agent() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let story = Story::new()?;
    let Story { app1, app2, node } = &story;
    let mut watch = Watch::pinned(node, &[app1, app2], "{}\n")?;
    let mut subscription = watch.client()?.subscribe(From::Now(true), LIMIT)?;
    let index = ifindex(&story, &app1.interface)?;
    let _foreign = node.network.enter(|| Foreign::attach_first(index))??;
    let agent = watch.agent.as_mut().context("no agent runs")?;
    agent.wait_for_line("moved it to the front", LIMIT)?;
    scan(app1, app2)?;
    subscription.event(LIMIT, is_opened)?;
    Ok(())
}

#[test]
fn a_running_agent_holds_no_more_rights_than_it_needs() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    /// NET_ADMIN and BPF, bits 12 and 39 (linux/capability.h).
    const KEPT: &str = "0000008000001000";
    let story = Story::new()?;
    let Story { app1, app2, node } = &story;
    let watch = Watch::pinned(node, &[app1, app2], "{}\n")?;
    let agent = watch.agent.as_ref().context("no agent runs")?;
    let tasks = std::fs::read_dir(format!("/proc/{}/task", agent.id()))?;
    let mut threads = 0;
    for task in tasks {
        let status = std::fs::read_to_string(task?.path().join("status"))?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.map(str::trim).unwrap_or_default().to_owned()
        };
        for set in ["CapPrm:", "CapEff:", "CapBnd:"] {
            ensure!(field(set) == KEPT, "{set} {}\n{status}", field(set));
        }
        for set in ["CapInh:", "CapAmb:"] {
            ensure!(field(set) == "0000000000000000", "{set} {}", field(set));
        }
        ensure!(
            field("NoNewPrivs:") == "1",
            "it may gain privileges:\n{status}"
        );
        threads += 1;
    }
    ensure!(threads > 2, "only {threads} threads were looked at");
    // What is left suffices for interfaces that come later.
    let late = node.routed("default", "late", &["10.244.147.94"])?;
    watch.wait_until_attached(&[&late])?;
    agent.signal(Signal::TERM)
}

//! What operators command, from the command line to the kernel and back.

use std::{
    net::{SocketAddr, TcpStream},
    time::{Duration, SystemTime},
};

use anyhow::{Result, ensure};
use api::{
    certificates::{Authority, Issued, LEAF_DAYS, Purpose},
    principal::Principal,
    v1::{ActionKind, State},
};
use tests::{Finished, Story, Watch, run, wait_for, without_root};

const LIMIT: Duration = Duration::from_secs(60);
const KNOWN: u16 = 40_002;
const OTHER: u16 = 40_001;

/// The command line of an operator.
fn picket(watch: &Watch, operator: &Issued, arguments: &[&str]) -> Result<Finished> {
    let mut command = watch.picket()?;
    command.env("PICKET_OPERATOR_CERT", &operator.certificate);
    command.env("PICKET_OPERATOR_KEY", &operator.key);
    run("picket", command.args(arguments), LIMIT)
}

/// What a policy would cut, from the packets that agents saw.
fn cuts(watch: &Watch, operator: &Issued, pod: &str, edge: &str) -> Result<()> {
    wait_for("the edge in the policy", LIMIT, || {
        let policy = picket(watch, operator, &["policy", pod])?.success()?;
        ensure!(
            policy.stdout.contains("kind: NetworkPolicy"),
            "{}",
            policy.stdout
        );
        let mut cut = policy
            .stdout
            .lines()
            .skip_while(|it| !it.ends_with("it cuts:"));
        Ok(cut.any(|it| it.starts_with(edge)).then_some(()))
    })
}

#[test]
#[expect(clippy::disallowed_methods, reason = "certificates are of this moment")]
fn an_operator_contains_and_releases_and_nobody_else_does() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let story = Story::new()?;
    let Story { app1, app2, node } = &story;
    let system = node.routed("kube-system", "proxy", &["10.244.147.94"])?;
    let _server = app2.serve(&[KNOWN, OTHER])?;
    let folder = tempfile::tempdir()?;
    let now = SystemTime::now();
    let authority = Authority::create(folder.path(), 10, now)?;
    let issue = |principal| authority.issue(Purpose::Client(principal), LEAF_DAYS, now);
    let anna = issue(Principal::Operator("anna"))?;
    let viewer = issue(Principal::Subscriber("viewer"))?;
    let config = format!(
        "operator_ca: {}\noperator_crl: {}\nbaselines: {}\n",
        authority.certificate().display(),
        authority.revocations().display(),
        folder.path().join("baselines.json").display(),
    );
    let mut watch = Watch::pinned(node, &[app1, app2, &system], &config)?;
    let [known, new] = [KNOWN, OTHER].map(|port| SocketAddr::from((app2.address(), port)));
    let reaches = |address: SocketAddr| {
        let connect = || TcpStream::connect_timeout(&address, Duration::from_millis(300));
        app1.network.enter(connect).map(|it| it.is_ok())
    };
    ensure!(reaches(known)?);
    let contain = [
        "contain",
        "default/app1",
        "--lease",
        "1h",
        "--reason",
        "drill",
    ];
    let refused = |done: Finished, expected: &str| {
        let said = format!("{done:?}");
        ensure!(done.success().is_err() && said.contains(expected), "{said}");
        anyhow::Ok(())
    };

    refused(picket(&watch, &viewer, &contain)?, "picket://operator/NAME")?;
    ensure!(reaches(new)?, "nobody contained it");
    let app2_to = ["contain", "kube-system/proxy"];
    refused(picket(&watch, &anna, &app2_to)?, "nobody may contain it")?;
    // What it has just used is known, so another pod stands for what is new.
    let contain = contain.map(|it| {
        if it == "default/app1" {
            "blue/app2"
        } else {
            it
        }
    });
    picket(&watch, &anna, &contain)?.success()?;
    let _system_server = system.serve(&[KNOWN])?;
    let to_system = SocketAddr::from((system.address(), KNOWN));
    let app2_reaches = || {
        let connect = || TcpStream::connect_timeout(&to_system, Duration::from_millis(300));
        app2.network.enter(connect).map(|it| it.is_ok())
    };
    ensure!(!app2_reaches()?, "it is contained");

    let [from, to] = [app1.address(), app2.address()];
    let edge = format!("#   to   blue/app2 ({to}) TCP {KNOWN}, ");
    cuts(&watch, &anna, "default/app1", &edge)?;
    let edge = format!("#   from default/app1 ({from}) TCP {KNOWN}, ");
    cuts(&watch, &anna, "blue/app2", &edge)?;

    watch.kill_agent()?;
    watch.start_agent()?;
    watch.wait_until_watched(&[app1, app2, &system])?;
    // An agent's first status may come before it has looked.
    wait_for("the next agent to tell of it", LIMIT, || {
        let list = picket(&watch, &anna, &["contain", "--list"])?.success()?;
        let is_told = list.stdout.contains("blue/app2") && list.stdout.contains("anna");
        Ok(is_told.then_some(()))
    })?;
    ensure!(!app2_reaches()?, "the next agent keeps it contained");
    let list = picket(&watch, &anna, &["contain", "--list", "--json"])?.success()?;
    let listed = r#"{"kind":"containment","node":"#;
    ensure!(list.stdout.starts_with(listed) && list.stdout.contains(r#""by":"anna""#));

    picket(&watch, &anna, &["release", "blue/app2"])?.success()?;
    ensure!(app2_reaches()?, "it is released");
    authority.revoke(&anna.serial, now)?;
    refused(picket(&watch, &anna, &contain)?, "not accepted")?;

    let (opened, closed) = (State::Opened.into(), State::Closed.into());
    let expected = [
        (ActionKind::Refused, opened),
        (ActionKind::Refused, opened),
        (ActionKind::Contained, opened),
        (ActionKind::Released, closed),
        (ActionKind::Refused, opened),
    ];
    // The answer to a command does not wait for its event to be committed.
    wait_for("the event of every command", LIMIT, || {
        let events = watch.client()?.events()?.into_iter();
        let told = events.filter_map(|event| Some((event.action?.kind(), event.state)));
        let told: Vec<_> = told.collect();
        ensure!(expected.starts_with(&told), "{told:?}");
        Ok((told.len() == expected.len()).then_some(()))
    })
}

//! The lab itself is sound: pods reach each other, and captures tell what passed.

use std::time::Duration;

use anyhow::Result;
use tests::{Capture, Node, run, visit, wait_for, without_root};

const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn pods_reach_each_other() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let node = Node::new("node1")?;
    node.bridge("10.244.1.1/24")?;
    let pods = [
        (
            node.routed("default", "app1", &["10.244.147.92", "fd00:244::92"])?,
            node.routed("blue", "app2", &["10.244.147.93", "fd00:244::93"])?,
        ),
        (
            node.bridged("default", "app3", "10.244.1.3/24")?,
            node.bridged("default", "app4", "10.244.1.4/24")?,
        ),
    ];
    for (client, server) in &pods {
        let listening = server.serve(&[8080])?;
        for &address in &server.addresses {
            client.network.enter(|| visit((address, 8080).into()))??;
        }
        wait_for("every client to have left", LIMIT, || {
            Ok((listening.answered() == server.addresses.len() as u64).then_some(()))
        })?;
    }
    Ok(())
}

#[test]
fn a_capture_holds_every_port_of_a_scan() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let cases: [(&[&str], _); 4] = [
        (&["-sT", "-p1-1000"], 1..=1000),
        (&["-sS", "-p1-1000"], 1..=1000),
        (&["-sX", "-p1-1000"], 1..=1000),
        (&["-sS", "-p-"], 1..=65535),
    ];
    for (index, (flags, ports)) in cases.into_iter().enumerate() {
        let node = Node::new("node1")?;
        let address = format!("fd00:244::9{index}");
        let app1 = node.routed("default", "app1", &["10.244.147.92"])?;
        let app2 = node.routed("blue", "app2", &["10.244.147.93", &address])?;
        let _listening = app2.serve(&[80])?;
        let capture = Capture::start(&node.network, &app1.interface)?;
        let mut nmap = app1.command("nmap");
        nmap.args(["-n", "-Pn", "--max-retries", "0"]).args(flags);
        run("nmap", nmap.arg(app2.address().to_string()), LIMIT)?.success()?;
        let seen = capture.finish()?.ports_initiated_by(app1.address());
        assert!(seen.into_iter().eq(ports), "{flags:?}");
    }
    Ok(())
}

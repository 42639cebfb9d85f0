//! Scans between pods of one bridge, where whoever is not there shows as unanswered ARP alone.

use agent_common::Class;
use anyhow::Result;
use tests::{Node, without_root};

use super::lab::{
    Shows::{Fragments, Initiated, Probed},
    compare, scan,
};

#[test]
fn scans_of_bridged_pods_are_counted_as_captured() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let node = Node::new("node1")?;
    node.bridge("10.244.5.1/24")?;
    let attacker = node.bridged("default", "app1", "10.244.5.10/24")?;
    let victim = node.bridged("blue", "app2", "10.244.5.11/24")?;
    let _server = victim.serve(&[22, 80])?;
    let nmap = "nmap -n --max-retries 1 --max-rtt-timeout 200ms";
    let to = victim.address();
    let scans = [
        scan(
            format!("{nmap} -sT -p 20-119 {to}"),
            Probed(Class::Syn, 100),
        ),
        scan(
            format!("{nmap} -sS -p 20-119 {to}"),
            Probed(Class::Syn, 100),
        ),
        scan(
            format!("{nmap} -sU -p 20-119 {to}"),
            Initiated(Class::Udp, 100),
        ),
        scan(
            format!("{nmap} -sA -p 20-119 {to}"),
            Initiated(Class::StrayAck, 100),
        ),
        scan(
            format!("{nmap} -sS -f -p 20-119 {to}"),
            Fragments(Class::TinyFragment, 100),
        ),
        scan(
            format!("{nmap} -sn -PR 10.244.5.0/26"),
            Initiated(Class::Neighbour, 60),
        ),
        scan(
            format!("{nmap} -sn -PE --send-ip 10.244.5.0/28"),
            Initiated(Class::Neighbour, 10),
        ),
        scan(
            format!("{nmap} -sT -p 80 10.244.5.8/29"),
            Initiated(Class::Neighbour, 5),
        ),
        scan(
            format!("hping3 --scan 20-119 -S {to}"),
            Probed(Class::Syn, 100),
        ),
        scan(
            format!(
                "masscan {to} -p20-119 --rate 1000 --wait 1 --adapter eth0 --adapter-ip 10.244.5.10 --router-ip {to}"
            ),
            Probed(Class::Syn, 100),
        ),
    ];
    compare(&node, &attacker, &victim, &scans)
}

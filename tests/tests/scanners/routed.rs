//! Scans between routed pods.

use agent_common::Class;
use anyhow::Result;
use tests::{Story, without_root};

use super::lab::{
    Scan,
    Shows::{Fragments, Initiated, Probed},
    compare, scan,
};

/// Ports of most scans: some are open.
const PORTS: &str = "20-119";
const COUNT: u32 = 100;

fn nmap(arguments: &str) -> String {
    format!("nmap -n -Pn --max-retries 1 --max-rtt-timeout 200ms {arguments}")
}

#[test]
fn scans_of_routed_pods_are_counted_as_captured() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let story = Story::new()?;
    let Story { app1, app2, node } = &story;
    let _server = app2.serve(&[22, 80])?;
    let [v4, v6] = [app2.addresses[0], app2.addresses[1]];
    let of = |flags: &str, shows| scan(nmap(&format!("{flags} -p {PORTS} {v4}")), shows);
    let of_v6 = |flags: &str, shows| scan(nmap(&format!("-6 {flags} -p {PORTS} {v6}")), shows);
    // Retries of what nobody answers take long.
    let unanswered = |flags: &str, shows| scan(nmap(&format!("{flags} -p 20-39 {v4}")), shows);
    let many = u64::from(COUNT);
    let tools = [
        scan(
            format!(
                "masscan {v4} -p{PORTS} --rate 1000 --wait 1 --adapter eth0 \
                 --adapter-ip {} --router-mac ee:ee:ee:ee:ee:ee",
                app1.address()
            ),
            Probed(Class::Syn, COUNT),
        ),
        scan(
            // Not the attacker's own address: a capture does not tell what comes back by the way it went.
            format!(
                "zmap -p 80 -i eth0 -G ee:ee:ee:ee:ee:ee -S {} -r 1000 -c 1 -b /dev/null \
                 -o /dev/null 10.244.147.0/26 {v4}/32",
                app1.address()
            ),
            Initiated(Class::Syn, 60),
        ),
        scan(
            format!("hping3 --scan {PORTS} -S {v4}"),
            Probed(Class::Syn, COUNT),
        ),
        scan(
            "nmap -n -sn --max-retries 1 10.244.147.80/28",
            Initiated(Class::Echo, 15),
        ),
    ];
    let scans: Vec<Scan> = [
        of("-sT", Probed(Class::Syn, COUNT)),
        of("-sS", Probed(Class::Syn, COUNT)),
        of("-sU", Initiated(Class::Udp, many)),
        of("-sF", Probed(Class::Fin, COUNT)),
        of("-sN", Probed(Class::Null, COUNT)),
        of("-sX", Probed(Class::Xmas, COUNT)),
        of("-sM", Initiated(Class::StrayFin, many)),
        of("-sA", Initiated(Class::StrayAck, many)),
        of("-sW", Initiated(Class::StrayAck, many)),
        of("-sY", Probed(Class::SctpInit, COUNT)),
        of("-sZ", Initiated(Class::SctpCookieEcho, many)),
        scan(nmap(&format!("-sO {v4}")), Initiated(Class::Protocol, 200)),
        of("-sS -f", Fragments(Class::TinyFragment, many)),
        of("-sX -f", Fragments(Class::TinyFragment, many)),
        of("-sS --mtu 16", Fragments(Class::Syn, many)),
        of(
            "-sS -D 10.244.9.1,10.244.9.2,ME",
            Initiated(Class::Syn, 3 * many),
        ),
        of(
            "-sS -f -D 10.244.9.1,ME",
            Fragments(Class::TinyFragment, 2 * many),
        ),
        of("-sS -g 53", Probed(Class::Syn, COUNT)),
        of("-sU -g 53", Initiated(Class::Udp, many)),
        unanswered("-sS --badsum", Probed(Class::Syn, 20)),
        unanswered("-sU --badsum", Initiated(Class::Udp, 20)),
        of_v6("-sT", Probed(Class::Syn, COUNT)),
        of_v6("-sS", Probed(Class::Syn, COUNT)),
        of_v6("-sU", Initiated(Class::Udp, many)),
        of_v6("-sF", Probed(Class::Fin, COUNT)),
        of_v6("-sA", Initiated(Class::StrayAck, many)),
    ]
    .into_iter()
    .chain(tools)
    .collect();
    compare(node, app1, app2, &scans)
}

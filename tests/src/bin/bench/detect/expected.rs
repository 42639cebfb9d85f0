//! Which detector is to find which kind of attack.

/// The beginning of a label, and the detectors that are to find it: the first of them, unless another of
/// them does.
const EXPECTED: [(&str, &[&str]); 20] = [
    ("arp-spoof", &[]),
    ("portscan-decoy", &["port_scan", "spoofed_source"]),
    ("portscan-frag", &["port_scan", "tiny_fragments"]),
    ("portscan-stealth", &["port_scan", "odd_flags"]),
    ("portscan", &["port_scan"]),
    ("protoscan", &["protocol_scan"]),
    ("service-scan", &["port_scan", "ip_sweep"]),
    ("sweep", &["ip_sweep", "port_scan"]),
    ("http-sweep", &["ip_sweep"]),
    ("flood-syn", &["syn_flood"]),
    ("flood-udp", &["udp_flood"]),
    ("flood-icmp", &["icmp_flood"]),
    ("flood-ack", &["ack_flood"]),
    (
        "flood",
        &["syn_flood", "udp_flood", "icmp_flood", "ack_flood"],
    ),
    ("dns-axfr", &["zone_transfer", "dns_enumeration"]),
    ("dns-dga", &["dga"]),
    ("dns-tunnel", &["dns_tunnel"]),
    (
        "dns",
        &["dns_enumeration", "dga", "dns_tunnel", "zone_transfer"],
    ),
    ("icmp-tunnel", &["icmp_tunnel"]),
    ("deviation", &["protocol_mismatch", "malformed_dns"]),
];

/// The detectors that are to find what has this label; none when nobody is named.
pub(super) fn detectors(label: &str) -> &'static [&'static str] {
    let named = EXPECTED.iter().find(|(start, _)| label.starts_with(start));
    named.map_or(&[], |(_, detectors)| detectors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_beginning_decides() {
        for (index, (start, detectors)) in EXPECTED.iter().enumerate() {
            assert_eq!(super::detectors(start), *detectors, "{start} is hidden");
            for (later, _) in EXPECTED.iter().skip(index + 1) {
                assert!(!later.starts_with(start), "{start} hides {later}");
            }
        }
        assert_eq!(detectors("portscan-tcp"), ["port_scan"]);
        assert_eq!(detectors("revshell"), [""; 0]);
    }
}

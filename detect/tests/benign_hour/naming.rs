//! Names: a resolver and a client whose search list makes most names unknown.

use std::net::{IpAddr, Ipv4Addr};

use crate::pod::{Fate, Pod, message, random, udp};

const RESOLVER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 96, 0, 10));
const UPSTREAMS: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2)),
    IpAddr::V4(Ipv4Addr::new(10, 0, 0, 3)),
];
/// What a resolv.conf of Kubernetes lists, with `ndots:5`.
const SEARCH: [&str; 4] = [
    "default.svc.cluster.local",
    "svc.cluster.local",
    "cluster.local",
    "eu-west-1.compute.internal",
];
const OUTSIDE: [&str; 6] = [
    "api.stripe.com",
    "sqs.eu-west-1.amazonaws.com",
    "registry-1.docker.io",
    "github.com",
    "login.microsoftonline.com",
    "storage.googleapis.com",
];

/// CoreDNS: twenty clients' questions a second, of which it forwards those for names outside; an upstream
/// loses one of two hundred.
pub(crate) fn resolver(pod: &mut Pod, second: u64) {
    pod.serve(53, 20);
    for question in 0..20 {
        let number = second * 20 + question;
        let client = IpAddr::from(Ipv4Addr::from(0x0af4_2000 + (random(number) % 200) as u32));
        let (name, outside, exists) = asked(random(number + 5));
        let at_ms = question * 45;
        let ports = [53, 32_768 + (random(number) % 28_000) as u16];
        pod.dns(at_ms, false, client, ports, message(&name, None));
        if outside {
            let upstream = UPSTREAMS[number as usize % 2];
            let lost = random(number + 9).is_multiple_of(200);
            let fate = if lost { Fate::Drops } else { Fate::Answers(12) };
            pod.call(at_ms, udp(upstream, 53), fate);
            let ports = [ports[1], 53];
            pod.dns(at_ms, true, upstream, ports, message(&name, None));
            if lost {
                continue;
            }
            pod.dns(
                at_ms + 12,
                false,
                upstream,
                ports,
                message(&name, Some(exists)),
            );
        }
        pod.dns(
            at_ms + 13,
            true,
            client,
            ports,
            message(&name, Some(exists)),
        );
    }
    pod.carry(detect::VolumeClass::Udp, 30 * 120, 30 * 110);
}

/// A name that some client asks for, whether it is for an upstream, and whether it exists.
fn asked(number: u64) -> (String, bool, bool) {
    let outside = OUTSIDE[number as usize % OUTSIDE.len()];
    match number / 16 % 6 {
        0 => (
            format!("service{}.default.svc.cluster.local", number % 60),
            false,
            true,
        ),
        1 => (outside.to_owned(), true, true),
        which => {
            let suffix = SEARCH[which as usize - 2];
            (format!("{outside}.{suffix}"), which == 5, false)
        }
    }
}

/// A client that calls one of six services outside every two seconds, and tries the search list first.
pub(crate) fn ndots(pod: &mut Pod, second: u64) {
    if !second.is_multiple_of(2) {
        return;
    }
    let outside = OUTSIDE[random(second) as usize % OUTSIDE.len()];
    for (index, suffix) in SEARCH.iter().enumerate() {
        pod.look_up(
            index as u64 * 3,
            RESOLVER,
            &format!("{outside}.{suffix}"),
            false,
        );
    }
    pod.look_up(15, RESOLVER, outside, true);
    pod.carry(detect::VolumeClass::Udp, 500, 900);
}

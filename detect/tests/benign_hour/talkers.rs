//! Those who talk to many: gossip, calls over UDP, an FTP server, and a backup.

use std::net::Ipv4Addr;

use detect::VolumeClass;

use crate::pod::{Endpoint, Fate, Pod, random, tcp, udp};

const MEMBERS: u64 = 200;
const GOSSIP: u16 = 7946;

/// A member of a cluster of 200 that gossips as memberlist does: a random member is probed each second, one
/// that does not answer by three others; two are told the news five times a second; and every 30 s the state
/// is exchanged over TCP. Every two minutes one dies, and is forgotten after 30 s.
pub(crate) fn gossip(pod: &mut Pod, second: u64) {
    let dead = |member: u64| member == random(second / 120) % MEMBERS && second % 120 < 30;
    let member = |number: u64| random(number) % MEMBERS;
    let address = |member: u64| Ipv4Addr::from(0x0af6_0000 + member as u32);
    let fate = |member: u64| {
        if dead(member) {
            Fate::Drops
        } else {
            Fate::Answers(1)
        }
    };
    let probed = member(second);
    pod.call(100, udp(address(probed), GOSSIP), fate(probed));
    if dead(probed) {
        for helper in 0..3 {
            pod.call(
                600,
                udp(address(member(second + 31 * helper + 7)), GOSSIP),
                Fate::Answers(2),
            );
        }
        pod.call(600, tcp(address(probed), GOSSIP), Fate::Drops);
    }
    for news in 0..10 {
        let told = member(second * 10 + news + 123_456);
        // Nobody answers news, but everybody alive sends some.
        pod.call(news * 90, udp(address(told), GOSSIP), fate(told));
    }
    if second.is_multiple_of(30) {
        let peer = member(second + 5);
        pod.call(300, tcp(address(peer), GOSSIP), fate(peer));
    }
    pod.carry(VolumeClass::Udp, 6000, 6000);
}

/// A media server that `joins` an hour connect to: it checks the addresses that each offers, each with a
/// port of its own. That behind NAT answers, those of the networks at home are not reached; one in ten also
/// offers the bridge of Docker, which is the same everywhere.
pub(crate) fn media(joins: u64) -> impl FnMut(&mut Pod, u64) {
    move |pod, second| {
        pod.carry(VolumeClass::Udp, 1_500_000, 1_500_000);
        if joins == 0 || second % (3600 / joins) != 0 {
            return;
        }
        let join = random(second);
        let port = |n: u64| 49_152 + (random(join + n) % 16_384) as u16;
        let home = Ipv4Addr::new(192, 168, (join % 3) as u8, (2 + join / 8 % 200) as u8);
        let outside = Ipv4Addr::from(0x5000_0000 + (join >> 32) as u32 % 0x1000_0000);
        for check in 0..4 {
            let again = |peer: Ipv4Addr, port, fate| (check * 200, udp(peer, port), fate);
            let mut checks = vec![
                again(home, port(1), Fate::Drops),
                again(outside, port(2), Fate::Answers(25)),
            ];
            if join.is_multiple_of(10) {
                checks.push(again(Ipv4Addr::new(172, 17, 0, 1), port(3), Fate::Drops));
            }
            for (at_ms, endpoint, fate) in checks {
                pod.call(at_ms, endpoint, fate);
            }
        }
    }
}

/// An FTP server in active mode: three clients fetch `files` each ten minutes, as fast as they can, and for
/// each the server connects to a port that the client chose.
pub(crate) fn ftp(files: u64) -> impl FnMut(&mut Pod, u64) {
    move |pod, second| {
        const PER_SECOND: u64 = 50;
        pod.serve(21, 1);
        let into = second % 600;
        for file in
            (into * PER_SECOND..files.min((into + 1) * PER_SECOND)).take(PER_SECOND as usize)
        {
            let client = Ipv4Addr::from(0x0af4_3000 + (file % 3) as u32);
            let port = 32_768 + (random(second * 100 + file) % 28_232) as u16;
            pod.call(file % PER_SECOND * 19, tcp(client, port), Fate::Answers(1));
            pod.carry(VolumeClass::Tcp, 200_000, 2000);
        }
    }
}

/// A backup: twenty minutes of 25 MB/s over eight connections to a store outside, and a call a minute else.
pub(crate) fn backup(pod: &mut Pod, second: u64) {
    let store: Endpoint = tcp(Ipv4Addr::new(52, 218, 0, 7), 443);
    if (600..1800).contains(&second) {
        for connection in 0..8 {
            // A part has 64 MiB: then comes the next connection.
            if (second + connection * 3).is_multiple_of(21) {
                pod.call(connection * 10, store, Fate::Answers(8));
            }
        }
        pod.carry(VolumeClass::Tcp, 25_000_000, 250_000);
    } else if second.is_multiple_of(60) {
        pod.call(0, store, Fate::Answers(8));
        pod.carry(VolumeClass::Tcp, 2000, 5000);
    }
}

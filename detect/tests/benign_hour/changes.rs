//! What changes under those who call: replicas that come and go, and a dependency that is dead.

use std::net::Ipv4Addr;

use crate::pod::{Endpoint, Fate, Pod, random, tcp};

const REPLICAS: u64 = 40;
/// Every so many seconds a deployment of ten replicas is rolled out anew, a replica every six.
const ROLL_SECONDS: u64 = 300;

/// Who spreads calls over 40 replicas of four deployments while one after another is restarted: a replica
/// that goes is still called for 5 s, and one that comes refuses for the first 2.
pub(crate) fn rolling_restarts(pod: &mut Pod, second: u64) {
    for call in 0..10 {
        let slot = random(second * 10 + call) % REPLICAS;
        let (deployment, index) = (slot / 10, slot % 10);
        // Rolled out at the hour's start, and then in turn.
        let turn = second / ROLL_SECONDS;
        let rolls = (turn + 4 - deployment) / 4;
        let since = (second % ROLL_SECONDS).checked_sub(index * 6);
        let rolling = turn % 4 == deployment;
        let (generation, fate) = match since {
            None if rolling => (rolls - 1, Fate::Answers(1)),
            Some(0..5) if rolling => (rolls - 1, Fate::Drops),
            Some(5..7) if rolling => (rolls, Fate::Refuses(0)),
            _ => (rolls, Fate::Answers(1)),
        };
        let address = 0x0af7_0000 + (slot + REPLICAS * generation) as u32;
        let port = [8080, 8443, 9000, 50_051][deployment as usize];
        pod.call(call * 95, tcp(Ipv4Addr::from(address), port), fate);
        pod.carry(detect::VolumeClass::Tcp, 3000, 20_000);
    }
}

/// Three brokers on two ports each.
const BROKERS: [(u8, u16); 6] = [
    (1, 9092),
    (1, 9093),
    (2, 9092),
    (2, 9093),
    (3, 9092),
    (3, 9093),
];

/// The `client`th of many that use the brokers, which die after ten minutes and come back after forty: they
/// refuse at first, and nobody answers from then on. Each client calls all that it knows, and doubles its
/// pause up to 30 s. Half of the clients have just started, and never had an answer.
pub(crate) fn dead_dependency(client: u64) -> impl FnMut(&mut Pod, u64) {
    let mut next = 0;
    let mut pause = 1;
    move |pod, second| {
        let dead = (600..3000).contains(&second);
        if client % 2 == 1 && second < 605 || second < next {
            return;
        }
        let fate = match second {
            600..900 => Fate::Refuses(1),
            _ if dead => Fate::Drops,
            _ => Fate::Answers(2),
        };
        for (index, (host, port)) in BROKERS.into_iter().enumerate() {
            let broker: Endpoint = tcp(Ipv4Addr::new(10, 0, 9, host), port);
            pod.call((random(client) + 30 * index as u64) % 900, broker, fate);
        }
        pause = if dead { (2 * pause).min(30) } else { 10 };
        next = second + pause + u64::from(dead) * (random(client + second) % 3);
    }
}

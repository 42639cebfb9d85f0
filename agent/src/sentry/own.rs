//! What of the traffic of an uplink is the node's own doing.

use std::net::IpAddr;

use detect::{Count, Observation, Outcome, Sketch, Transport};

/// Where VXLAN and Geneve packets go (RFC 7348, RFC 8926; Linux itself takes 8472 for VXLAN). Each comes from another
/// port than its answer goes to, so all of them look unanswered.
const TUNNELS: [u16; 3] = [4789, 6081, 8472];

/// Leaves out what passes through the node. What goes out has been told apart by the programs. What comes in cannot be:
/// what answers a pod behind masquerade is sent to the node. So of that only outcomes count, and detectors believe
/// none but of probes that they have seen.
pub(super) fn own(observation: &Observation) -> Observation {
    let mut own = observation.clone();
    own.contacts.retain(|it| {
        let sent = matches!(it.outcome, Outcome::Sent(_));
        // The kernel looks for neighbours on behalf of whoever sends to them, and of IPv6 it tells nobody for whom.
        let for_anybody = it.transport == Transport::Neighbour && !is_v4(it.peer);
        let tunnels = it.transport == Transport::Udp && TUNNELS.contains(&it.port);
        !(sent && (for_anybody || tunnels))
    });
    own.udp_ports.retain(|port| !TUNNELS.contains(port));
    own.samples.retain(|sample| sample.sent);
    own.probed.clear();
    own.hosts.probing = Sketch::default();
    for count in [Count::Probes, Count::EchoesReceived, Count::ResetsReceived] {
        own.counts[count as usize] = 0;
    }
    own
}

fn is_v4(address: IpAddr) -> bool {
    address.to_canonical().is_ipv4()
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use detect::{Contact, Sample, SampleKind, Subject, Technique, Time};

    use super::*;

    const SENT: Outcome = Outcome::Sent(Technique::Udp);

    fn contact(transport: Transport, peer: impl Into<IpAddr>, port: u16, how: Outcome) -> Contact {
        Contact {
            at: Time::default(),
            pod: Ipv4Addr::new(192, 0, 2, 2).into(),
            peer: peer.into(),
            transport,
            port,
            outcome: how,
            spoofed: false,
            contained: false,
        }
    }

    #[test]
    fn what_passes_through_is_left_out() {
        let subject = Subject {
            ifindex: 2,
            epoch: 1,
        };
        let v4 = Ipv4Addr::new(192, 0, 2, 3);
        let kept = [
            contact(Transport::Udp, v4, 53, SENT),
            contact(Transport::Tcp, v4, 8472, SENT),
            contact(Transport::Neighbour, v4, 0, SENT),
            contact(Transport::Tcp, v4, 80, Outcome::Refused),
        ];
        let left_out = [
            contact(Transport::Udp, v4, 8472, SENT),
            contact(Transport::Udp, v4, 6081, SENT),
            contact(Transport::Neighbour, Ipv6Addr::LOCALHOST, 0, SENT),
        ];
        let mut all = Observation::empty(subject);
        all.contacts = kept.into_iter().chain(left_out).collect();
        all.udp_ports = vec![53, 4789];
        all.probed = vec![30_080];
        all.counts[Count::Probes as usize] = 7;
        all.counts[Count::Accepted as usize] = 7;
        all.samples = [true, false]
            .map(|sent| Sample {
                at: Time::default(),
                kind: SampleKind::Dns,
                sent,
                pod: v4.into(),
                pod_port: 1,
                peer: v4.into(),
                port: 53,
                payload: Vec::new(),
                payload_bytes: 0,
            })
            .into();
        let own = own(&all);
        assert_eq!(own.contacts, kept);
        assert_eq!(own.udp_ports, [53]);
        assert!(own.probed.is_empty());
        assert_eq!(own.count(Count::Probes), 0);
        assert_eq!(own.count(Count::Accepted), 7);
        assert!(own.samples.len() == 1 && own.samples[0].sent);
    }
}

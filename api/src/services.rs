//! What the cluster declares, for the detectors: of its Services, and of its pods.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use detect::{Declared, Transport};

use crate::{
    pods::{Pods, address_of},
    v1,
};

/// The addresses and ports of a table from the wire. What makes no sense declares nothing.
#[must_use]
pub fn declared(table: &v1::ServiceTable) -> Declared {
    let own = table.services.iter().flat_map(|service| &service.declared);
    let own = own.filter_map(|declared| {
        let (transport, port) = port(declared.transport(), declared.port)?;
        Some((address_of(&declared.address)?, transport, port))
    });
    let behind = table.services.iter().flat_map(|service| &service.endpoints);
    own.chain(behind.flat_map(endpoints)).collect()
}

/// What the containers of the pods declare that live.
#[must_use]
pub fn declared_by_pods(pods: &Pods) -> Declared {
    let alive = pods.iter().filter(|pod| pod.ended_at.is_none());
    let ports = alive.flat_map(|pod| {
        let addresses = pod.addresses.iter();
        let addresses = addresses.filter_map(|it| address_of(it));
        addresses.flat_map(|address| with_ports(address, &pod.ports))
    });
    ports.collect()
}

/// Takes in what became different.
pub fn change(table: &mut v1::ServiceTable, changes: v1::ServiceChanges) {
    let key = |service: v1::Service| {
        let key = (service.namespace.clone(), service.name.clone());
        (key, service)
    };
    let known = std::mem::take(&mut table.services);
    let mut services: BTreeMap<_, _> = known.into_iter().map(key).collect();
    for name in changes.forgotten {
        services.remove(&(name.namespace, name.name));
    }
    services.extend(changes.services.into_iter().map(key));
    table.services = services.into_values().collect();
}

/// The addresses behind a Service.
pub fn addresses(endpoints: &v1::Endpoints) -> impl Iterator<Item = IpAddr> {
    let (ipv4, _) = endpoints.ipv4.as_chunks();
    let (ipv6, _) = endpoints.ipv6.as_chunks();
    let ipv4 = ipv4.iter().map(|it| IpAddr::V4(Ipv4Addr::from(*it)));
    let ipv6 = ipv6.iter().map(|it| IpAddr::V6(Ipv6Addr::from(*it)));
    ipv4.chain(ipv6)
}

fn endpoints(endpoints: &v1::Endpoints) -> impl Iterator<Item = (IpAddr, Transport, u16)> {
    addresses(endpoints).flat_map(|address| with_ports(address, &endpoints.ports))
}

fn with_ports(
    address: IpAddr,
    ports: &[v1::Port],
) -> impl Iterator<Item = (IpAddr, Transport, u16)> {
    ports.iter().filter_map(move |it| {
        let (transport, port) = port(it.transport(), it.port)?;
        Some((address, transport, port))
    })
}

fn port(transport: v1::Transport, port: u32) -> Option<(Transport, u16)> {
    let transport = match transport {
        v1::Transport::Tcp => Transport::Tcp,
        v1::Transport::Udp => Transport::Udp,
        v1::Transport::Sctp => Transport::Sctp,
        v1::Transport::Unspecified => return None,
    };
    Some((transport, u16::try_from(port).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(port: u32) -> v1::Port {
        v1::Port {
            transport: v1::Transport::Tcp.into(),
            port,
        }
    }

    #[test]
    fn the_ports_of_pods_that_live_are_declared() {
        let pod = |last: u8, ended| v1::Pod {
            uid: last.to_string(),
            addresses: vec![format!("10.0.0.{last}")],
            ports: vec![tcp(80), tcp(443)],
            ended_at: ended,
            ..v1::Pod::default()
        };
        let ended = Some(v1::Timestamp::default());
        let table = v1::PodTable {
            pods: vec![pod(1, None), pod(2, ended)],
            more: false,
        };
        let declared = declared_by_pods(&Pods::from_table(table));
        assert_eq!(declared.len(), 2);
        assert!(declared.contains("10.0.0.1".parse().unwrap(), Transport::Tcp, 443));
    }

    #[test]
    fn what_becomes_different_replaces_what_was_there() {
        let service = |name: &str, ports: u32| v1::Service {
            name: name.into(),
            endpoints: vec![v1::Endpoints {
                ports: vec![tcp(ports)],
                ..v1::Endpoints::default()
            }],
            ..v1::Service::default()
        };
        let mut table = v1::ServiceTable {
            services: vec![service("a", 1), service("b", 1)],
            more: false,
        };
        let changes = v1::ServiceChanges {
            services: vec![service("b", 2), service("c", 1)],
            forgotten: vec![v1::ServiceName {
                name: "a".into(),
                ..v1::ServiceName::default()
            }],
            more: false,
        };
        change(&mut table, changes);
        assert_eq!(table.services, [service("b", 2), service("c", 1)]);
    }

    #[test]
    fn what_makes_sense_is_declared() {
        let declare = |address: &str, transport: v1::Transport, port| v1::Declared {
            address: address.into(),
            transport: transport.into(),
            port,
        };
        let table = v1::ServiceTable {
            services: vec![v1::Service {
                declared: vec![
                    declare("10.96.0.7", v1::Transport::Tcp, 80),
                    declare("10.96.0.7", v1::Transport::Unspecified, 81),
                    declare("nonsense", v1::Transport::Tcp, 80),
                    declare("10.96.0.7", v1::Transport::Tcp, 65_536),
                ],
                endpoints: vec![v1::Endpoints {
                    ipv4: vec![10, 0, 0, 1, 10, 0, 0, 2, 10],
                    ipv6: "fd00::1".parse::<Ipv6Addr>().unwrap().octets().to_vec(),
                    ports: vec![tcp(5432)],
                }],
                ..v1::Service::default()
            }],
            more: false,
        };
        let declared = declared(&table);
        assert_eq!(declared.len(), 4);
        for behind in ["10.0.0.1", "10.0.0.2", "fd00::1"] {
            let address = behind.parse().unwrap();
            assert!(declared.contains(address, Transport::Tcp, 5432), "{behind}");
        }
        let address = "10.96.0.7".parse().unwrap();
        assert!(declared.contains(address, Transport::Tcp, 80));
        assert!(!declared.contains(address, Transport::Udp, 80));
    }
}

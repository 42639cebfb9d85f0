//! Which addresses and ports Services, EndpointSlices and containers declare.

use std::{collections::BTreeSet, net::IpAddr};

use api::{pods::address_of, v1};
use k8s_openapi::api::core::v1::{PodSpec, Service, ServicePort};

use super::slice::Slice;

/// The own addresses of a Service, with its ports.
pub(super) fn by_service(service: &Service) -> Vec<v1::Declared> {
    let Some(spec) = &service.spec else {
        return Vec::new();
    };
    let status = service.status.as_ref();
    let balancer = status.and_then(|it| it.load_balancer.as_ref());
    let balancers = balancer.and_then(|it| it.ingress.as_ref());
    let outside = balancers
        .into_iter()
        .flatten()
        .filter_map(|it| it.ip.as_ref());
    let inside = spec.cluster_ips.iter().flatten().chain(&spec.cluster_ip);
    let addresses = inside
        .chain(spec.external_ips.iter().flatten())
        .chain(outside);
    // A headless one says `None`.
    let addresses: BTreeSet<_> = addresses.filter_map(|it| address_of(it)).collect();
    let ports: &[ServicePort] = spec.ports.as_deref().unwrap_or_default();
    let declared = addresses.iter().flat_map(|address| {
        ports.iter().map(|port| v1::Declared {
            address: address.to_string(),
            transport: transport(port.protocol.as_deref()).into(),
            port: u32::try_from(port.port).unwrap_or_default(),
        })
    });
    declared.collect()
}

/// What is behind a Service, and how many ports of addresses that is; nothing when a slice names no ports.
pub(super) fn by_slice(slice: &Slice) -> (v1::Endpoints, usize) {
    let ports = slice.ports.iter().flatten();
    let ports = ports.filter_map(|it| port(it.port?, it.protocol.as_deref()));
    let mut endpoints = v1::Endpoints {
        ports: ports.collect(),
        ..v1::Endpoints::default()
    };
    if endpoints.ports.is_empty() {
        return (endpoints, 0);
    }
    let listed = slice.endpoints.iter().flatten();
    let addresses: BTreeSet<_> = listed
        .flat_map(|it| &it.addresses)
        .filter_map(|it| address_of(it))
        .collect();
    for address in &addresses {
        match address {
            IpAddr::V4(address) => endpoints.ipv4.extend(address.octets()),
            IpAddr::V6(address) => endpoints.ipv6.extend(address.octets()),
        }
    }
    let count = addresses.len() * endpoints.ports.len();
    (endpoints, count)
}

/// The ports of a pod's containers, init containers among them: those that stay are sidecars.
pub(super) fn by_containers(spec: &PodSpec) -> Vec<v1::Port> {
    let containers = spec.init_containers.iter().flatten();
    let containers = containers.chain(&spec.containers);
    let ports = containers.flat_map(|it| it.ports.iter().flatten());
    let mut ports: Vec<_> = ports
        .filter_map(|it| port(it.container_port, it.protocol.as_deref()))
        .collect();
    ports.sort_by_key(|it| (it.transport, it.port));
    ports.dedup();
    ports
}

fn port(port: i32, protocol: Option<&str>) -> Option<v1::Port> {
    let port = u16::try_from(port).ok()?;
    Some(v1::Port {
        transport: transport(protocol).into(),
        port: port.into(),
    })
}

fn transport(protocol: Option<&str>) -> v1::Transport {
    match protocol {
        Some("UDP") => v1::Transport::Udp,
        Some("SCTP") => v1::Transport::Sctp,
        _ => v1::Transport::Tcp,
    }
}

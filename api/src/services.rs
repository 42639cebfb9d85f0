//! What the Services of the cluster declare, for the detectors.

use detect::{Declared, Transport};

use crate::{pods::address_of, v1};

/// The addresses and ports of a table from the wire. What makes no sense declares nothing.
#[must_use]
pub fn declared(table: &v1::ServiceTable) -> Declared {
    let declared = table.services.iter().flat_map(|service| &service.declared);
    let ports = declared.filter_map(|declared| {
        let transport = match declared.transport() {
            v1::Transport::Tcp => Transport::Tcp,
            v1::Transport::Udp => Transport::Udp,
            v1::Transport::Sctp => Transport::Sctp,
            v1::Transport::Unspecified => return None,
        };
        let port = u16::try_from(declared.port).ok()?;
        Some((address_of(&declared.address)?, transport, port))
    });
    ports.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
                ..v1::Service::default()
            }],
        };
        let declared = declared(&table);
        assert_eq!(declared.len(), 1);
        let address = "10.96.0.7".parse().unwrap();
        assert!(declared.contains(address, Transport::Tcp, 80));
        assert!(!declared.contains(address, Transport::Udp, 80));
    }
}

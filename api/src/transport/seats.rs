//! Who holds how many connections: the bounds of all together and of each address.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use super::{
    limits::{Bucket, Limits},
    refused::Refused,
};

/// All connections of a server. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Seats(Arc<Mutex<Taken>>);

#[derive(Debug, Default)]
struct Taken {
    total: usize,
    addresses: HashMap<IpAddr, Address>,
}

#[derive(Debug)]
struct Address {
    open: usize,
    arrivals: Bucket,
}

/// The right to one connection, until it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Seats,
    address: Option<IpAddr>,
}

impl Seats {
    /// A seat for a connection from this address; none for a Unix socket.
    pub(super) fn take(
        &self,
        address: Option<IpAddr>,
        limits: &Limits,
        now: Instant,
    ) -> Result<Seat, Refused> {
        let address = address.map(network);
        let mut taken = self.lock();
        if taken.total >= limits.connections {
            return Err(Refused::Connections);
        }
        if let Some(address) = address {
            // Those without a connection are only remembered for how fast they came.
            if taken.addresses.len() >= 2 * limits.connections {
                taken.addresses.retain(|_, it| it.open > 0);
            }
            let entry = taken.addresses.entry(address).or_insert_with(|| Address {
                open: 0,
                arrivals: Bucket::full(limits.arrivals, now),
            });
            if entry.open >= limits.per_address {
                return Err(Refused::AddressConnections);
            }
            let arrival = entry.arrivals.take(limits.arrivals, now);
            arrival.map_err(|_| Refused::AddressRate)?;
            entry.open += 1;
        }
        taken.total += 1;
        drop(taken);
        Ok(Seat {
            seats: self.clone(),
            address,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.lock();
        taken.total -= 1;
        let entry = self.address.and_then(|it| taken.addresses.get_mut(&it));
        if let Some(entry) = entry {
            entry.open -= 1;
        }
    }
}

/// One host has a whole /64 of IPv6 to itself.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(it) if !it.is_loopback() => {
            IpAddr::V6(Ipv6Addr::from_bits(it.to_bits() & (u128::MAX << 64)))
        }
        it => it,
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "any time to begin with")]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::transport::limits::Rate;

    fn limits() -> Limits {
        Limits {
            connections: 4,
            per_address: 2,
            arrivals: Rate {
                burst: 3,
                per_second: 1,
            },
            ..Limits::default()
        }
    }

    #[test]
    fn one_address_leaves_room_for_others_and_all_together_have_a_bound() {
        let (seats, now) = (Seats::default(), Instant::now());
        let take = |address: &str| seats.take(address.parse().ok(), &limits(), now);
        let first = [take("10.0.0.1").unwrap(), take("10.0.0.1").unwrap()];
        let full = take("::ffff:10.0.0.1").unwrap_err();
        assert_eq!(full, Refused::AddressConnections);
        let others = [take("2001:db8::1").unwrap(), take("2001:db8::2").unwrap()];
        assert_eq!(take("10.0.0.2").unwrap_err(), Refused::Connections);
        drop(others);
        drop(first);
        drop(take("10.0.0.2").unwrap());
    }

    #[test]
    fn who_comes_again_and_again_waits() {
        let (seats, now) = (Seats::default(), Instant::now());
        let take = |now| seats.take("10.0.0.1".parse().ok(), &limits(), now);
        for _ in 0..3 {
            drop(take(now).unwrap());
        }
        assert_eq!(take(now).unwrap_err(), Refused::AddressRate);
        drop(take(now + Duration::from_secs(1)).unwrap());
    }

    #[test]
    fn addresses_are_forgotten_and_a_unix_socket_has_none() {
        let (seats, now) = (Seats::default(), Instant::now());
        for it in 0..100_u32 {
            drop(seats.take(Some(IpAddr::V4(it.into())), &limits(), now));
        }
        assert!(seats.lock().addresses.len() <= 8);
        assert_eq!(seats.lock().total, 0);
        drop(seats.take(None, &limits(), now).unwrap());
    }
}

//! Addresses whose names are asked for, by block.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use domain::base::Rtype;

use super::thresholds::{ADDRESSES, Thresholds};
use crate::{
    Time,
    case::Sign,
    dns::{
        asked::{self, Asked, Names},
        groups::{Group, Groups},
    },
    messages::Exchanged,
    tally::Tally,
    window::{HORIZONS, reached},
};

/// Blocks remembered of one pod.
const BLOCKS: usize = 4;

/// What is known of a pod, by the first address of each block.
#[derive(Clone, Debug)]
pub(super) struct Reverse(Groups<IpAddr, Block>);

/// Addresses of a block.
#[derive(Clone, Debug)]
pub(super) struct Block(Names);

impl Default for Reverse {
    fn default() -> Self {
        Self(Groups::new(BLOCKS))
    }
}

impl Default for Block {
    fn default() -> Self {
        Self(Tally::new(ADDRESSES as usize))
    }
}

impl Reverse {
    /// A piece of evidence and its block, if a message is one that is new.
    pub(super) fn take_in(
        &mut self,
        exchanged: &Exchanged,
        forgotten: &mut u64,
    ) -> Option<(Sign, &Block)> {
        let (at, message) = (exchanged.at, &exchanged.message);
        if message.rtype != Rtype::PTR {
            return None;
        }
        let address = address(message.name.text())?;
        let (block, last) = split(address);
        let block = self.0.of(block, at, forgotten);
        let asked = Asked::new(exchanged, &address.to_string());
        let sign = asked.sign(at);
        block
            .0
            .insert(last.into(), asked, at, forgotten)
            .then_some((sign, &*block))
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Bytes it takes now, itself not counted.
    #[cfg(test)]
    pub(super) fn heap_bytes(&self) -> usize {
        self.0.heap_bytes()
    }
}

impl Block {
    /// The horizon that is crossed at that time, what was counted in it, and the count it takes.
    pub(super) fn crossed(&self, at: Time, thresholds: &Thresholds) -> Option<(usize, u32, u32)> {
        let counts = self.0.counts(at);
        let limits = [
            thresholds.reverse_names_per_minute,
            thresholds.reverse_names_per_hour,
        ];
        reached(counts, limits).map(|horizon| (horizon, counts[horizon], limits[horizon]))
    }

    /// The evidence of a horizon.
    pub(super) fn evidence(&self, horizon: usize, at: Time) -> Vec<Sign> {
        asked::evidence(&self.0, at - HORIZONS[horizon]).collect()
    }
}

impl Group for Block {
    fn weight(&self, now: Time) -> u32 {
        self.0.counts(now)[HORIZONS.len() - 1]
    }

    #[cfg(test)]
    fn heap_bytes(&self) -> usize {
        asked::heap_bytes(&self.0)
    }
}

/// The address that a name of the reverse tree stands for: RFC 1035, section 3.5, and RFC 3596, section 2.5.
fn address(name: &str) -> Option<IpAddr> {
    if let Some(reversed) = name.strip_suffix(".in-addr.arpa") {
        let mut octets: Vec<u8> = reversed
            .split('.')
            .map(str::parse)
            .collect::<Result<_, _>>()
            .ok()?;
        octets.reverse();
        return <[u8; 4]>::try_from(octets)
            .ok()
            .map(|it| Ipv4Addr::from(it).into());
    }
    let reversed = name.strip_suffix(".ip6.arpa")?;
    let mut address = 0_u128;
    let mut count = 0;
    for label in reversed.rsplit('.') {
        let nibble = u128::from_str_radix(label, 16)
            .ok()
            .filter(|_| label.len() == 1)?;
        address = address << 4 | nibble;
        count += 1;
    }
    (count == 32).then(|| Ipv6Addr::from(address).into())
}

/// The first address of its block of 256, and its number in it.
fn split(address: IpAddr) -> (IpAddr, u8) {
    match address {
        IpAddr::V4(it) => {
            let [a, b, c, last] = it.octets();
            (Ipv4Addr::new(a, b, c, 0).into(), last)
        }
        IpAddr::V6(it) => {
            let bits = it.to_bits();
            (Ipv6Addr::from_bits(bits & !0xff).into(), bits as u8)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_reverse_tree_are_addresses() {
        let one = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f";
        for (name, expected) in [
            ("4.0.244.10.in-addr.arpa".to_owned(), Some("10.244.0.4")),
            ("0.244.10.in-addr.arpa".to_owned(), None),
            ("5.4.0.244.10.in-addr.arpa".to_owned(), None),
            ("256.0.244.10.in-addr.arpa".to_owned(), None),
            ("lb._dns-sd._udp.0.0.0.10.in-addr.arpa".to_owned(), None),
            (format!("{one}.ip6.arpa"), Some("fd00::1")),
            (format!("0.{one}.ip6.arpa"), None),
            (format!("0{one}.ip6.arpa"), None),
            ("4.0.244.10".to_owned(), None),
        ] {
            let expected = expected.map(|it| it.parse().unwrap());
            assert_eq!(address(&name), expected, "{name}");
        }
    }
}

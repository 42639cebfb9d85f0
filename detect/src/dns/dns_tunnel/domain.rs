//! The names of one domain that carry data.

use domain::base::Rtype;

use super::thresholds::{ONE_WAY_NAMES, TWO_WAY_NAMES, Thresholds, UNUSED_TYPES};
use crate::{
    Time,
    dns::{
        asked::{Asked, Names},
        groups::Group,
    },
    tally::Tally,
    window::{HORIZONS, PerHorizon, reached},
};

/// Record types of the private range, RFC 6895, section 3.1.
const PRIVATE: std::ops::RangeInclusive<u16> = 65_280..=65_534;

/// What kind of records a name is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Way {
    /// Of a type nobody uses.
    Unused,
    /// Their data goes to who asks.
    Both,
    /// Addresses and what else has no room for data.
    One,
}

impl Way {
    pub(super) fn of(rtype: Rtype) -> Self {
        match rtype {
            Rtype::NULL => Self::Unused,
            rtype if PRIVATE.contains(&rtype.to_int()) => Self::Unused,
            Rtype::TXT
            | Rtype::CNAME
            | Rtype::MX
            | Rtype::SRV
            | Rtype::NAPTR
            | Rtype::DNAME
            | Rtype::KEY
            | Rtype::SPF
            | Rtype::CAA => Self::Both,
            _ => Self::One,
        }
    }

    /// How many names it takes within each horizon.
    pub(super) const fn limits(self, thresholds: &Thresholds) -> PerHorizon {
        match self {
            Self::Unused => [thresholds.unused_types_per_minute; HORIZONS.len()],
            Self::Both => [
                thresholds.two_way_names_per_minute,
                thresholds.two_way_names_per_hour,
            ],
            Self::One => [
                thresholds.one_way_names_per_minute,
                thresholds.one_way_names_per_hour,
            ],
        }
    }
}

/// What is known of a domain.
#[derive(Clone, Debug)]
pub(super) struct Domain {
    unused: Names,
    both: Names,
    one: Names,
}

impl Default for Domain {
    fn default() -> Self {
        Self {
            unused: Tally::new(UNUSED_TYPES as usize),
            both: Tally::new(TWO_WAY_NAMES as usize),
            one: Tally::new(ONE_WAY_NAMES as usize),
        }
    }
}

impl Domain {
    pub(super) const fn names(&self, way: Way) -> &Names {
        match way {
            Way::Unused => &self.unused,
            Way::Both => &self.both,
            Way::One => &self.one,
        }
    }

    /// A name was asked for; true when it was not known.
    pub(super) fn insert(
        &mut self,
        way: Way,
        key: u64,
        asked: Asked,
        at: Time,
        forgotten: &mut u64,
    ) -> bool {
        let names = match way {
            Way::Unused => &mut self.unused,
            Way::Both => &mut self.both,
            Way::One => &mut self.one,
        };
        names.insert(key, asked, at, forgotten)
    }

    /// The horizon over which enough names were asked for, if one is.
    pub(super) fn crossed(&self, way: Way, at: Time, thresholds: &Thresholds) -> Option<usize> {
        reached(self.names(way).counts(at), way.limits(thresholds))
    }
}

impl Group for Domain {
    fn weight(&self, now: Time) -> u32 {
        let all = [&self.unused, &self.both, &self.one];
        all.map(|names| names.counts(now)[HORIZONS.len() - 1])
            .iter()
            .sum()
    }

    #[cfg(test)]
    fn heap_bytes(&self) -> usize {
        let all = [&self.unused, &self.both, &self.one];
        all.map(crate::dns::asked::heap_bytes).iter().sum()
    }
}

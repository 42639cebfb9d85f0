//! What happens to the selected interfaces.

use std::{net::IpAddr, time::SystemTime};

use crate::whose::Whose;

/// What happened to the selected interfaces, in order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Change {
    /// An interface is to be watched; its addresses follow once some are known.
    Appeared {
        ifindex: u32,
        name: String,
        whose: Whose,
        /// None when it was there before anybody looked, or was found late.
        appeared_at: Option<SystemTime>,
    },
    /// The same interface bears another name.
    Renamed { ifindex: u32, name: String },
    /// It is gone, no longer selected, or its index was taken over by another that appears next.
    Gone { ifindex: u32 },
    /// The addresses behind it, ascending: they replace those before. Those of host routes where there
    /// are any, else those of the other end, and where it has none those of neighbours; of an uplink, the node's
    /// own there.
    Addresses {
        ifindex: u32,
        addresses: Vec<IpAddr>,
    },
    /// A full dump was compared: every change up to it has been told.
    Synchronized,
}

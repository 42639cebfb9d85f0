//! Wraps what is carried into IP and Ethernet, with options, extension headers, fragments and tags.

use fastrand::Rng;

use super::{
    carried::{Carried, Kind},
    pool::one_of,
    route::Route,
};

/// The frame, from its Ethernet header on.
pub(super) fn frame(rng: &mut Rng, route: &Route, carried: &Carried) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    let tags = match rng.u8(..20) {
        0 => rng.usize(1..4),
        1 => 1,
        _ => 0,
    };
    for _ in 0..tags {
        frame.extend(if rng.bool() { [0x81, 0] } else { [0x88, 0xa8] });
        frame.extend(rng.u16(..).to_be_bytes());
    }
    match carried.kind {
        Kind::Frame(kind) => {
            frame.extend(kind.to_be_bytes());
            frame.extend(&carried.bytes);
        }
        Kind::Protocol(number) if route.is_v6 => {
            frame.extend([0x86, 0xdd]);
            ipv6(rng, route, number, &carried.bytes, &mut frame);
        }
        Kind::Protocol(number) => {
            frame.extend([0x08, 0x00]);
            ipv4(rng, route, number, &carried.bytes, &mut frame);
        }
    }
    frame
}

fn ipv4(rng: &mut Rng, route: &Route, number: u8, carried: &[u8], frame: &mut Vec<u8>) {
    let options = if rng.u8(..10) == 0 {
        rng.usize(1..=10) * 4
    } else {
        0
    };
    let (fragment, carried) = match fragment(rng) {
        Fragment::Whole => (rng.u16(..2) << 14, carried),
        Fragment::First => (0x2000, first(rng, carried)),
        Fragment::Later => (rng.u16(1..0x2000) | rng.u16(..2) << 13, carried),
    };
    let header = 20 + options;
    let total = length(rng, header + carried.len());
    frame.extend([0x40 | (header / 4) as u8, 0]);
    frame.extend(total.to_be_bytes());
    frame.extend([0, 7]);
    frame.extend(fragment.to_be_bytes());
    frame.extend([64, number, rng.u8(..), rng.u8(..)]);
    frame.extend(&route.source[12..]);
    frame.extend(&route.destination[12..]);
    frame.resize(frame.len() + options, 1);
    frame.extend(carried);
}

fn ipv6(rng: &mut Rng, route: &Route, number: u8, carried: &[u8], frame: &mut Vec<u8>) {
    let mut chain: Vec<u8> = match rng.u8(..16) {
        0 => (0..rng.usize(4..10)).map(|_| extension(rng)).collect(),
        1..4 => (0..rng.usize(1..4)).map(|_| extension(rng)).collect(),
        _ => Vec::new(),
    };
    let (field, carried) = match fragment(rng) {
        Fragment::Whole => (rng.u16(..4) << 1, carried),
        Fragment::First => (1, first(rng, carried)),
        Fragment::Later => (rng.u16(1..0x2000) << 3 | rng.u16(..2), carried),
    };
    if field & !6 != 0 {
        chain.push(44);
    }
    let mut payload = Vec::new();
    for (index, &kind) in chain.iter().enumerate() {
        payload.push(chain.get(index + 1).copied().unwrap_or(number));
        let units = if rng.u8(..4) == 0 { rng.u8(..4) } else { 0 };
        match kind {
            44 => {
                payload.push(0);
                payload.extend(field.to_be_bytes());
                payload.extend([0, 0, 0, 7]);
            }
            51 => {
                payload.extend([units, 0, 0]);
                payload.resize(payload.len() + 4 + usize::from(units) * 4, 0);
            }
            _ => {
                payload.extend([units, 1, 4]);
                payload.resize(payload.len() + 4 + usize::from(units) * 8, 0);
            }
        }
    }
    payload.extend(carried);
    frame.extend([0x60, 0, 0, 0]);
    frame.extend(length(rng, payload.len()).to_be_bytes());
    frame.extend([chain.first().copied().unwrap_or(number), 64]);
    frame.extend(route.source);
    frame.extend(route.destination);
    frame.extend(payload);
}

fn extension(rng: &mut Rng) -> u8 {
    one_of(rng, &[0, 43, 51, 60, 44])
}

enum Fragment {
    Whole,
    First,
    Later,
}

fn fragment(rng: &mut Rng) -> Fragment {
    match rng.u8(..24) {
        0 | 1 => Fragment::First,
        2 => Fragment::Later,
        _ => Fragment::Whole,
    }
}

/// All of it, or as little as tools send to hide the flags.
fn first<'a>(rng: &mut Rng, carried: &'a [u8]) -> &'a [u8] {
    if rng.bool() {
        &carried[..carried.len().min(rng.usize(..24))]
    } else {
        carried
    }
}

/// A length field: the truth, nothing, or a lie.
fn length(rng: &mut Rng, truth: usize) -> u16 {
    match rng.u8(..24) {
        0 => 0,
        1 => rng.u16(..),
        2 => (truth as u16).saturating_sub(rng.u16(..24)),
        3 => (truth as u16).saturating_add(rng.u16(..24)),
        _ => truth as u16,
    }
}

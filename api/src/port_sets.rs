//! Sets of ports as bytes: as runs or as a bitmap, whichever is shorter.

use std::ops::RangeInclusive;

use detect::PortSet;

use crate::v1::{self, port_set::Ports};

/// Bytes of a bitmap of all ports.
pub const BITMAP: usize = 65_536 / 8;

/// The bytes are no set of ports.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the bytes are no set of ports")]
pub struct NoSet;

/// How a set crosses the wire.
#[must_use]
pub fn encode(set: &PortSet) -> v1::PortSet {
    let mut bytes = Vec::new();
    let mut end = 0;
    for run in merged(set.iter()) {
        varint(u32::from(*run.start()) - end, &mut bytes);
        varint(u32::from(run.end() - run.start()), &mut bytes);
        end = u32::from(*run.end()) + 1;
        if bytes.len() > BITMAP {
            let mut bitmap = vec![0; BITMAP];
            for port in set.iter() {
                bitmap[usize::from(port / 8)] |= 1 << (port % 8);
            }
            return v1::PortSet {
                ports: Some(Ports::Bitmap(bitmap)),
            };
        }
    }
    v1::PortSet {
        ports: (!bytes.is_empty()).then_some(Ports::Runs(bytes)),
    }
}

/// The ports of a set, as runs in ascending order that do not touch.
///
/// # Errors
/// When the bytes are none.
pub fn runs(set: &v1::PortSet) -> Result<Vec<RangeInclusive<u16>>, NoSet> {
    match &set.ports {
        None => Ok(Vec::new()),
        Some(Ports::Runs(bytes)) => read(bytes),
        Some(Ports::Bitmap(bytes)) if bytes.len() == BITMAP => {
            let set = |port: &u16| bytes[usize::from(port / 8)] & (1 << (port % 8)) != 0;
            Ok(merged((0..=u16::MAX).filter(set)).collect())
        }
        Some(Ports::Bitmap(_)) => Err(NoSet),
    }
}

/// How many ports a set has.
///
/// # Errors
/// When the bytes are none.
pub fn count(set: &v1::PortSet) -> Result<u32, NoSet> {
    let runs = runs(set)?.into_iter();
    Ok(runs.map(|it| u32::from(it.end() - it.start()) + 1).sum())
}

fn merged(ports: impl Iterator<Item = u16>) -> impl Iterator<Item = RangeInclusive<u16>> {
    let mut ports = ports.peekable();
    std::iter::from_fn(move || {
        let start = ports.next()?;
        let mut end = start;
        while let Some(next) = ports.next_if(|next| end.checked_add(1) == Some(*next)) {
            end = next;
        }
        Some(start..=end)
    })
}

fn read(mut bytes: &[u8]) -> Result<Vec<RangeInclusive<u16>>, NoSet> {
    let mut runs: Vec<RangeInclusive<u16>> = Vec::new();
    // The first port behind the run before.
    let mut next = 0_u32;
    while !bytes.is_empty() {
        let gap = number(&mut bytes)?;
        let more = number(&mut bytes)?;
        if gap == 0 && !runs.is_empty() {
            return Err(NoSet);
        }
        let start = next + gap;
        let end = start + more;
        let port = |it: u32| u16::try_from(it).map_err(|_| NoSet);
        runs.push(port(start)?..=port(end)?);
        next = end + 1;
    }
    Ok(runs)
}

/// LEB128, of a number that is less than 2^17.
fn varint(mut number: u32, bytes: &mut Vec<u8>) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// A number of three bytes at most, which is more than there are ports.
fn number(bytes: &mut &[u8]) -> Result<u32, NoSet> {
    let mut number = 0;
    for shift in [0, 7, 14] {
        let (first, rest) = bytes.split_first().ok_or(NoSet)?;
        *bytes = rest;
        number |= u32::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(NoSet)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(ports: impl IntoIterator<Item = u16>) -> PortSet {
        ports.into_iter().collect()
    }

    #[track_caller]
    fn check(set: &PortSet) -> usize {
        let coded = encode(set);
        let ports: Vec<_> = runs(&coded).unwrap().into_iter().flatten().collect();
        assert_eq!(ports, set.iter().collect::<Vec<_>>());
        assert_eq!(count(&coded).unwrap(), set.len());
        let bytes = crate::encoding::size(&coded);
        assert!(bytes <= BITMAP + 4, "{bytes} bytes");
        bytes
    }

    #[test]
    fn every_set_survives_its_bytes_and_none_is_longer_than_a_bitmap() {
        assert_eq!(check(&set([])), 0);
        for ports in [vec![0], vec![u16::MAX], vec![0, u16::MAX], vec![22, 80, 81]] {
            assert!(check(&set(ports)) < 16);
        }
        assert!(check(&set(0..=u16::MAX)) < 16, "one run");
        check(&set((0..=u16::MAX).step_by(2)));
        // Any density, from a fixed seed (xorshift, Marsaglia 2003).
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        for _ in 0..60 {
            let density = random() % 1000;
            let ports: Vec<_> = (0..=u16::MAX)
                .filter(|_| random() % 1000 < density)
                .collect();
            check(&set(ports));
        }
    }

    #[test]
    fn what_nmap_scans_takes_few_bytes() {
        let bytes = check(&set((0..1000).map(|it| it * 37)));
        assert!(bytes < 2100, "{bytes}");
    }

    #[test]
    fn what_is_no_set_is_refused() {
        let of_runs = |bytes: &[u8]| v1::PortSet {
            ports: Some(Ports::Runs(bytes.to_vec())),
        };
        for bytes in [
            &[0][..],
            &[0x80],
            &[0, 0x80],
            // One port after the last.
            &[0x80, 0x80, 0x04, 0],
            &[0xff, 0xff, 0x03, 1],
            // Longer than any number of ports.
            &[0xff, 0xff, 0xff, 0xff, 0x7f, 0],
            // It touches the one before.
            &[1, 0, 0, 0],
        ] {
            assert_eq!(runs(&of_runs(bytes)), Err(NoSet), "{bytes:?}");
        }
        assert_eq!(
            runs(&of_runs(&[0xff, 0xff, 0x03, 0])),
            Ok(vec![65_535..=65_535])
        );
        for length in [0, BITMAP - 1, BITMAP + 1] {
            let bitmap = v1::PortSet {
                ports: Some(Ports::Bitmap(vec![0xff; length])),
            };
            assert_eq!(runs(&bitmap), Err(NoSet), "{length}");
        }
    }
}

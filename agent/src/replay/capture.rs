//! Reads a capture packet by packet: pcap of either byte order and resolution, and pcapng.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use detect::Time;
use pcap_parser::{
    Block, PcapBlockOwned, PcapError, create_reader,
    traits::{PcapNGPacketBlock as _, PcapReaderIterator},
};

use super::{ReplayError, link::Link};

/// Read at once, and the most that a packet may take: nothing real is longer, so more is damage.
const FIRST_BUFFER: usize = 1 << 20;
const LARGEST_BUFFER: usize = 64 << 20;
const SECOND: u128 = 1_000_000_000;

/// One packet of the capture.
#[derive(Debug)]
pub(super) struct Packet<'a> {
    /// Nanoseconds since 1970.
    pub(super) at: Time,
    /// From the Ethernet header on, as much as is of interest.
    pub(super) frame: &'a [u8],
    /// How long it was on the wire.
    pub(super) bytes: u64,
    /// How much of the file was read with it.
    pub(super) read_bytes: u64,
}

/// How the file ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Ending {
    /// With a whole packet.
    Whole,
    /// Within a packet.
    Cut,
    /// With something that is no packet.
    Damaged,
}

/// Calls `each` with every packet, in the order of the file.
pub(super) fn read(
    path: &Path,
    mut each: impl FnMut(Packet<'_>) -> Result<(), ReplayError>,
) -> Result<Ending, ReplayError> {
    let mut reader = open(path)?;
    let mut interfaces = Interfaces::new(path);
    let (mut frame, mut read_bytes) = (Vec::new(), 0);
    loop {
        let next = match reader.next() {
            Ok((length, block)) => {
                read_bytes += length as u64;
                if let Some(record) = interfaces.record(&block)? {
                    record.link.ethernet(record.data, &mut frame);
                    each(Packet {
                        at: record.at,
                        frame: &frame,
                        bytes: record.bytes,
                        read_bytes,
                    })?;
                }
                Next::Consume(length)
            }
            Err(PcapError::Eof) => return Ok(Ending::Whole),
            Err(PcapError::UnexpectedEof) => return Ok(Ending::Cut),
            Err(PcapError::Incomplete(_)) => Next::Refill,
            Err(PcapError::BufferTooSmall) => Next::Grow,
            Err(_) => return Ok(Ending::Damaged),
        };
        match next {
            Next::Consume(length) => reader.consume(length),
            Next::Refill => reader.refill().map_err(|_| ReplayError::Broken {
                file: path.to_owned(),
            })?,
            Next::Grow => {
                let larger = reader.data().len().max(FIRST_BUFFER) * 2;
                if larger > LARGEST_BUFFER || !reader.grow(larger) {
                    return Ok(Ending::Damaged);
                }
            }
        }
    }
}

/// What the reader needs before it can yield another block.
enum Next {
    Consume(usize),
    Refill,
    Grow,
}

fn open(path: &Path) -> Result<Box<dyn PcapReaderIterator + Send>, ReplayError> {
    let refused = |source| ReplayError::Open {
        file: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(refused)?;
    if !file.metadata().map_err(refused)?.is_file() {
        return Err(ReplayError::NoFile {
            file: path.to_owned(),
        });
    }
    create_reader(FIRST_BUFFER, file).map_err(|error| match error {
        PcapError::ReadError => ReplayError::Broken {
            file: path.to_owned(),
        },
        _ => ReplayError::NoCapture {
            file: path.to_owned(),
        },
    })
}

/// What the file says of the interfaces it was captured at.
struct Interfaces {
    file: PathBuf,
    /// Nanosecond resolution, in the old format.
    fine: bool,
    known: Vec<Interface>,
    last: Time,
}

#[derive(Clone, Copy)]
struct Interface {
    link: i32,
    ticks_per_second: u64,
    offset_seconds: i64,
}

/// A packet as it lies in the file.
struct Record<'a> {
    at: Time,
    link: Link,
    data: &'a [u8],
    bytes: u64,
}

impl Interfaces {
    fn new(path: &Path) -> Self {
        Self {
            file: path.to_owned(),
            fine: false,
            known: Vec::new(),
            last: Time::default(),
        }
    }

    /// The packet of a block, if it holds one.
    fn record<'a>(
        &mut self,
        block: &'a PcapBlockOwned<'_>,
    ) -> Result<Option<Record<'a>>, ReplayError> {
        let (interface, at, data, bytes) = match block {
            PcapBlockOwned::LegacyHeader(header) => {
                self.fine = header.is_nanosecond_precision();
                self.know(Interface {
                    link: header.network.0,
                    ticks_per_second: 0,
                    offset_seconds: 0,
                });
                return Ok(None);
            }
            PcapBlockOwned::NG(Block::SectionHeader(_)) => {
                self.known.clear();
                return Ok(None);
            }
            PcapBlockOwned::NG(Block::InterfaceDescription(interface)) => {
                self.know(Interface {
                    link: interface.linktype.0,
                    ticks_per_second: interface.ts_resolution().unwrap_or(0),
                    offset_seconds: interface.ts_offset(),
                });
                return Ok(None);
            }
            PcapBlockOwned::Legacy(packet) => {
                let unit = if self.fine { 1 } else { 1000 };
                let at =
                    u64::from(packet.ts_sec) * SECOND as u64 + u64::from(packet.ts_usec) * unit;
                (0, Some(at), packet.data, packet.origlen)
            }
            PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                let ticks = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
                let interface = self.known.get(packet.if_id as usize);
                let at = interface.map(|it| it.nanoseconds(ticks));
                (packet.if_id, at, packet.packet_data(), packet.origlen)
            }
            PcapBlockOwned::NG(Block::SimplePacket(packet)) => {
                (0, None, packet.packet_data(), packet.origlen)
            }
            PcapBlockOwned::NG(_) => return Ok(None),
        };
        // A packet of no interface is of no link type either; one without a time is no later than the next.
        let Some(interface) = self.known.get(interface as usize) else {
            return Ok(None);
        };
        let link = Link::of(interface.link).ok_or_else(|| ReplayError::Link {
            file: self.file.clone(),
            number: interface.link,
        })?;
        self.last = at.map_or(self.last, Time::from_nanoseconds);
        Ok(Some(Record {
            at: self.last,
            link,
            data,
            bytes: u64::from(bytes).max(data.len() as u64),
        }))
    }

    fn know(&mut self, interface: Interface) {
        // The upper half may tell of a checksum behind each frame, which no header is found in.
        self.known.push(Interface {
            link: interface.link & 0xffff,
            ..interface
        });
    }
}

impl Interface {
    /// Bounded, so that time can run on behind the last packet.
    fn nanoseconds(self, ticks: u64) -> u64 {
        const LATEST: i128 = i64::MAX as i128;
        let resolution = u128::from(self.ticks_per_second.max(1));
        let since = u128::from(ticks) * SECOND / resolution;
        let offset = i128::from(self.offset_seconds) * SECOND as i128;
        let at = i128::try_from(since)
            .unwrap_or(LATEST)
            .saturating_add(offset);
        at.clamp(0, LATEST) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_any_resolution_are_told_in_nanoseconds() {
        let latest = i64::MAX as u64;
        for (ticks_per_second, offset_seconds, ticks, expected) in [
            (1_000_000, 0, 1_500_000, 1_500_000_000),
            (1_000_000_000, 0, 1_500_000_000, 1_500_000_000),
            (1 << 10, 2, 512, 2_500_000_000),
            (1_000_000, -9, 1_500_000, 0),
            (0, 0, u64::MAX, latest),
            (1, i64::MAX, u64::MAX, latest),
        ] {
            let interface = Interface {
                link: 1,
                ticks_per_second,
                offset_seconds,
            };
            let told = interface.nanoseconds(ticks);
            assert_eq!(told, expected, "{ticks} at {ticks_per_second}/s");
        }
    }
}

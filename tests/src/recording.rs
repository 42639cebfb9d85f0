//! A capture file taken apart, to be written again in the other forms there are.

use std::{fs, path::Path};

use anyhow::{Context, Result};

const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;
const ETHERNET_BYTES: usize = 14;

/// Packets with their times, as `tcpdump` writes them.
#[derive(Clone, Debug)]
pub struct Recording {
    packets: Vec<Packet>,
}

#[derive(Clone, Debug)]
struct Packet {
    seconds: u32,
    microseconds: u32,
    length: u32,
    frame: Vec<u8>,
}

/// A way to write it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Form {
    /// As it was.
    Pcap,
    /// In the other byte order.
    BigEndian,
    /// With times in nanoseconds.
    Nanoseconds,
    /// With a snap length that packets were longer than, though they are there.
    ShortSnap,
    /// As pcapng with times in nanoseconds.
    Pcapng,
    /// As raw IP.
    RawIp,
    /// As captured at any interface of Linux.
    Cooked,
    /// The same, second version.
    Cooked2,
    /// Without the last byte.
    Cut,
    /// With this link type, which is none of the above.
    Radio,
}

impl Recording {
    /// Reads what `tcpdump` wrote; only the IP packets, because not every form holds others.
    ///
    /// # Errors
    /// When it is no such file.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = fs::read(path)?;
        let mut rest = bytes.get(FILE_HEADER..).context("no pcap file header")?;
        let mut packets = Vec::new();
        while let Some((header, behind)) = rest.split_first_chunk::<RECORD_HEADER>() {
            let word = |at: usize| {
                u32::from_ne_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
            };
            let stored = usize::try_from(word(8))?;
            let (frame, behind) = behind.split_at_checked(stored).context("it is cut")?;
            if matches!(frame.get(12..14), Some([0x08, 0x00] | [0x86, 0xdd])) {
                packets.push(Packet {
                    seconds: word(0),
                    microseconds: word(4),
                    length: word(12),
                    frame: frame.to_vec(),
                });
            }
            rest = behind;
        }
        Ok(Self { packets })
    }

    /// How many packets it holds.
    #[must_use]
    pub fn packets(&self) -> usize {
        self.packets.len()
    }

    /// Its bytes in another form.
    #[must_use]
    pub fn bytes(&self, form: Form) -> Vec<u8> {
        if form == Form::Pcapng {
            return self.pcapng();
        }
        let word = |value: u32| match form {
            Form::BigEndian => value.to_be_bytes(),
            _ => value.to_le_bytes(),
        };
        let (magic, fraction) = match form {
            Form::Nanoseconds => (0xa1b2_3c4d_u32, 1000),
            _ => (0xa1b2_c3d4, 1),
        };
        let snap = if form == Form::ShortSnap { 60 } else { 262_144 };
        let link = match form {
            Form::RawIp => 101,
            Form::Cooked => 113,
            Form::Cooked2 => 276,
            Form::Radio => 127,
            _ => 1,
        };
        let version = match form {
            Form::BigEndian => [0, 2, 0, 4],
            _ => [2, 0, 4, 0],
        };
        let header = [word(magic), version, [0; 4], [0; 4], word(snap), word(link)];
        let mut bytes = header.concat();
        for packet in &self.packets {
            let data = packet.data(form);
            let cut = packet.frame.len() as u32 - data.len().min(packet.frame.len()) as u32;
            bytes.extend(word(packet.seconds));
            bytes.extend(word(packet.microseconds * fraction));
            bytes.extend(word(data.len() as u32));
            bytes.extend(word((packet.length - cut).max(data.len() as u32)));
            bytes.extend(data);
        }
        if form == Form::Cut {
            bytes.pop();
        }
        bytes
    }

    fn pcapng(&self) -> Vec<u8> {
        let version = [1_u16.to_le_bytes(), 0_u16.to_le_bytes()].concat();
        let section = [
            &0x1a2b_3c4d_u32.to_le_bytes()[..],
            &version,
            &u64::MAX.to_le_bytes(),
        ];
        // Ethernet, no snap length, and option 9: times in 10^-9 s.
        let interface = [1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0];
        let mut bytes = block(0x0a0d_0d0a, &section.concat());
        bytes.extend(block(1, &interface));
        for packet in &self.packets {
            let at = u64::from(packet.seconds) * 1_000_000_000;
            let at = at + u64::from(packet.microseconds) * 1000;
            let words = [
                0,
                (at >> 32) as u32,
                at as u32,
                packet.frame.len() as u32,
                packet.length,
            ];
            let mut body: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            body.extend(&packet.frame);
            bytes.extend(block(6, &body));
        }
        bytes
    }
}

impl Packet {
    fn data(&self, form: Form) -> Vec<u8> {
        let (ethernet, ip) = self.frame.split_at(ETHERNET_BYTES);
        let (sender, ether_type) = (&ethernet[6..12], &ethernet[12..]);
        match form {
            Form::RawIp => ip.to_vec(),
            Form::Cooked => [&[0, 0, 0, 1, 0, 6], sender, &[0, 0], ether_type, ip].concat(),
            Form::Cooked2 => [
                ether_type,
                &[0, 0, 0, 0, 0, 7, 0, 1, 0, 6],
                sender,
                &[0, 0],
                ip,
            ]
            .concat(),
            _ => self.frame.clone(),
        }
    }
}

fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let padding = vec![0; body.len().next_multiple_of(4) - body.len()];
    let length = (body.len() + padding.len() + 12) as u32;
    [
        &kind.to_le_bytes()[..],
        &length.to_le_bytes(),
        body,
        &padding,
        &length.to_le_bytes(),
    ]
    .concat()
}

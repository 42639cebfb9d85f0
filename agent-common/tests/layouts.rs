//! What both sides of the kernel boundary rely on; miri runs these too.

use std::{collections::BTreeSet, mem::offset_of};

use agent_common::{
    BUCKET_WAYS, Bucket, CONTACT_CACHE_ENTRIES, Class, Heard, PORT_WORDS, PortSet, Ports,
    REPORTED_MASK, Record, RecordKind, Sample, SampleKind, Settings, Slot, Transport,
    contact_entry, endpoint_hash, heard_bits, host_hash,
};

/// Sizes and places of a type's fields: each begins where the one before ends, so nothing lies between.
macro_rules! assert_dense {
    ($type:ty: $($field:ident $size:expr),* $(,)?) => {{
        let mut end = 0;
        $(
            assert_eq!(offset_of!($type, $field), end, stringify!($type::$field));
            end += $size;
        )*
        assert_eq!(size_of::<$type>(), end, "{} is padded", stringify!($type));
    }};
}

#[test]
fn records_and_samples_have_no_padding() {
    assert_dense!(Record: time_ns 8, slot 4, epoch 4, pod 16, peer 16, port 2, pod_port 2, kind 1,
        transport 1, class 1, tcp_flags 1, tcp_words 1, spoofed 1, contained 1, reserved 5);
    assert_dense!(Sample: time_ns 8, slot 4, epoch 4, pod 16, peer 16, port 2, pod_port 2, kind 1,
        direction 1, length 2, payload_bytes 4, reserved 4, payload 192);
}

/// The slots are mapped, and read by words.
#[test]
fn what_is_mapped_is_made_of_whole_words() {
    assert_eq!(size_of::<PortSet>(), 8 * PORT_WORDS);
    assert_eq!(offset_of!(Ports, window), size_of::<PortSet>());
    assert_eq!(size_of::<Bucket>(), 8 * BUCKET_WAYS);
    assert_eq!(size_of::<Settings>() % 8, 0);
    for align in [
        align_of::<Slot>(),
        align_of::<Settings>(),
        align_of::<Bucket>(),
    ] {
        assert_eq!(align, 8);
    }
    let fields = [
        offset_of!(Slot, addresses),
        offset_of!(Slot, counters),
        offset_of!(Slot, volume),
        offset_of!(Slot, hosts),
        offset_of!(Slot, heard_tcp),
        offset_of!(Slot, contacts),
        offset_of!(Slot, refusing),
    ];
    assert!(fields.iter().all(|at| at % 8 == 0), "{fields:?}");
    assert!(fields.is_sorted(), "{fields:?}");
    assert_eq!(
        offset_of!(Slot, refusing) + size_of::<PortSet>(),
        size_of::<Slot>()
    );
}

/// Each field of a record gets bytes that no other has.
#[test]
fn a_record_is_read_field_by_field() {
    let mut bytes = [0; 64];
    for (value, byte) in (1..).zip(&mut bytes) {
        *byte = value;
    }
    let record = Record::from_bytes(&bytes);
    let mut back = Vec::new();
    back.extend(record.time_ns.to_ne_bytes());
    back.extend(record.slot.to_ne_bytes());
    back.extend(record.epoch.to_ne_bytes());
    back.extend(record.pod);
    back.extend(record.peer);
    back.extend(record.port.to_ne_bytes());
    back.extend(record.pod_port.to_ne_bytes());
    back.extend([
        record.kind,
        record.transport,
        record.class,
        record.tcp_flags,
    ]);
    back.extend([record.tcp_words, record.spoofed, record.contained]);
    back.push(record.reserved);
    back.extend(record.sequence.to_ne_bytes());
    assert_eq!(back, bytes);
}

#[test]
fn bytes_stand_for_one_value_or_none() {
    for byte in 0..=u8::MAX {
        let back = |value: Option<u8>| assert!(value.is_none_or(|value| value == byte), "{byte}");
        back(Class::from_byte(byte).map(|it| it as u8));
        back(Transport::from_byte(byte).map(|it| it as u8));
        back(RecordKind::from_byte(byte).map(|it| it as u8));
        back(SampleKind::from_byte(byte).map(|it| it as u8));
    }
    let all = || 0..=u8::MAX;
    assert_eq!(all().filter_map(Class::from_byte).count(), Class::COUNT);
    assert_eq!(
        all().filter_map(Transport::from_byte).count(),
        Transport::COUNT
    );
    assert_eq!(all().filter_map(RecordKind::from_byte).count(), 4);
    assert_eq!(all().filter_map(SampleKind::from_byte).count(), 3);
}

#[test]
fn each_port_has_a_bit_of_its_own() {
    let mut words = vec![0_u64; PORT_WORDS];
    for port in 0..=u16::MAX {
        let (word, bit) = PortSet::locate(port);
        assert_eq!(bit.count_ones(), 1, "{port}");
        assert_eq!(words[word] & bit, 0, "{port} shares its bit");
        words[word] |= bit;
    }
    assert!(words.iter().all(|&word| word == u64::MAX));
}

#[test]
fn a_way_gives_its_slot_to_its_interface_only() {
    let numbers = [0, 1, 2, 4095, 4096, u32::MAX >> 1, u32::MAX - 1];
    for ifindex in numbers {
        for slot in numbers {
            let way = Bucket::way(ifindex, slot);
            assert_ne!(way, 0);
            assert_eq!(
                Bucket::slot_of(way, ifindex),
                Some(slot),
                "{ifindex} {slot}"
            );
            assert_eq!(Bucket::slot_of(way, ifindex ^ 1), None, "{ifindex} {slot}");
        }
        assert_eq!(Bucket::slot_of(0, ifindex), None, "a free way");
    }
}

/// Hashes that are all corners, and some that are none.
fn hashes() -> impl Iterator<Item = u64> {
    let single = (0..64).flat_map(|bit| [1 << bit, !(1 << bit)]);
    let spread =
        (0..200).map(|port| endpoint_hash(port, &[1, 2, 3, 4], port as u16, Transport::Udp));
    [0, u64::MAX].into_iter().chain(single).chain(spread)
}

#[test]
fn heard_bits_lie_in_one_word_of_the_filter() {
    let words = [
        size_of::<Heard<64>>() / 16,
        size_of::<Heard<128>>() / 16,
        1024,
    ];
    for words in words {
        let mut seen = BTreeSet::new();
        for hash in hashes() {
            let (word, bits) = heard_bits(words, hash);
            assert!(word < words, "{hash:x}");
            assert!((1..=3).contains(&bits.count_ones()), "{hash:x}");
            seen.insert(word);
        }
        assert!(seen.len() > 20, "{words} words: only {seen:?} are used");
    }
}

#[test]
fn contact_entries_lie_in_the_cache_and_report_nothing() {
    let mut seen = BTreeSet::new();
    for hash in hashes() {
        let (index, entry) = contact_entry(hash);
        assert!(index < CONTACT_CACHE_ENTRIES, "{hash:x}");
        assert_eq!(entry & REPORTED_MASK, 0, "{hash:x}");
        assert_eq!(entry, hash & !REPORTED_MASK, "{hash:x}");
        seen.insert(index);
    }
    assert!(seen.len() > 50, "only {seen:?} are used");
}

/// A host, a port, a transport and the seed each change about half of the bits, whichever way of hashing.
#[test]
fn every_part_of_an_endpoint_changes_its_hash() {
    let mapped = [0, 0, u32::from_be(0xffff), 0x0100_000a];
    for host in [mapped, [0xfd00, 0, 0, 7]] {
        let hash =
            |seed, host: &[u32; 4], port, transport| endpoint_hash(seed, host, port, transport);
        let mut other = host;
        other[3] ^= 1;
        let base = hash(7, &host, 53, Transport::Udp);
        let changed = [
            hash(6, &host, 53, Transport::Udp),
            hash(7, &other, 53, Transport::Udp),
            hash(7, &host, 52, Transport::Udp),
            hash(7, &host, 53, Transport::Tcp),
            host_hash(7, &host),
        ];
        for (part, changed) in changed.into_iter().enumerate() {
            let differs = (base ^ changed).count_ones();
            assert!(
                (12..=52).contains(&differs),
                "{host:?}, part {part}: {differs} bits"
            );
        }
    }
}

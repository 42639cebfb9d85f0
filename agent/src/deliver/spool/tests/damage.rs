//! Bytes that changed on the disk.

use api::v1::Severity::{Low, Medium};

use super::{
    super::record::{HEADER_BYTES, Parsed, parse},
    bench::Bench,
    power::Power,
};

/// Thirty events on a disk, in a chain of two segments and one of one.
fn spooled() -> Power {
    let disk = Power::default();
    let mut bench = Bench::new(disk.clone());
    for at in 0..30 {
        bench.raise(if at % 3 == 0 { Medium } else { Low }, |_| ());
        bench.store();
    }
    disk
}

fn delivered(disk: Power) -> Bench {
    let mut bench = Bench::new(disk);
    bench.finish();
    bench
}

#[test]
fn a_damaged_record_is_skipped_counted_and_told() {
    let disk = spooled();
    let name = disk
        .names()
        .into_iter()
        .find(|name| name.starts_with("low"));
    disk.damage(&name.unwrap(), |bytes| {
        let Parsed::Record(_, first) = parse(bytes) else {
            panic!("no record")
        };
        bytes[first + HEADER_BYTES + 3] ^= 1;
    });
    let bench = delivered(disk);
    let mut expected: Vec<_> = (1..=30).collect();
    // The second of the low ones.
    expected.retain(|sequence| *sequence != 3);
    assert_eq!(bench.collector.sequences(1), expected);
    let [gap] = &bench.collector.gaps[&1][..] else {
        panic!("{:?}", bench.collector.gaps)
    };
    assert_eq!((gap.events, gap.last_sequence), (1, 3));
    assert_eq!(gap.lost[0].severity(), Low);
    assert!(gap.reason.contains("damaged on disk"), "{gap:?}");
    assert_eq!(bench.keeper.journal().damaged(), 1);
}

#[test]
fn an_absurd_length_costs_the_rest_of_its_segment() {
    let disk = spooled();
    let name = disk
        .names()
        .into_iter()
        .find(|name| name.starts_with("low"));
    disk.damage(&name.unwrap(), |bytes| bytes[3] = 0xff);
    let bench = delivered(disk);
    let held = bench.collector.sequences(1).len() as u64;
    let told: u64 = bench.collector.gaps[&1].iter().map(|gap| gap.events).sum();
    assert!((10..30).contains(&held));
    assert_eq!(held + told, 30, "{:?}", bench.collector.gaps);
    assert_eq!(bench.keeper.journal().damaged(), 1);
}

#[test]
fn any_damage_is_survived() {
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..300 {
        let disk = spooled();
        for _ in 0..random.u8(1..4) {
            let names = disk.names();
            let name = &names[random.usize(..names.len())];
            disk.damage(name, |bytes| match random.u8(..4) {
                0 => bytes.truncate(random.usize(..=bytes.len())),
                1 => bytes.extend((0..random.u8(..200)).map(|_| random.u8(..))),
                2 => bytes.fill(0),
                _ if bytes.is_empty() => {}
                _ => {
                    let at = random.usize(..bytes.len());
                    bytes[at] = random.u8(..);
                }
            });
        }
        let bench = delivered(disk);
        assert!(bench.collector.sequences(1).len() <= 30);
    }
}

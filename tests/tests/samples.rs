//! Payloads are sampled where detectors read them, and no more than a slot may.

use std::sync::atomic::Ordering::Relaxed;

use anyhow::{Result, ensure};
use detect::{Count, SampleKind};
use tests::{
    Kernel,
    packet::{ACK, PSH, SYN, TCP, Tcp, UDP, received, sent, udp},
    without_root,
};

fn allow(kernel: &Kernel, samples: u64) {
    let settings = kernel.datapath.settings();
    settings.samples_per_drain.store(samples, Relaxed);
}

fn segment(flags: u8, payload: &[u8]) -> Vec<u8> {
    let tcp = Tcp {
        port: 80,
        flags,
        ..Tcp::default()
    };
    [&tcp.bytes(), payload].concat()
}

/// The same with its ports swapped.
fn back(flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = segment(flags, payload);
    bytes[..4].rotate_left(2);
    received(TCP, &bytes)
}

#[test]
fn dns_and_the_first_data_of_a_connection_are_sampled() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    Kernel::with(async |mut kernel: Kernel| {
        allow(&kernel, 100);
        let long = [b'x'; 500];
        kernel.from_pod(&sent(UDP, &udp(40_000, 53, b"query")))?;
        kernel.to_pod(&received(UDP, &udp(53, 40_000, &long)))?;
        kernel.from_pod(&sent(UDP, &udp(40_000, 54, b"no dns")))?;
        kernel.from_pod(&sent(TCP, &segment(SYN, b"")))?;
        kernel.to_pod(&back(SYN | ACK, b""))?;
        kernel.from_pod(&sent(TCP, &segment(ACK, b"")))?;
        for request in [b"GET 1", b"GET 2"] {
            kernel.from_pod(&sent(TCP, &segment(ACK | PSH, request)))?;
        }
        for answer in [b"HTTP 1", b"HTTP 2"] {
            kernel.to_pod(&back(ACK | PSH, answer))?;
        }
        let seen = kernel.drain()?;
        let told = seen.samples.iter().map(|it| {
            let payload = it.payload.as_slice();
            (it.kind, it.sent, it.port, payload, it.payload_bytes)
        });
        let expected = [
            (SampleKind::Dns, true, 53, &b"query"[..], 5),
            (SampleKind::Dns, false, 53, &long[..192], 500),
            (SampleKind::FirstData, true, 80, b"GET 1", 5),
            (SampleKind::FirstData, false, 80, b"HTTP 1", 6),
        ];
        ensure!(told.eq(expected), "{:?}", seen.samples);
        ensure!(seen.count(Count::SamplesDropped) == 0, "{seen:?}");
        Ok(())
    })
}

#[test]
fn what_the_cap_drops_is_counted() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    Kernel::with(async |mut kernel: Kernel| {
        let query = sent(UDP, &udp(40_000, 53, b"query"));
        for (allowed, sampled, dropped) in [(2, 2, 3), (100, 5, 0)] {
            allow(&kernel, allowed);
            for _ in 0..5 {
                kernel.from_pod(&query)?;
            }
            let seen = kernel.drain()?;
            ensure!(seen.samples.len() == sampled, "{allowed}: {seen:?}");
            ensure!(
                seen.count(Count::SamplesDropped) == dropped,
                "{allowed}: {seen:?}"
            );
        }
        Ok(())
    })
}

/// Nobody is woken up to take samples, so a slot that may write many fills their ring buffer.
#[test]
fn what_the_ring_buffer_has_no_room_for_is_counted() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    Kernel::with(async |mut kernel: Kernel| {
        const QUERIES: u64 = 300;
        allow(&kernel, QUERIES);
        for _ in 0..QUERIES {
            kernel.from_pod(&sent(UDP, &udp(40_000, 53, b"query")))?;
        }
        let seen = kernel.drain()?;
        let dropped = seen.count(Count::SamplesDropped);
        ensure!(dropped > 0, "it was never full");
        ensure!(
            seen.samples.len() as u64 + dropped == QUERIES,
            "{} and {dropped}",
            seen.samples.len()
        );
        Ok(())
    })
}

/// As by default: nothing is copied, and nothing counts as missing.
#[test]
fn nothing_is_sampled_unless_it_is_asked_for() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    Kernel::with(async |mut kernel: Kernel| {
        kernel.from_pod(&sent(UDP, &udp(40_000, 53, b"query")))?;
        let seen = kernel.drain()?;
        ensure!(seen.samples.is_empty(), "{seen:?}");
        ensure!(seen.count(Count::SamplesDropped) == 0, "{seen:?}");
        Ok(())
    })
}

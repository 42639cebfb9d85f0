//! Volume is estimated from one packet in so many, and that many can be changed at any time.

use agent::datapath::Direction;
use anyhow::{Result, ensure};
use detect::VolumeClass;
use tests::{
    Kernel,
    packet::{ACK, Tcp, from_pod},
    without_root,
};

use super::syn;

/// Exact at a rate of 1. At 16 the standard deviation of 40,000 packets is about 1.4 %: ten of it are allowed.
#[test]
fn volume_is_scaled_by_the_sample_rate() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    const PACKETS: u32 = 40_000;
    let packet = from_pod(&Tcp {
        port: 443,
        flags: ACK,
        ..Tcp::default()
    });
    for (rate, tolerance) in [(1, 0), (16, PACKETS / 7)] {
        let seen = Kernel::with(async |mut kernel: Kernel| {
            kernel.datapath.set_sample_rate(rate);
            kernel
                .injector
                .run(Direction::FromPod, kernel.subject.ifindex, &packet, PACKETS)?;
            kernel.drain()
        })?;
        let sent = seen.sent[VolumeClass::Tcp as usize];
        let counted = [sent.packets, sent.bytes / packet.len() as u64];
        for count in counted {
            let error = count.abs_diff(u64::from(PACKETS));
            assert!(
                error <= u64::from(tolerance),
                "rate {rate}: counted {count}"
            );
        }
        assert_eq!(seen.sample_rate, rate);
    }
    Ok(())
}

/// Also for a CPU that had many packets left to skip.
#[test]
fn a_new_sample_rate_takes_effect_at_once() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    Kernel::with(async |mut kernel: Kernel| {
        let packet = from_pod(&syn(443));
        for _ in 0..20 {
            kernel.datapath.set_sample_rate(65_536);
            kernel.from_pod(&packet)?;
            kernel.datapath.set_sample_rate(1);
            kernel.drain()?;
            for _ in 0..100 {
                kernel.from_pod(&packet)?;
            }
            let sent = kernel.drain()?.sent[VolumeClass::Tcp as usize];
            ensure!(sent.packets == 100, "{sent:?}");
        }
        Ok(())
    })
}

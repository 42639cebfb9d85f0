//! Volume is estimated from one packet in so many, and that many can be changed at any time.

use agent::datapath::Direction;
use anyhow::{Result, ensure};
use detect::VolumeClass;
use tests::{
    Kernel,
    packet::{ACK, RST, Tcp, UDP, from_pod, sent, to_pod, udp},
    without_root,
};

use super::syn;

/// The next packet that is counted lies 1 to 2N - 1 ahead, evenly. So the gap has variance N(N - 1) / 3, and
/// the estimate of n packets n(N - 1) / 3 (central limit of renewals: Feller, vol. II, XI.5). Six standard
/// deviations are allowed, which chance exceeds once in 500 million runs; none at a rate of 1.
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
    Kernel::with(async |mut kernel: Kernel| {
        for rate in [1, 2, 16, 128] {
            kernel.datapath.set_sample_rate(rate);
            kernel
                .injector
                .run(Direction::FromPod, kernel.subject.ifindex, &packet, PACKETS)?;
            let seen = kernel.drain()?;
            let sent = seen.sent[VolumeClass::Tcp as usize];
            let deviation = (f64::from(PACKETS) * f64::from(rate - 1) / 3.0).sqrt();
            for count in [sent.packets, sent.bytes / packet.len() as u64] {
                let error = count.abs_diff(u64::from(PACKETS)) as f64;
                ensure!(
                    error <= 6.0 * deviation,
                    "rate {rate}: counted {count}, standard deviation {deviation}"
                );
            }
            ensure!(seen.sample_rate == rate, "{seen:?}");
        }
        Ok(())
    })
}

/// Of traffic with the period of the samples, each part is estimated for itself. Of n packets of it each is
/// counted with a chance of 1 in N, and one that is makes those a period later a little less likely, so the
/// variance is n(N - 1) at most. Six standard deviations are allowed.
#[test]
fn no_periodic_traffic_hides_between_the_samples() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    const RATE: u32 = 16;
    const PERIODS: u32 = 5_000;
    let often = from_pod(&Tcp {
        port: 443,
        flags: ACK,
        ..Tcp::default()
    });
    let seldom = sent(UDP, &udp(40_000, 4_000, &[0; 100]));
    let seen = Kernel::with(async |mut kernel: Kernel| {
        kernel.datapath.set_sample_rate(RATE);
        for _ in 0..PERIODS {
            for (packet, times) in [(&often, RATE - 1), (&seldom, 1)] {
                let ifindex = kernel.subject.ifindex;
                kernel
                    .injector
                    .run(Direction::FromPod, ifindex, packet, times)?;
            }
        }
        kernel.drain()
    })?;
    let cases = [
        (VolumeClass::Tcp, PERIODS * (RATE - 1), often.len()),
        (VolumeClass::Udp, PERIODS, seldom.len()),
    ];
    for (class, packets, bytes) in cases {
        let volume = seen.sent[class as usize];
        let deviation = (f64::from(packets) * f64::from(RATE - 1)).sqrt();
        for count in [volume.packets, volume.bytes / bytes as u64] {
            let error = count.abs_diff(u64::from(packets)) as f64;
            ensure!(
                error <= 6.0 * deviation,
                "{class:?}: counted {count} for {packets}, standard deviation {deviation}"
            );
        }
    }
    Ok(())
}

/// And none of what is counted exactly is lost with it.
#[test]
fn a_rate_of_zero_counts_no_volume() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let seen = Kernel::with(async |mut kernel: Kernel| {
        kernel.datapath.set_sample_rate(0);
        for port in 1..=100 {
            kernel.from_pod(&from_pod(&syn(port)))?;
            let refusal = Tcp {
                port,
                flags: RST | ACK,
                ..Tcp::default()
            };
            kernel.to_pod(&to_pod(&refusal))?;
        }
        kernel.drain()
    })?;
    for volume in seen.sent.iter().chain(&seen.received) {
        ensure!([volume.packets, volume.bytes] == [0, 0], "{seen:?}");
    }
    ensure!(seen.tcp_ports.len() == 100, "{seen:?}");
    ensure!(seen.refused.len() == 100, "{seen:?}");
    ensure!(seen.contacts.len() == 200, "{seen:?}");
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
        for rate in [0, 65_536].repeat(10) {
            kernel.datapath.set_sample_rate(rate);
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

//! Breaks frames: cuts, padding, flipped bits, and noise.

use fastrand::Rng;

const ETHERNET: usize = 14;
/// Where headers are; mutations behind them would change nothing.
const HEADERS: usize = 120;

/// Breaks it in one way or two.
pub(super) fn mutate(rng: &mut Rng, frame: &mut Vec<u8>) {
    for _ in 0..rng.u8(1..3) {
        let reach = frame.len().min(HEADERS);
        match rng.u8(..6) {
            0 | 1 => frame.truncate(rng.usize(ETHERNET..=reach.max(ETHERNET))),
            2 => frame.resize(frame.len() + rng.usize(..64), rng.u8(..)),
            3 => frame[rng.usize(ETHERNET - 2..reach)] ^= 1 << rng.u8(..8),
            4 => frame[rng.usize(ETHERNET - 2..reach)] = rng.u8(..),
            _ if rng.bool() => {
                let from = rng.usize(ETHERNET..=reach);
                rng.fill(&mut frame[from..]);
            }
            _ => {
                for _ in 0..4 {
                    frame[rng.usize(ETHERNET..=reach) - 1] = rng.u8(..);
                }
            }
        }
    }
}

/// Pads it to what BPF_PROG_TEST_RUN asks for: an IP header's length where the Ethernet type says IP.
pub(super) fn lengthen(frame: &mut Vec<u8>) {
    let least = match frame[12..14] {
        [0x08, 0x00] => ETHERNET + 20,
        [0x86, 0xdd] => ETHERNET + 40,
        _ => ETHERNET,
    };
    if frame.len() < least {
        frame.resize(least, 0);
    }
}

//! The spool against the simplest model there is: what was raised arrives once, in order, or in one gap.

use api::v1::{
    Severity::{High, Info, Low, Medium},
    State,
};

use super::{bench::Bench, power::Power};

#[test]
fn whatever_happens_everything_arrives_once_or_is_told_as_missing() {
    for seed in 0..150 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut disk = Power::default();
        let mut bench = Bench::new(disk.clone());
        for _ in 0..random.usize(50..400) {
            match random.u8(..100) {
                0..70 => {
                    let severities = [Info, Low, Low, Medium, High];
                    for _ in 0..random.usize(1..12) {
                        let severity = severities[random.usize(..severities.len())];
                        let anomaly = random.u8(..9);
                        let is_update = random.bool();
                        bench.raise(severity, |event| {
                            event.anomaly_id = format!("anomaly {anomaly}");
                            if is_update {
                                event.set_state(State::Updated);
                            }
                        });
                    }
                    bench.store_all();
                }
                70..80 => bench.deliver(random.usize(1..4), random.usize(..3)),
                80..83 => bench.deliver(20, 0),
                83..86 => bench.keeper.close(&bench.memory),
                86..90 => {
                    disk = disk.cut(random.bool());
                    bench = bench.restart(disk.clone());
                }
                90..93 => disk.fill(),
                _ => {
                    disk.mend();
                    bench.store_all();
                }
            }
        }
        disk.mend();
        bench.finish();
        // What was in memory alone is lost with the agent.
        bench.check(true);
    }
}

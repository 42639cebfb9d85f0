//! The detectors against a slow model of them, which remembers everything.

use std::time::Duration;

use detect::{Detectors, Settings, State, Time};

use crate::replay::{HOUR, SUBJECT, at, observation, sends_bytes};

const FLOOR: u64 = 1000;
const CEILING: u64 = 2_000_000;
const LEARNING_HOURS: u64 = 30;

/// Numbers that look random, the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }
}

/// As in the paper, with whole numbers of seconds and double precision.
#[derive(Clone, Copy, Default)]
struct Smoothed {
    level: f64,
    variance: f64,
    numbers: f64,
}

impl Smoothed {
    fn learn(&mut self, number: f64) {
        self.numbers += 1.0;
        if self.numbers == 1.0 {
            (self.level, self.variance) = (number, 1.0);
            return;
        }
        let share = f64::max(0.1, 1.0 / self.numbers);
        let residual = number - self.level;
        let least = (2.0_f64.ln() / 2.0).powi(2);
        let distance = (residual / self.variance.sqrt()).abs();
        let loss = if distance < 2.0 {
            2.52 * (1.0 - (1.0 - distance * distance / 4.0).powi(3))
        } else {
            2.52
        };
        let distance = residual / self.variance.max(least).sqrt();
        self.variance = (share * loss * self.variance + (1.0 - share) * self.variance).max(least);
        let sigma = self.variance.sqrt();
        let cleaned = if distance.abs() <= 2.0 {
            distance * sigma
        } else {
            distance.signum() * 2.0 * sigma
        };
        let cleaned = if cleaned.abs() > residual.abs() {
            residual
        } else {
            cleaned
        };
        self.level += share * cleaned;
    }
}

/// What was sent, second by second.
#[derive(Default)]
struct Model {
    sent: Vec<(u64, u64)>,
    peaks: Vec<(u64, u64)>,
    open_until: Option<u64>,
}

impl Model {
    /// The sum of the seconds now and of the ten before.
    fn sum(&self, second: u64) -> u64 {
        let within = self
            .sent
            .iter()
            .rev()
            .take_while(|&&(at, _)| at + 10 >= second);
        within.map(|(_, bytes)| bytes).sum()
    }

    fn limit(&self, second: u64) -> Option<f64> {
        let hour = second / 3600;
        let watched = hour.saturating_sub(1);
        if watched < LEARNING_HOURS {
            return None;
        }
        let mut cells = [Smoothed::default(); 3];
        for past in 1..hour {
            let peaks = self.peaks.iter().filter(|(at, _)| at / 3600 == past);
            let peak = peaks.map(|&(_, sum)| sum).max().unwrap_or(0);
            let number = ((peak.max(FLOOR / 4) + 1) as f64).ln();
            cells[0].learn(number);
            let same_hour = past % 24 == hour % 24;
            let same_day = past / 24 % 7 == hour / 24 % 7;
            for (index, same) in [(1, same_hour), (2, same_day)] {
                if same {
                    cells[index].learn(number);
                }
            }
        }
        let always = cells[0].variance;
        for cell in &mut cells {
            if cell.numbers < 4.0 {
                cell.variance = always;
            }
        }
        let cells = cells.into_iter().filter(|cell| cell.numbers > 0.0);
        cells
            .map(|cell| {
                (cell.level + 4.0 * cell.variance.sqrt().max(2.0_f64.ln() / 2.0)).exp() - 1.0
            })
            .reduce(f64::max)
    }

    /// Whether an anomaly opens; None when it is too close to tell.
    fn observe(&mut self, second: u64, bytes: u64) -> Option<bool> {
        if bytes > 0 {
            self.sent.push((second, bytes));
        }
        let sum = self.sum(second);
        if bytes > 0 {
            self.peaks.push((second, sum));
        }
        let mut above = bytes > 0 && sum >= CEILING;
        if bytes > 0
            && sum >= FLOOR
            && let Some(limit) = self.limit(second)
        {
            let limit = limit.max(FLOOR as f64);
            if (sum as f64 / limit - 1.0).abs() < 1e-3 {
                return None;
            }
            above |= sum as f64 >= limit;
        }
        let open = self.open_until.is_some_and(|until| second < until);
        if above {
            self.open_until = Some(second + 60);
        }
        Some(above && !open)
    }
}

#[test]
fn anomalies_open_when_a_model_that_remembers_everything_says_so() {
    let (mut by_ceiling, mut by_usual) = (0, 0);
    for seed in 1..=20 {
        let mut random = Random(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
        let mut settings = Settings::off();
        let setting = &mut settings.bytes_out;
        setting.mode = detect::Mode::On;
        setting.thresholds.floor_in_10s = FLOOR;
        setting.thresholds.ceiling_in_10s = CEILING;
        setting.thresholds.learning = HOUR * LEARNING_HOURS as u32;
        let mut detectors = Detectors::new(settings);
        let mut model = Model::default();
        let mut second = 0;
        let busy_hour = random.below(24);
        while second < 60 * 3600 {
            second += [1, 1, 2, 7, 40, 170][random.below(6) as usize];
            let scale = if second / 3600 % 24 == busy_hour {
                20_000
            } else {
                300
            };
            let bytes = match random.below(1000) {
                0 => random.below(20 * scale),
                1 => random.below(CEILING + CEILING / 2),
                2..250 => 0,
                _ => random.below(scale),
            };
            let Some(expected) = model.observe(second, bytes) else {
                break;
            };
            let now: Time = at(Duration::from_secs(second));
            let mut found = Vec::new();
            let seen = observation(|it| sends_bytes(it, bytes));
            detectors.observe(&seen, now, &mut found);
            let opened: Vec<_> = found
                .iter()
                .filter(|it| it.state == State::Opened)
                .collect();
            assert_eq!(
                !opened.is_empty(),
                expected,
                "seed {seed}, at {now}: {found:?}"
            );
            for opened in opened {
                let ceiling = opened.crossed.threshold == CEILING;
                by_ceiling += u32::from(ceiling);
                by_usual += u32::from(!ceiling);
                assert_eq!(opened.id.subject, SUBJECT);
            }
        }
    }
    assert!(
        by_ceiling > 10 && by_usual > 10,
        "{by_ceiling} and {by_usual}: the model tests little"
    );
}

//! How many ports of a destination were new to the pod of late.

use std::time::Duration;

use crate::{
    Time,
    window::{Window, within},
};

/// Ports by when they were new, within so many seconds. Most destinations have one, which takes no window.
#[derive(Clone, Debug, Default)]
pub(super) enum Few<const SECONDS: u64> {
    #[default]
    None,
    One(Time),
    Many(Box<Window>),
}

impl<const SECONDS: u64> Few<SECONDS> {
    const HORIZON: Duration = Duration::from_secs(SECONDS);

    /// Another one is new; how many there are by now.
    pub(super) fn enter(&mut self, at: Time) -> u32 {
        match self {
            Self::One(first) if within(Self::HORIZON, *first, at) => {
                let mut window = Box::new(Window::new(Self::HORIZON));
                window.enter(*first);
                window.enter(at);
                *self = Self::Many(window);
            }
            Self::None | Self::One(_) => *self = Self::One(at),
            Self::Many(window) => window.enter(at),
        }
        self.count(at)
    }

    pub(super) fn count(&self, now: Time) -> u32 {
        match self {
            Self::None => 0,
            Self::One(at) => within(Self::HORIZON, *at, now).into(),
            Self::Many(window) => window.count(now),
        }
    }

    /// Bytes it takes now, itself not counted.
    #[cfg(test)]
    pub(super) fn heap_bytes(&self) -> usize {
        match self {
            Self::None | Self::One(_) => 0,
            Self::Many(window) => size_of_val(&**window),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::MINUTE;

    #[test]
    fn ports_count_as_in_a_window_of_their_own() {
        let milliseconds = |at: u64| Time::from_nanoseconds(at * 1_000_000);
        for entered in [
            &[][..],
            &[500],
            &[500, 700],
            &[500, 61_000],
            &[500, 60_999, 90_000],
        ] {
            let (mut ports, mut window) = (Few::<60>::default(), Window::new(MINUTE));
            for &at in entered {
                window.enter(milliseconds(at));
                let count = window.count(milliseconds(at));
                assert_eq!(ports.enter(milliseconds(at)), count, "{entered:?}");
            }
            for now in [90_000, 120_999, 121_000, 150_999, 151_000, 200_000] {
                let now = milliseconds(now);
                assert_eq!(ports.count(now), window.count(now), "{entered:?} at {now}");
            }
        }
    }
}

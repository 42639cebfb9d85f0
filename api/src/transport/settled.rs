//! Tells when something that is looked at again and again has changed and stays so.

/// What was seen and what was told. A file that is being replaced may be away or half written for a moment,
/// so what is seen once is not believed yet.
#[derive(Debug)]
pub struct Settled<T> {
    seen: T,
    told: T,
}

impl<T: Clone + PartialEq> Settled<T> {
    /// Begins with what is known.
    pub fn on(known: T) -> Self {
        Self {
            seen: known.clone(),
            told: known,
        }
    }

    /// Whether this was seen twice in a row and is other than what was told last.
    pub fn is_news(&mut self, now: T) -> bool {
        let stays = now == self.seen;
        self.seen = now;
        if !stays || self.seen == self.told {
            return false;
        }
        self.told = self.seen.clone();
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_is_told_once() {
        let mut settled = Settled::on('a');
        let told: Vec<_> = "aabacccbbba"
            .chars()
            .map(|it| settled.is_news(it))
            .collect();
        let at: Vec<_> = (0..told.len()).filter(|it| told[*it]).collect();
        assert_eq!(at, [5, 8]);
    }
}

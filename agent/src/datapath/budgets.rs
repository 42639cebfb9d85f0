//! The budgets of a slot, renewed without losing what is spent meanwhile.

use std::sync::atomic::{
    AtomicI64,
    Ordering::{AcqRel, Relaxed},
};

use agent_common::Slot;
use detect::Budget;

/// What the budgets of a slot were when it was last drained.
#[derive(Debug, Default)]
pub(super) struct Budgets {
    /// None while nobody knows what was spent: then there is nothing to keep.
    ports: Option<i64>,
    refused: Option<i64>,
    overdrawn: bool,
}

impl Budgets {
    /// Those of a slot that was just reset.
    pub(super) const fn fresh() -> Self {
        Self {
            ports: Some(UNLIMITED),
            refused: Some(UNLIMITED),
            overdrawn: false,
        }
    }

    /// Remembers them. To be called before the sets are taken: the programs set a port's bit before they
    /// spend, so what is not in the sets is spent later than this.
    pub(super) fn drained(&mut self, slot: &Slot) {
        self.ports = Some(slot.budget.load(Relaxed));
        self.refused = Some(slot.refusal_budget.load(Relaxed));
        self.overdrawn = false;
    }

    /// Lets this much pass from the last drain on. When more has passed already, no program will tell of
    /// it: [`Self::overdrawn`] does.
    pub(super) fn renew(&mut self, slot: &Slot, budget: Budget) {
        let ports = renew(&slot.budget, &mut self.ports, budget.ports);
        let refused = renew(&slot.refusal_budget, &mut self.refused, budget.refused);
        self.overdrawn |= ports <= 0 || refused <= 0;
    }

    pub(super) const fn overdrawn(&self) -> bool {
        self.overdrawn
    }
}

/// Beyond what can be spent.
pub(super) const UNLIMITED: i64 = i64::MAX;

/// What is left of it.
fn renew(cell: &AtomicI64, then: &mut Option<i64>, budget: u32) -> i64 {
    let budget = i64::from(budget);
    match then.replace(budget) {
        Some(then) => {
            let more = budget.wrapping_sub(then);
            cell.fetch_add(more, AcqRel).wrapping_add(more)
        }
        None => {
            cell.store(budget, Relaxed);
            budget
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_spent_since_the_drain_stays_spent() {
        let cell = AtomicI64::new(UNLIMITED);
        let mut then = Some(UNLIMITED);
        cell.fetch_sub(2, Relaxed);
        assert_eq!(renew(&cell, &mut then, 10), 8);
        cell.fetch_sub(3, Relaxed);
        assert_eq!(renew(&cell, &mut then, 20), 15, "of the same drain");
        assert_eq!(renew(&cell, &mut then, 4), -1, "overdrawn");
        then = Some(cell.load(Relaxed));
        assert_eq!(renew(&cell, &mut then, 4), 4, "drained since");
        assert_eq!(renew(&cell, &mut None, 7), 7, "nobody knows");
    }
}

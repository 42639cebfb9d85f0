//! How a real slot differs from the model, for people.

use std::{
    fmt::{Debug, Write},
    sync::atomic::Ordering::Relaxed,
};

use agent_common::{Record, Sample, Slot};

use super::{
    model::Model,
    store::{Content, Group},
};

/// Values shown of one field.
const SHOWN: usize = 8;

impl Model {
    /// What the kernel's slot holds that this does not, and the other way round; one line a field.
    #[must_use]
    pub fn difference(&self, slot: &Slot) -> Option<String> {
        let mut said = String::new();
        let budgets = [
            ("budget", slot.budget.load(Relaxed), self.budget),
            (
                "refusal_budget",
                slot.refusal_budget.load(Relaxed),
                self.refusal_budget,
            ),
        ];
        for (name, kernel, oracle) in budgets {
            if kernel != oracle {
                said += &format!("{name}: kernel {kernel}, oracle {oracle}\n");
            }
        }
        for group in self.groups(slot) {
            let pairs = group.cells.iter().zip(group.words);
            if !pairs
                .clone()
                .all(|(cell, word)| cell.load(Relaxed) == *word)
            {
                said += &describe(&group);
            }
        }
        (!said.is_empty()).then_some(said)
    }

    /// How records that the kernel wrote differ from those that this did, which it forgets.
    #[must_use]
    pub fn difference_in_records(&mut self, kernel: &[Record]) -> Option<String> {
        let oracle = std::mem::take(&mut self.written);
        let told = |record: &Record| Record {
            time_ns: 0,
            slot: 0,
            epoch: 0,
            ..*record
        };
        first_difference(
            "record",
            &kernel.iter().map(told).collect::<Vec<_>>(),
            &oracle,
        )
    }

    /// The same for samples.
    #[must_use]
    pub fn difference_in_samples(&mut self, kernel: &[Sample]) -> Option<String> {
        let oracle = std::mem::take(&mut self.sampled);
        let told = |sample: &Sample| Sample {
            time_ns: 0,
            slot: 0,
            epoch: 0,
            ..*sample
        };
        first_difference(
            "sample",
            &kernel.iter().map(told).collect::<Vec<_>>(),
            &oracle,
        )
    }
}

fn first_difference<T: Debug + PartialEq>(
    name: &str,
    kernel: &[T],
    oracle: &[T],
) -> Option<String> {
    let differs = (0..kernel.len().max(oracle.len()))
        .find(|&index| kernel.get(index) != oracle.get(index))?;
    Some(format!(
        "{name} {differs}: kernel {:?}\n          oracle {:?}\n(kernel wrote {}, oracle {})\n",
        kernel.get(differs),
        oracle.get(differs),
        kernel.len(),
        oracle.len(),
    ))
}

fn describe(group: &Group<'_>) -> String {
    let mut said = format!("{}:", group.name);
    let differing = group
        .cells
        .iter()
        .zip(group.words)
        .enumerate()
        .map(|(index, (cell, &word))| (index, cell.load(Relaxed), word))
        .filter(|(_, kernel, oracle)| kernel != oracle);
    for (index, kernel, oracle) in differing.take(SHOWN) {
        // Writing to a string does not fail.
        let written = match group.content {
            Content::Number => write!(said, " kernel {kernel}, oracle {oracle}"),
            Content::Words => write!(said, " [{index}] kernel {kernel:#x}, oracle {oracle:#x};"),
            Content::Bits => write!(
                said,
                " only kernel {:?}, only oracle {:?};",
                bits(index, kernel & !oracle),
                bits(index, oracle & !kernel)
            ),
        };
        debug_assert!(written.is_ok(), "a string takes it all");
    }
    said + "\n"
}

fn bits(index: usize, word: u64) -> Vec<usize> {
    let set = (0..64).filter(|bit| word >> bit & 1 != 0);
    set.map(|bit| index * 64 + bit).take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    #![expect(unsafe_code, reason = "a slot is only ever made of zeros")]

    use agent_common::Slot;

    use super::*;
    use crate::packet::{SYN, Tcp, from_pod};

    fn empty_slot() -> Box<Slot> {
        let slot = Box::<Slot>::new_zeroed();
        // SAFETY: made of atomics only, of which zeros are valid.
        unsafe { slot.assume_init() }
    }

    #[test]
    fn a_model_agrees_with_what_it_stored_and_names_what_changed() {
        let slot = empty_slot();
        let mut model = Model::new(7, 100);
        model.store(&slot);
        assert_eq!(model.difference(&slot), None);
        model.from_pod(&from_pod(&Tcp {
            port: 443,
            flags: SYN,
            ..Tcp::default()
        }));
        let said = model.difference(&slot).unwrap();
        for expected in [
            "tcp.window: only kernel [], only oracle [443];",
            "initiated Syn: kernel 0, oracle 1",
            "counter NewPorts: kernel 0, oracle 1",
            "packets FromPod Tcp: kernel 0, oracle 1",
        ] {
            assert!(said.contains(expected), "{said}");
        }
        model.store(&slot);
        assert_eq!(model.difference(&slot), None);
        let said = model.difference_in_records(&[]).unwrap();
        assert!(said.contains("kernel wrote 0, oracle 1"), "{said}");
        assert_eq!(model.difference_in_records(&[]), None);
    }
}

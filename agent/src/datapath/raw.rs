//! Slots, records and samples as the programs leave them, for who compares them with something else.

use agent_common::{Record, Sample, Settings, Slot};
use detect::Subject;

use super::Datapath;

impl Datapath {
    /// The slot of a watched interface; whoever changes it changes what the programs know.
    #[must_use]
    pub fn slot(&self, subject: Subject) -> Option<&Slot> {
        let watched = self.watched.get(&subject.ifindex)?;
        (watched.subject == subject).then(|| self.slots.slot(watched.slot))
    }

    /// The secret seed of all hashes.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        self.programs.seed
    }

    /// What the programs are told at run time.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings.elements()[0]
    }

    /// Takes the records that no drain has received yet, of all slots.
    pub fn take_records(&mut self) -> Vec<Record> {
        self.wakeups.clear();
        std::iter::from_fn(|| self.ring.next()).collect()
    }

    /// Takes the samples that no drain has received yet, of all slots.
    pub fn take_samples(&mut self) -> Vec<Sample> {
        let mut taken = Vec::new();
        while let Some(item) = self.samples.0.next() {
            let bytes = <&[u8; size_of::<Sample>()]>::try_from(&*item);
            taken.extend(bytes.map(Sample::from_bytes));
        }
        taken
    }
}

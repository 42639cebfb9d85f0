//! Slots for packets that are run, not sent: nothing is attached, and time is whatever the caller says.

use detect::{Subject, Time};

use super::{Datapath, DatapathError, Watched, drain::Tally, link::Links, records::Inbox};
use crate::whose::Whose;

impl Datapath {
    /// Gives the interface a slot, for what an [`Injector`](super::Injector) runs on it.
    ///
    /// # Errors
    ///
    /// When all slots are taken.
    pub fn watch_unattached(&mut self, ifindex: u32) -> Result<Subject, DatapathError> {
        let (slot, subject) = self.slots.assign(ifindex, Whose::Pod)?;
        self.inbox.open(slot, subject);
        self.watched.insert(
            ifindex,
            Watched {
                subject,
                slot,
                whose: Whose::Pod,
                links: Links::default(),
                tally: Tally::fresh(),
            },
        );
        Ok(subject)
    }

    /// Takes in what the programs recorded as if it had passed at `at`; whether a budget is spent.
    pub fn receive_at(&mut self, at: Time) -> bool {
        self.wakeups.clear();
        self.inbox.receive_at(&mut self.ring, at);
        self.inbox.receive_samples_at(&mut self.samples.0, at);
        self.watched
            .values()
            .any(|watched| Inbox::tripped(&self.inbox, watched.slot))
    }
}

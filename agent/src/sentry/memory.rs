//! What the next agent should know of interfaces, pods and services.

use super::Sentry;
use crate::{datapath::monotonic, identity::Remembered};

impl Sentry {
    pub(super) fn remember(&mut self) {
        let is_due = self.remembering.is_due(monotonic());
        let Some(to) = self.remembering.to.as_ref().filter(|_| is_due) else {
            return;
        };
        to.send_replace(Remembered {
            pods: self.ends.pods.borrow().clone(),
            interfaces: self.binder.known(),
            services: self.ends.services.borrow().clone(),
        });
    }
}

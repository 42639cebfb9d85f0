//! Programs that others detached, or put theirs before.

use tracing::warn;

use super::Sentry;
use crate::datapath::Repair;

impl Sentry {
    pub(super) fn reconcile(&mut self) {
        for (ifindex, repair) in self.datapath.reconcile() {
            let interface = self.roster.name_of(ifindex);
            match repair {
                Repair::Reattached => {
                    warn!(
                        interface,
                        "a program was detached by others, attached it again"
                    );
                }
                Repair::MovedFirst => {
                    warn!(
                        interface,
                        "programs of others ran before ours, moved it to the front"
                    );
                }
                Repair::Failed(error) => {
                    warn!(interface, %error, "a program was detached by others, and cannot be attached");
                }
            }
            self.metrics.repairs.inc();
        }
    }
}

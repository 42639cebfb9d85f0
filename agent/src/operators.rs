//! Tells whether an operator has signed what the collector relays, before the loop looks at it.

use std::{path::PathBuf, time::SystemTime};

use api::{
    command::{self, Verifier},
    v1::{self, command::Action},
};
use tokio::sync::mpsc;
use tracing::warn;

use crate::containment::{Deed, Order, Store};

/// Commands that wait for the loop.
pub const ORDERS: usize = 64;

/// Whom this agent obeys. The files are read anew for each command, since there are few.
#[derive(Clone, Debug, Default)]
pub struct Authority {
    /// Who certifies operators; without one nobody is obeyed.
    pub certificate: Option<PathBuf>,
    /// Which certificates are revoked.
    pub revocations: Option<PathBuf>,
}

/// What a person wants, or somebody who may not.
#[derive(Clone, Debug)]
pub enum Commanded {
    /// An operator has signed it.
    Order(Order),
    /// Nobody who may command has.
    Rejected {
        /// Of the command, as it says itself.
        id: String,
        /// Why.
        reason: String,
    },
}

/// Takes commands, and hands on what they are.
#[derive(Debug)]
pub struct Operators {
    /// Whom to obey.
    pub authority: Authority,
    /// The name of this node.
    pub node: String,
    /// What was issued before may have been obeyed by an agent before this one: see [`since`].
    pub since: SystemTime,
    /// What the collector relays.
    pub commands: mpsc::Receiver<v1::SignedCommand>,
    /// To the loop.
    pub orders: mpsc::Sender<Commanded>,
}

/// From when on commands are obeyed, of an agent that starts now. What was obeyed before is told by its sequence;
/// where nobody knows that any more, only what no clock can have called the future then is surely new.
#[must_use]
pub fn since(kept: Option<&Store>, now: SystemTime) -> SystemTime {
    match kept.map(Store::read) {
        Some(Ok(_)) => now,
        None | Some(Err(_)) => now + command::SKEW,
    }
}

impl Operators {
    /// Until nobody commands any more.
    pub async fn run(mut self) {
        while let Some(signed) = self.commands.recv().await {
            #[expect(clippy::disallowed_methods, reason = "a command is of this moment")]
            let now = SystemTime::now();
            let commanded = self.judge(&signed, now);
            if let Commanded::Rejected { id, reason } = &commanded {
                warn!(id, reason, "a command is not obeyed");
            }
            if self.orders.send(commanded).await.is_err() {
                return;
            }
        }
    }

    fn judge(&self, signed: &v1::SignedCommand, now: SystemTime) -> Commanded {
        match self.order(signed, now) {
            Ok(order) => Commanded::Order(order),
            Err(reason) => Commanded::Rejected {
                id: command::said(signed).unwrap_or_default().id,
                reason,
            },
        }
    }

    fn order(&self, signed: &v1::SignedCommand, now: SystemTime) -> Result<Order, String> {
        let Some(certificate) = &self.authority.certificate else {
            return Err(
                "this agent obeys no commands, for it knows no operators: give it --operator-ca"
                    .into(),
            );
        };
        let verifier = Verifier::read(certificate, self.authority.revocations.as_deref());
        let verifier = verifier.map_err(|error| error.to_string())?;
        let verified = verifier.verify(signed, &self.node, now);
        let verified = verified.map_err(|error| error.to_string())?;
        let issued = verified.issued_at;
        if issued < self.since {
            return Err(
                "it was issued before this agent started, or just after; give it again in a minute"
                    .into(),
            );
        }
        let command = verified.command;
        let deed = match command.action {
            Some(Action::Contain(contain)) => {
                let lease = contain.lease.and_then(|it| it.try_into().ok());
                Deed::Contain(lease.unwrap_or_default())
            }
            Some(Action::Release(v1::Release {})) => Deed::Release,
            None => return Err("it commands nothing that this agent knows".into()),
        };
        Ok(Order {
            id: command.id,
            operator: verified.operator,
            sequence: command.sequence,
            namespace: command.namespace,
            pod: command.pod,
            uid: command.uid,
            reason: command.reason,
            deed,
        })
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "certificates are of this moment")]
mod tests {
    use std::{fs, time::Duration};

    use api::{
        certificates::{Authority as Certifier, LEAF_DAYS, Purpose},
        command::{LONGEST_LIFE, SKEW, Signer},
        principal::Principal,
    };

    use super::*;

    struct Anna {
        _folder: tempfile::TempDir,
        authority: PathBuf,
        signer: Signer,
        now: SystemTime,
    }

    impl Anna {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let now = SystemTime::now();
            let authority = Certifier::create(folder.path(), 10, now).unwrap();
            let purpose = Purpose::Client(Principal::Operator("anna"));
            let own = authority.issue(purpose, LEAF_DAYS, now).unwrap();
            Self {
                authority: authority.certificate(),
                signer: Signer::read(&own.certificate, &own.key).unwrap(),
                now,
                _folder: folder,
            }
        }

        fn commands(&self, action: Option<Action>, issued: SystemTime) -> v1::SignedCommand {
            let command = v1::Command {
                node: "n1".into(),
                namespace: "blue".into(),
                pod: "app".into(),
                uid: "uid".into(),
                action,
                ..v1::Command::default()
            };
            self.signer.sign(command, issued, LONGEST_LIFE).unwrap()
        }
    }

    fn operators(certificate: Option<PathBuf>, since: SystemTime) -> Operators {
        Operators {
            authority: Authority {
                certificate,
                revocations: None,
            },
            node: "n1".into(),
            since,
            commands: mpsc::channel(1).1,
            orders: mpsc::channel(1).0,
        }
    }

    #[test]
    fn what_an_operator_has_signed_since_the_start_is_an_order_and_nothing_else_is() {
        let anna = Anna::new();
        let second = Duration::from_secs(1);
        let own = || Some(anna.authority.clone());
        let release = || Some(Action::Release(v1::Release {}));
        for (authority, since, action, expected) in [
            (own(), anna.now - second, release(), Ok(Deed::Release)),
            (own(), anna.now, release(), Ok(Deed::Release)),
            (
                own(),
                anna.now + second,
                release(),
                Err("before this agent"),
            ),
            (own(), anna.now, None, Err("commands nothing")),
            (None, anna.now, release(), Err("give it --operator-ca")),
            (
                Some("/nowhere/ca.crt".into()),
                anna.now,
                release(),
                Err("/nowhere/ca.crt"),
            ),
        ] {
            let signed = anna.commands(action, anna.now);
            let judged = operators(authority, since).judge(&signed, anna.now);
            match (judged, expected) {
                (Commanded::Order(order), Ok(deed)) => {
                    assert_eq!((&order.operator[..], order.deed), ("anna", deed));
                }
                (Commanded::Rejected { id, reason }, Err(expected)) => {
                    assert!(!id.is_empty() && reason.contains(expected), "{reason}");
                }
                (judged, expected) => panic!("{judged:?} is not {expected:?}"),
            }
        }
    }

    #[test]
    fn where_nobody_knows_what_was_obeyed_a_clock_that_is_ahead_replays_nothing() {
        let anna = Anna::new();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("containments.json");
        let store = Store::at(path.clone());
        assert_eq!(since(Some(&store), anna.now), anna.now, "nothing was");
        fs::write(&path, "two words").unwrap();
        for kept in [None, Some(&store)] {
            let since = since(kept, anna.now);
            // Just obeyed, by an agent that was killed then, and from a clock as far ahead as may be.
            let ahead = anna.now + SKEW - Duration::from_millis(1);
            let signed = anna.commands(Some(Action::Release(v1::Release {})), ahead);
            let judged = operators(Some(anna.authority.clone()), since).judge(&signed, anna.now);
            assert!(matches!(judged, Commanded::Rejected { .. }), "{judged:?}");
        }
    }
}

//! Tells whether an operator has signed what the collector relays, before the loop looks at it.

use std::{path::PathBuf, time::SystemTime};

use api::{
    command::{self, Verifier},
    v1::{self, command::Action},
};
use tokio::sync::mpsc;
use tracing::warn;

use crate::containment::{Deed, Order};

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
    /// When the agent started: what was commanded before may have been obeyed by another one.
    pub started: SystemTime,
    /// What the collector relays.
    pub commands: mpsc::Receiver<v1::SignedCommand>,
    /// To the loop.
    pub orders: mpsc::Sender<Commanded>,
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
        if issued < self.started {
            return Err("it was issued before this agent started; give it again".into());
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

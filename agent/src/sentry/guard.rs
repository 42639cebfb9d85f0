//! Containment as the loop has it: the state machine, its orders, and the file that it is kept in.

use api::pods::Pods;
use tokio::{
    sync::{mpsc, watch},
    task::{JoinHandle, spawn_blocking},
};
use tracing::{info, warn};

use super::roster::Roster;
use crate::{
    boot,
    containment::{Containment, Kept, Store, Suspect},
    deliver::Outcomes,
    identity::Binder,
    operators::Commanded,
};

/// What containment takes from others, and gives to them.
#[derive(Debug)]
pub struct Orders {
    /// What people command.
    pub commanded: mpsc::Receiver<Commanded>,
    /// What became of it.
    pub outcomes: Outcomes,
    /// Where it is kept what is contained.
    pub kept: Option<Store>,
}

/// The state machine, and the file that it is kept in.
#[derive(Debug)]
pub(super) struct Guard {
    pub(super) machine: Containment,
    pub(super) orders: Orders,
    pub(super) boot: String,
    /// Whether all interfaces that were there at the start are known.
    pub(super) is_synchronized: bool,
    kept: watch::Sender<Kept>,
    writing: Option<JoinHandle<()>>,
}

impl Guard {
    pub(super) fn new(machine: Containment, orders: Orders) -> Self {
        let (kept, keep) = watch::channel(Kept::default());
        let writing = orders.kept.clone();
        Self {
            machine,
            boot: boot::id(),
            is_synchronized: false,
            kept,
            writing: writing.map(|store| tokio::spawn(write(store, keep))),
            orders,
        }
    }

    /// What an agent before this one kept. Without a good file the kernel alone says what is contained.
    pub(super) fn read(&self) -> Kept {
        let Some(store) = &self.orders.kept else {
            return Kept::default();
        };
        match store.read() {
            Ok(kept) => kept.unwrap_or_default(),
            Err(error) => {
                warn!(%error, "starting without what was contained before");
                Kept::default()
            }
        }
    }

    /// Has it written, at once but beside this loop.
    pub(super) fn keep(&self) {
        self.kept.send_replace(self.machine.kept(&self.boot));
    }

    /// Waits until all is written.
    pub(super) async fn finish(self) {
        let Self { kept, writing, .. } = self;
        drop(kept);
        if let Some(writing) = writing
            && let Err(error) = writing.await
        {
            warn!(%error, "what is contained may not be kept");
        }
    }

    /// Everybody who is watched, as he is known now.
    pub(super) fn suspects<'a>(
        roster: &Roster,
        binder: &Binder,
        pods: &'a Pods,
    ) -> Vec<Suspect<'a>> {
        let subjects = roster.subjects().into_iter();
        subjects
            .map(|subject| {
                let pod = binder.pod(subject, pods);
                Suspect { subject, pod }
            })
            .collect()
    }
}

async fn write(store: Store, mut kept: watch::Receiver<Kept>) {
    let mut trouble = None;
    while kept.changed().await.is_ok() {
        let now = kept.borrow_and_update().clone();
        let to = store.clone();
        let wrote = spawn_blocking(move || to.write(&now)).await;
        let said = match wrote {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(error) => Some(error.to_string()),
        };
        if let Some(error) = said.as_ref().filter(|_| trouble != said) {
            warn!(error, "what is contained is not kept over a restart");
        }
        trouble = said;
    }
    info!(file = %store.path().display(), "kept what is contained");
}

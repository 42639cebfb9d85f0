//! Asks whose a token is, within bounds, and remembers for a while.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use ring::digest::{SHA256, digest};
use tokio::{sync::Semaphore, time::timeout};

use super::review::{ReviewError, ServiceAccount};

/// How long an answer holds; a token that is revoked meanwhile still opens streams.
const REMEMBERED: Duration = Duration::from_secs(60);
/// Answers remembered; Kubernetes supports 5,000 nodes.
const MOST: usize = 8192;
/// Questions at once.
const QUESTIONS: usize = 16;
/// How long one may take, with the wait for its turn.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Reviewer {
    account: ServiceAccount,
    turns: Semaphore,
    /// By the SHA-256 of the token: until when, and the node.
    known: Mutex<HashMap<[u8; 32], (Instant, String)>>,
}

impl Reviewer {
    pub(super) fn new(account: ServiceAccount) -> Self {
        Self {
            account,
            turns: Semaphore::new(QUESTIONS),
            known: Mutex::default(),
        }
    }

    /// The node whose agent has this token. Only what was answered so is remembered.
    pub(super) async fn node(&self, token: &str, now: Instant) -> Result<String, ReviewError> {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        if let Some((until, node)) = self.lock().get(&hash)
            && now < *until
        {
            return Ok(node.clone());
        }
        let asked = timeout(PATIENCE, async {
            // It is never closed.
            let _turn = self.turns.acquire().await;
            self.account.review(token).await
        });
        let late = |_| ReviewError::Away(format!("it did not answer within {PATIENCE:?}"));
        let node = asked.await.map_err(late)??;
        let mut known = self.lock();
        if known.len() >= MOST {
            known.retain(|_, (until, _)| now < *until);
        }
        if known.len() < MOST {
            known.insert(hash, (now + REMEMBERED, node.clone()));
        }
        Ok(node)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<[u8; 32], (Instant, String)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

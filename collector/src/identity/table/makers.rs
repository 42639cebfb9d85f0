//! What makes pods, who made that, and which pods it made.

use std::collections::{BTreeSet, HashMap};

use api::v1;

/// Those that were made by something else, in all.
const MOST: usize = 200_000;

/// There is no room for one more.
#[derive(Debug)]
pub(crate) struct Full;

/// By uid.
#[derive(Debug, Default)]
pub(super) struct Makers {
    made: HashMap<String, Made>,
    /// Uids of pods.
    pods: HashMap<String, BTreeSet<String>>,
}

#[derive(Debug)]
struct Made {
    /// Of what kind it is.
    kind: &'static str,
    by: v1::Owner,
}

impl Makers {
    /// Who made it.
    pub(super) fn maker_of(&self, uid: &str) -> Option<&v1::Owner> {
        self.made.get(uid).map(|it| &it.by)
    }

    /// The pods that it made; none when that it was made so was known.
    pub(super) fn made(
        &mut self,
        kind: &'static str,
        uid: &str,
        by: v1::Owner,
    ) -> Result<Vec<String>, Full> {
        let known = self.maker_of(uid);
        if known == Some(&by) {
            return Ok(Vec::new());
        }
        if known.is_none() && self.made.len() >= MOST {
            return Err(Full);
        }
        self.made.insert(uid.to_owned(), Made { kind, by });
        let pods = self.pods.get(uid).into_iter().flatten();
        Ok(pods.cloned().collect())
    }

    /// It is gone.
    pub(super) fn forget(&mut self, uid: &str) {
        self.made.remove(uid);
    }

    /// All of the kind are gone but these.
    pub(super) fn keep(&mut self, kind: &'static str, seen: &BTreeSet<String>) {
        let stays = |uid: &String, made: &mut Made| made.kind != kind || seen.contains(uid);
        self.made.retain(stays);
    }

    /// It made this pod.
    pub(super) fn adopt(&mut self, uid: &str, pod: &str) {
        if !uid.is_empty() {
            let pods = self.pods.entry(uid.to_owned()).or_default();
            pods.insert(pod.to_owned());
        }
    }

    /// This pod is not its own any more.
    pub(super) fn disown(&mut self, uid: &str, pod: &str) {
        if let Some(pods) = self.pods.get_mut(uid) {
            pods.remove(pod);
            if pods.is_empty() {
                self.pods.remove(uid);
            }
        }
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.made.is_empty() && self.pods.is_empty()
    }
}

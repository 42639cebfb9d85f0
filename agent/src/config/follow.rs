//! Reads the configuration file again when it changes, while the agent runs.

use std::{fs, path::PathBuf, time::Duration};

use clap::ArgMatches;
use tokio::{sync::watch, time::interval};
use tracing::{info, warn};

use super::{file::File, sources::Sources};
use crate::policy::Policy;

/// A mounted ConfigMap changes by a link, which no notification of a file tells.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Follows what the file says of the detectors: `silence`, `detectors`, `scopes` and `exceptions`. Whatever
/// else it says is read once, at the start.
#[derive(Debug)]
pub struct Follower {
    matches: ArgMatches,
    path: PathBuf,
    text: String,
}

impl Follower {
    /// None when no file is given.
    #[must_use]
    pub fn new(matches: &ArgMatches) -> Option<Self> {
        let path = PathBuf::from(matches.get_one::<String>("config")?);
        let text = fs::read_to_string(&path).unwrap_or_default();
        Some(Self {
            matches: matches.clone(),
            path,
            text,
        })
    }

    /// Sends each new policy; one that cannot be used is told of, and the last one stays.
    pub async fn run(mut self, policy: watch::Sender<Policy>) {
        let mut look = interval(LOOK_EVERY);
        loop {
            look.tick().await;
            // A file that is being replaced may be away for a moment.
            let Ok(text) = fs::read_to_string(&self.path) else {
                continue;
            };
            if text == self.text {
                continue;
            }
            self.text = text;
            let file = File::of(&self.path, &self.text);
            let read = file.and_then(|file| {
                let matches = &self.matches;
                Sources { matches, file }.policy()
            });
            match read {
                Ok(fresh) => {
                    info!(file = %self.path.display(), "the detectors are set anew");
                    policy.send_replace(fresh);
                }
                Err(error) => {
                    warn!(%error, "the detectors stay as they were set before");
                }
            }
        }
    }
}

//! Reads the configuration file again when it changes, while the agent runs.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use api::policy::{AGENT_KEYS, Policy, Refused, Time};
use clap::ArgMatches;
use tokio::{sync::mpsc, time::interval};

/// A mounted ConfigMap changes by a link, which no notification of a file tells.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Follows what the file says of the detectors: `silence`, `detectors`, `scopes`, `exceptions` and `containment`.
/// Whatever else it says is read once, at the start.
#[derive(Debug)]
pub struct Follower {
    path: PathBuf,
    text: String,
}

impl Follower {
    /// None when no file is given.
    #[must_use]
    pub fn new(matches: &ArgMatches) -> Option<Self> {
        let path = PathBuf::from(matches.get_one::<String>("config")?);
        let text = fs::read_to_string(&path).unwrap_or_default();
        Some(Self { path, text })
    }

    /// Sends what each change makes, until nobody takes it.
    pub async fn run(mut self, changes: mpsc::Sender<Result<Policy, Refused>>) {
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
            #[expect(
                clippy::disallowed_methods,
                reason = "an exception must not have ended"
            )]
            let now = SystemTime::now();
            let name = self.path.display().to_string();
            let read = Policy::read(&name, &self.text, Time::New { now }, AGENT_KEYS);
            if changes.send(read).await.is_err() {
                return;
            }
        }
    }
}

//! The file of subscribers: who they are, and what each may see.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use api::{
    principal,
    transport::{self, Peer, Reread, SecretError, Settled, Tally, WeakPeer},
};
use ring::digest::{SHA256, digest};
use serde::Deserialize;
use subtle::ConstantTimeEq as _;
use tokio::time::interval;

/// A mounted secret changes by a link, which no notification of a file tells.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Shorter tokens are guessed.
const SHORTEST_TOKEN: usize = 16;
/// Connections of one subscriber that are remembered before those that are gone are forgotten.
const PEERS: usize = 64;

/// Why there are no subscribers.
#[derive(Debug, thiserror::Error)]
pub enum SubscribersError {
    /// The file cannot be read.
    #[error("cannot read the subscribers {}: check the path given with --subscribers and its permissions", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It holds something else.
    #[error("cannot use the subscribers {}: {reason}", path.display())]
    Nonsense {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A token cannot be used.
    #[error(transparent)]
    Token(#[from] SecretError),
}

/// All subscribers; nobody by default.
#[derive(Clone, Debug, Default)]
pub struct Subscribers {
    path: Option<PathBuf>,
    all: Vec<Arc<Subscriber>>,
}

/// One subscriber.
pub(super) struct Subscriber {
    name: String,
    certificate: bool,
    /// SHA-256 of it; the token itself is forgotten.
    token: Option<[u8; 32]>,
    /// None stands for all.
    namespaces: Option<Vec<String>>,
    rights: Rights,
    /// None once it is no subscriber any more.
    peers: Mutex<Option<Vec<WeakPeer>>>,
}

/// What a subscriber may change.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Rights {
    /// What is made of anomalies.
    triage: bool,
    /// How the detectors are set.
    detectors: bool,
}

impl fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Subscriber").field(&self.name).finish()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    subscribers: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    #[serde(default)]
    certificate: bool,
    /// Beside the file of subscribers, unless the path is absolute.
    token_file: Option<PathBuf>,
    namespaces: Namespaces,
    /// It says nothing of anomalies.
    #[serde(default)]
    read_only: bool,
    /// It sets the detectors of all nodes.
    #[serde(default)]
    detectors: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Namespaces {
    Word(String),
    Some(Vec<String>),
}

impl Subscribers {
    /// Reads the file and the tokens that it names.
    ///
    /// # Errors
    /// When one of them cannot be used.
    pub fn read(path: &Path) -> Result<Self, SubscribersError> {
        let text = fs::read_to_string(path).map_err(|source| SubscribersError::Read {
            path: path.into(),
            source,
        })?;
        let nonsense = |reason: String| SubscribersError::Nonsense {
            path: path.into(),
            reason,
        };
        let options = serde_saphyr::options! { with_snippet: false };
        let file: File = serde_saphyr::from_str_with_options(&text, options)
            .map_err(|error| nonsense(error.to_string()))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut all: Vec<Arc<Subscriber>> = Vec::new();
        for entry in file.subscribers {
            let name = entry.name.clone();
            let about = |what: &str| nonsense(format!("subscriber `{name}` {what}"));
            let subscriber = entry.subscriber(folder)?.map_err(about)?;
            for other in &all {
                if other.name == subscriber.name {
                    return Err(about("is there twice; give each a name of its own"));
                }
                if other.token.is_some() && other.token == subscriber.token {
                    return Err(about("has the token of another one; give each its own"));
                }
            }
            all.push(Arc::new(subscriber));
        }
        Ok(Self {
            path: Some(path.into()),
            all,
        })
    }

    /// Whose token it is. All are compared, each in constant time.
    pub(super) fn of_token(&self, token: &str) -> Option<Arc<Subscriber>> {
        let hash = hash(token);
        let mut found = None;
        for subscriber in &self.all {
            let same = subscriber.token.is_some_and(|it| it.ct_eq(&hash).into());
            if same {
                found = Some(Arc::clone(subscriber));
            }
        }
        found
    }

    /// The one of this name, if it may say so by a certificate.
    pub(super) fn of_certificate(&self, name: &str) -> Option<Arc<Subscriber>> {
        let mut all = self.all.iter();
        let found = all.find(|it| it.certificate && it.name == name);
        found.map(Arc::clone)
    }

    /// The one of this name, whatever it shows.
    pub(super) fn named(&self, name: &str) -> Option<Arc<Subscriber>> {
        self.all.iter().find(|it| it.name == name).map(Arc::clone)
    }

    /// Those that did not change are the same as before; the connections of the others end.
    fn replacing(self, before: &Self) -> Self {
        let mut fresh = self;
        for old in &before.all {
            match fresh.all.iter_mut().find(|it| it.same(old)) {
                Some(same) => *same = Arc::clone(old),
                None => old.dismiss(),
            }
        }
        fresh
    }
}

/// Reads the file again whenever it or a token in it changes.
pub(super) async fn follow(
    mut known: Arc<Subscribers>,
    tally: &dyn Tally,
    mut take: impl FnMut(Arc<Subscribers>),
) {
    let Some(path) = known.path.clone() else {
        return std::future::pending().await;
    };
    let said = |read: &Result<Subscribers, SubscribersError>| match read {
        Ok(it) => Ok(it.all.iter().map(|it| it.said()).collect::<Vec<_>>()),
        Err(error) => Err(error.to_string()),
    };
    let mut settled = Settled::on(Ok(known.all.iter().map(|it| it.said()).collect()));
    let mut look = interval(LOOK_EVERY);
    loop {
        look.tick().await;
        let read = Subscribers::read(&path);
        if !settled.is_news(said(&read)) {
            continue;
        }
        match read {
            Ok(fresh) => {
                let fresh = Arc::new(fresh.replacing(&known));
                known = Arc::clone(&fresh);
                take(fresh);
                tally.reread(Reread::Taken);
                tracing::info!(file = %path.display(), "the subscribers are set anew");
            }
            Err(error) => {
                tally.reread(Reread::Broken);
                tracing::warn!(%error, "new subscribers cannot be used, so those before stay");
            }
        }
    }
}

type Said = (String, bool, Option<[u8; 32]>, Option<Vec<String>>, Rights);

impl Subscriber {
    /// None stands for all.
    pub(super) fn namespaces(&self) -> Option<&[String]> {
        self.namespaces.as_deref()
    }

    /// What it is called.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it may say what became of anomalies.
    pub(super) const fn triages(&self) -> bool {
        self.rights.triage
    }

    /// Whether it may set the detectors.
    pub(super) const fn sets_detectors(&self) -> bool {
        self.rights.detectors
    }

    /// SHA-256 of its token; none when it has none.
    pub(super) const fn token(&self) -> Option<&[u8; 32]> {
        self.token.as_ref()
    }

    /// Remembers a connection of its.
    pub(super) fn met(&self, peer: &Peer) {
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(peers) = peers.as_mut() else {
            return peer.end();
        };
        if peers.len() >= PEERS && peers.len() == peers.capacity() {
            peers.retain(|it| it.upgrade().is_some());
        }
        if !peers.iter().any(|it| it.is(peer)) {
            peers.push(peer.downgrade());
        }
    }

    fn dismiss(&self) {
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        for peer in peers.take().into_iter().flatten() {
            if let Some(peer) = peer.upgrade() {
                peer.end();
            }
        }
    }

    fn said(&self) -> Said {
        let (name, namespaces) = (self.name.clone(), self.namespaces.clone());
        (name, self.certificate, self.token, namespaces, self.rights)
    }

    fn same(&self, other: &Self) -> bool {
        self.said() == other.said()
    }
}

impl Entry {
    fn subscriber(self, folder: &Path) -> Result<Result<Subscriber, &'static str>, SecretError> {
        let token = match &self.token_file {
            Some(file) => Some(transport::token(&folder.join(file))?),
            None => None,
        };
        let namespaces = match self.namespaces {
            Namespaces::Word(word) if word == "all" => None,
            Namespaces::Some(some) if !some.is_empty() => Some(some),
            _ => return Ok(Err("needs `namespaces: all`, or a list with at least one")),
        };
        if self.detectors && (self.read_only || namespaces.is_some()) {
            return Ok(Err(
                "cannot have `detectors: true` with `read_only: true` or with some namespaces: they are of all",
            ));
        }
        if !principal::is_name(&self.name) {
            return Ok(Err(
                "needs a name of letters, digits, dashes, dots and underscores",
            ));
        }
        if !self.certificate && token.is_none() {
            return Ok(Err(
                "has nothing to show: give it `certificate: true` or a token_file",
            ));
        }
        if token.as_ref().is_some_and(|it| it.len() < SHORTEST_TOKEN) {
            return Ok(Err(
                "has a token of less than 16 characters, which can be guessed",
            ));
        }
        Ok(Ok(Subscriber {
            name: self.name,
            certificate: self.certificate,
            token: token.as_deref().map(hash),
            namespaces,
            rights: Rights {
                triage: !self.read_only,
                detectors: self.detectors,
            },
            peers: Mutex::new(Some(Vec::new())),
        }))
    }
}

fn hash(token: &str) -> [u8; 32] {
    let digest = digest(&SHA256, token.as_bytes());
    let mut hash = [0; 32];
    hash.copy_from_slice(digest.as_ref());
    hash
}

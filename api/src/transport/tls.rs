//! A server's TLS: its certificate, whom it accepts, and new ones of both while it runs.

use std::{
    collections::HashMap,
    error::Error,
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};

use rustls::{
    RootCertStore, ServerConfig,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, UnixTime},
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
    version::TLS13,
};
use tokio::time::interval;

use super::{
    peer::Peer,
    refused::{Reread, Tally},
    secret::{Kind, Secret, SecretError},
    settled::Settled,
};

/// A mounted secret changes by a link, which no notification of a file tells.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// HTTP/2, which gRPC is spoken over.
pub(super) const PROTOCOL: &[u8] = b"h2";

/// What gRPC is spoken over.
pub const GRPC: &[&[u8]] = &[PROTOCOL];

/// What browsers speak.
pub const HTTP: &[&[u8]] = &[PROTOCOL, b"http/1.1"];

/// Where a server's secrets are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TlsFiles {
    /// Its certificate, followed by those that signed it.
    pub certificate: PathBuf,
    /// The private key of that.
    pub key: PathBuf,
    /// Who signs the certificates of clients; without it no client can show one.
    pub client_ca: Option<PathBuf>,
    /// Which of them are revoked.
    pub crl: Option<PathBuf>,
}

/// A server's TLS. Clones share it.
#[derive(Clone)]
pub struct Tls(Arc<Shared>);

struct Shared {
    files: TlsFiles,
    material: RwLock<Arc<Material>>,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    next: u64,
    peers: HashMap<u64, Shown>,
}

/// A connection whose peer showed a certificate.
struct Shown {
    chain: Vec<CertificateDer<'static>>,
    peer: Peer,
}

/// What the files said.
pub(super) struct Material {
    secrets: Secrets,
    config: ServerConfig,
    verifier: Option<Arc<dyn ClientCertVerifier>>,
}

#[derive(Clone, Eq, PartialEq)]
struct Secrets {
    certificate: Secret,
    key: Secret,
    client_ca: Option<Secret>,
    crl: Option<Secret>,
}

/// A connection that is ended when its peer's certificate is no longer accepted. Dropping it forgets it.
pub(super) struct Admission {
    tls: Tls,
    number: u64,
}

impl fmt::Debug for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Admission").field(&self.number).finish()
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tls").field(&self.0.files).finish()
    }
}

/// The one implementation of cryptography.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

impl Tls {
    /// Reads all files.
    ///
    /// # Errors
    /// When one cannot be read or used, or the key is of another certificate.
    pub fn load(files: TlsFiles) -> Result<Self, SecretError> {
        let material = Material::of(Secrets::read(&files)?)?;
        Ok(Self(Arc::new(Shared {
            files,
            material: RwLock::new(Arc::new(material)),
            open: Mutex::default(),
        })))
    }

    pub(super) fn material(&self) -> Arc<Material> {
        let material = self.0.material.read();
        Arc::clone(&material.unwrap_or_else(PoisonError::into_inner))
    }

    /// Remembers a connection that was made under some material; ends it when that is out of date already
    /// and the certificate with it.
    pub(super) fn admit(
        &self,
        chain: &[CertificateDer<'_>],
        peer: Peer,
        under: &Arc<Material>,
    ) -> Admission {
        let mut open = self.open();
        let current = self.material();
        let shown = Shown {
            chain: chain.iter().map(|it| it.clone().into_owned()).collect(),
            peer,
        };
        if !Arc::ptr_eq(under, &current) && !current.accepts(&shown.chain) {
            shown.peer.end();
        }
        let number = open.next;
        open.next += 1;
        open.peers.insert(number, shown);
        Admission {
            tls: self.clone(),
            number,
        }
    }

    /// Reads the files again whenever they change. What cannot be used is told of once, and what was before
    /// stays. Connections whose certificate is no longer accepted are ended.
    pub async fn follow(self, tally: Arc<dyn Tally>) {
        self.material().secrets.key.warn_if_exposed();
        let mut look = interval(LOOK_EVERY);
        let mut settled = Settled::on(Ok(self.material().secrets.clone()));
        loop {
            look.tick().await;
            let read = Secrets::read(&self.0.files);
            let told = read.as_ref().map(Clone::clone).map_err(ToString::to_string);
            if !settled.is_news(told) {
                continue;
            }
            match read.and_then(Material::of) {
                Ok(material) => {
                    let ended = self.replace(material);
                    tally.reread(Reread::Taken);
                    self.material().secrets.key.warn_if_exposed();
                    let certificate = self.0.files.certificate.display();
                    tracing::info!(%certificate, ended, "TLS is set anew");
                }
                Err(error) => {
                    tally.reread(Reread::Broken);
                    let error = &error as &dyn Error;
                    tracing::warn!(
                        error,
                        "new secrets cannot be used, so those before stay in use"
                    );
                }
            }
        }
    }

    /// How many connections that ended.
    fn replace(&self, material: Material) -> usize {
        let material = Arc::new(material);
        {
            let mut current = self
                .0
                .material
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            *current = Arc::clone(&material);
        }
        let open = self.open();
        let refused = open
            .peers
            .values()
            .filter(|it| !material.accepts(&it.chain));
        refused.inspect(|it| it.peer.end()).count()
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.tls.open().peers.remove(&self.number);
    }
}

impl Secrets {
    fn read(files: &TlsFiles) -> Result<Self, SecretError> {
        let some = |kind, path: &Option<PathBuf>| {
            let read = path.as_ref().map(|it| Secret::read(kind, it));
            read.transpose()
        };
        Ok(Self {
            certificate: Secret::read(Kind::Certificate, &files.certificate)?,
            key: Secret::read(Kind::Key, &files.key)?,
            client_ca: some(Kind::Authority, &files.client_ca)?,
            crl: some(Kind::Revocations, &files.crl)?,
        })
    }
}

impl Material {
    fn of(secrets: Secrets) -> Result<Self, SecretError> {
        let verifier = secrets.verifier()?;
        let builder = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])
            .map_err(|error| secrets.certificate.nonsense(error.to_string()))?;
        let builder = match &verifier {
            Some(verifier) => builder.with_client_cert_verifier(Arc::clone(verifier)),
            None => builder.with_no_client_auth(),
        };
        let certificates = secrets.certificate.certificates()?;
        let mut config = builder
            .with_single_cert(certificates, secrets.key.key()?)
            .map_err(|error| secrets.key.nonsense(unfit(&error)))?;
        // Who resumes with a ticket shows no certificate again, so a revoked one would live on.
        config.send_tls13_tickets = 0;
        Ok(Self {
            secrets,
            config,
            verifier,
        })
    }

    /// For peers that speak one of these, the first rather than the next.
    pub(super) fn offering(&self, protocols: &[&[u8]]) -> Arc<ServerConfig> {
        let mut config = self.config.clone();
        config.alpn_protocols = protocols.iter().map(|it| it.to_vec()).collect();
        Arc::new(config)
    }

    fn accepts(&self, chain: &[CertificateDer<'_>]) -> bool {
        let (Some(verifier), Some((end, rest))) = (&self.verifier, chain.split_first()) else {
            return false;
        };
        let verified = verifier.verify_client_cert(end, rest, UnixTime::now());
        verified.is_ok()
    }
}

impl Secrets {
    fn verifier(&self) -> Result<Option<Arc<dyn ClientCertVerifier>>, SecretError> {
        let Some(authority) = &self.client_ca else {
            return Ok(None);
        };
        let roots = Arc::new(roots(authority)?);
        let builder = WebPkiClientVerifier::builder_with_provider(roots, provider());
        let builder = match &self.crl {
            Some(crl) => builder.with_crls(crl.revocations()?),
            None => builder,
        };
        // A bearer token may say who the client is; who must show a certificate is decided elsewhere.
        let verifier = builder.allow_unauthenticated().build();
        let broken = self.crl.as_ref().unwrap_or(authority);
        verifier
            .map(|it| Some(it as Arc<dyn ClientCertVerifier>))
            .map_err(|error| broken.nonsense(error.to_string()))
    }
}

/// The authorities in a file.
pub(crate) fn roots(authority: &Secret) -> Result<RootCertStore, SecretError> {
    let mut roots = RootCertStore::empty();
    for certificate in authority.certificates()? {
        let added = roots.add(certificate);
        added.map_err(|error| authority.nonsense(error.to_string()))?;
    }
    Ok(roots)
}

/// Why a key cannot be used with its certificate.
pub(super) fn unfit(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InconsistentKeys(_) => {
            "it is the key of another certificate than the one given; give both of one pair".into()
        }
        other => other.to_string(),
    }
}

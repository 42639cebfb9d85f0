//! An authority in a folder, and the certificates it signs: for those without another one, and for tests.

mod error;
mod files;
mod purpose;

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName,
    DnType, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber,
    date_time_ymd,
};
use ring::rand::{SecureRandom as _, SystemRandom};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use webpki::EndEntityCert;

pub use error::CertificateError;
use files::{read, write, write_error};
pub use purpose::Purpose;
use purpose::described;

/// Lifetime of an authority, in days.
pub const AUTHORITY_DAYS: u32 = 3650;
/// Lifetime of what it signs, in days.
pub const LEAF_DAYS: u32 = 90;

const CERTIFICATE: &str = "ca.crt";
const KEY: &str = "ca.key";
const REVOCATIONS: &str = "ca.crl";
/// Serial and time of what was revoked, a line each: what the list is made from.
const REVOKED: &str = "revoked";
/// Before the random part of an authority's name, by which lists of several are told apart.
const NAME: &str = "Picket CA ";
/// The random part, in hexadecimal digits.
const RANDOM: usize = 16;

/// Clocks differ.
const EARLY: Duration = Duration::from_secs(300);
const DAY: Duration = Duration::from_secs(86_400);

/// What was written.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its key, which only the owner can read.
    pub key: PathBuf,
    /// Its serial, in hexadecimal digits.
    pub serial: String,
}

/// An authority in a folder.
#[derive(Debug)]
pub struct Authority {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Makes one, with an empty revocation list.
    ///
    /// # Errors
    /// When there is one already, or the folder cannot be written to.
    pub fn create(folder: &Path, days: u32, now: SystemTime) -> Result<Self, CertificateError> {
        fs::create_dir_all(folder).map_err(|source| write_error(folder, source))?;
        for name in [CERTIFICATE, KEY] {
            let path = folder.join(name);
            if path.exists() {
                return Err(CertificateError::Exists { path });
            }
        }
        let key = KeyPair::generate().map_err(unsigned)?;
        let name = format!("{NAME}{}", hexadecimal(&random::<{ RANDOM / 2 }>()?));
        let mut params = authority(&name);
        lifetime(&mut params, days, now);
        let certificate = params.self_signed(&key).map_err(unsigned)?;
        write(&folder.join(KEY), &key.serialize_pem(), 0o600)?;
        write(&folder.join(CERTIFICATE), &certificate.pem(), 0o644)?;
        let made = Self {
            folder: folder.into(),
            issuer: Issuer::new(params, key),
        };
        made.list(now)?;
        Ok(made)
    }

    /// Opens the one that [`Authority::create`] made.
    ///
    /// # Errors
    /// When there is none.
    pub fn open(folder: &Path) -> Result<Self, CertificateError> {
        let (path, key_path) = (folder.join(CERTIFICATE), folder.join(KEY));
        let certificate = certificate(&path)?;
        let foreign = |reason: &str| CertificateError::Foreign {
            path: path.clone(),
            reason: reason.into(),
        };
        let parsed = EndEntityCert::try_from(&certificate);
        let parsed = parsed.map_err(|error| foreign(&error.to_string()))?;
        // The name ends the subject, as its one part does.
        let subject = parsed.subject();
        let name = subject.len().checked_sub(NAME.len() + RANDOM);
        let name = name.and_then(|from| str::from_utf8(&subject[from..]).ok());
        let name = name.filter(|it| it.starts_with(NAME));
        let name = name.ok_or_else(|| foreign("`picket certs init` did not make it"))?;
        let pem = read(&key_path)?;
        let key = KeyPair::from_pem(&pem).map_err(|error| CertificateError::Foreign {
            path: key_path,
            reason: error.to_string(),
        })?;
        Ok(Self {
            folder: folder.into(),
            issuer: Issuer::new(authority(name), key),
        })
    }

    /// Its certificate: what the other end must know.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.folder.join(CERTIFICATE)
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> PathBuf {
        self.folder.join(KEY)
    }

    /// Its revocation list.
    #[must_use]
    pub fn revocations(&self) -> PathBuf {
        self.folder.join(REVOCATIONS)
    }

    /// Signs a certificate; one of the same name in the folder is replaced.
    ///
    /// # Errors
    /// When a name cannot be certified, or the folder cannot be written to.
    pub fn issue(
        &self,
        purpose: Purpose<'_>,
        days: u32,
        now: SystemTime,
    ) -> Result<Issued, CertificateError> {
        let (stem, common, names, usages) = described(purpose)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = distinguished(&common);
        params.subject_alt_names = names;
        params.extended_key_usages = usages;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let serial = serial()?;
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        lifetime(&mut params, days, now);
        let key = KeyPair::generate().map_err(unsigned)?;
        let signed = params.signed_by(&key, &self.issuer).map_err(unsigned)?;
        let issued = Issued {
            certificate: self.folder.join(format!("{stem}.crt")),
            key: self.folder.join(format!("{stem}.key")),
            serial: hexadecimal(&serial),
        };
        write(&issued.key, &key.serialize_pem(), 0o600)?;
        write(&issued.certificate, &signed.pem(), 0o644)?;
        Ok(issued)
    }

    /// Adds a certificate to the revocation list, by its file or its serial.
    ///
    /// # Errors
    /// When it is neither, or the list cannot be written.
    pub fn revoke(&self, which: &str, now: SystemTime) -> Result<String, CertificateError> {
        let path = Path::new(which);
        let serial = if path.exists() {
            let certificate = certificate(path)?;
            let parsed = EndEntityCert::try_from(&certificate);
            let parsed = parsed.map_err(|error| CertificateError::Foreign {
                path: path.into(),
                reason: error.to_string(),
            })?;
            hexadecimal(parsed.serial())
        } else {
            which.to_lowercase()
        };
        if bytes(&serial).is_none_or(|it| it.is_empty() || it.len() > 20) {
            return Err(CertificateError::Serial { text: which.into() });
        }
        let revoked = self.folder.join(REVOKED);
        let mut text = self.revoked()?;
        if !text
            .lines()
            .any(|line| line.split(' ').next() == Some(&serial))
        {
            let since = now
                .duration_since(SystemTime::UNIX_EPOCH)
                .unwrap_or_default();
            text.push_str(&format!("{serial} {}\n", since.as_secs()));
            write(&revoked, &text, 0o644)?;
        }
        self.list(now)?;
        Ok(serial)
    }

    fn revoked(&self) -> Result<String, CertificateError> {
        let path = self.folder.join(REVOKED);
        match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            read => read.map_err(|source| CertificateError::Read { path, source }),
        }
    }

    /// Writes the revocation list anew.
    fn list(&self, now: SystemTime) -> Result<(), CertificateError> {
        let text = self.revoked()?;
        let foreign = |line: &str| CertificateError::Foreign {
            path: self.folder.join(REVOKED),
            reason: format!("`{line}` is no serial with the time it was revoked at"),
        };
        let mut revoked_certs = Vec::new();
        for line in text.lines() {
            let (serial, seconds) = line.split_once(' ').ok_or_else(|| foreign(line))?;
            let serial = bytes(serial).ok_or_else(|| foreign(line))?;
            let seconds = seconds.parse().map_err(|_| foreign(line))?;
            revoked_certs.push(RevokedCertParams {
                serial_number: SerialNumber::from_slice(&serial),
                revocation_time: date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds),
                reason_code: None,
                invalidity_date: None,
            });
        }
        let since = now
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(1970, 1, 1) + since.saturating_sub(EARLY),
            next_update: date_time_ymd(1970, 1, 1) + since + DAY * AUTHORITY_DAYS,
            crl_number: SerialNumber::from(since.as_secs()),
            issuing_distribution_point: None,
            revoked_certs,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = params.signed_by(&self.issuer).map_err(unsigned)?;
        let pem = list.pem().map_err(unsigned)?;
        write(&self.revocations(), &pem, 0o644)
    }
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = distinguished(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// Shorter than 64 characters, as RFC 5280 wants it; it is for people only.
fn distinguished(common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(
        DnType::CommonName,
        common.chars().take(64).collect::<String>(),
    );
    name
}

fn lifetime(params: &mut CertificateParams, days: u32, now: SystemTime) {
    let since = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let epoch = date_time_ymd(1970, 1, 1);
    params.not_before = epoch + since.saturating_sub(EARLY);
    params.not_after = epoch + since + DAY * days;
}

fn certificate(path: &Path) -> Result<CertificateDer<'static>, CertificateError> {
    let pem = read(path)?;
    CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|error| CertificateError::Foreign {
        path: path.into(),
        reason: format!("it is no certificate in PEM: {error}"),
    })
}

/// Positive, and without a leading zero, so that it is the same in every encoding.
fn serial() -> Result<[u8; 16], CertificateError> {
    let mut serial = random::<16>()?;
    serial[0] = serial[0] & 0x7f | 0x40;
    Ok(serial)
}

fn random<const N: usize>() -> Result<[u8; N], CertificateError> {
    let mut random = [0; N];
    let filled = SystemRandom::new().fill(&mut random);
    filled.map_err(|_| CertificateError::Sign("the system gives no random numbers".into()))?;
    Ok(random)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hexadecimal: &str) -> Option<Vec<u8>> {
    let pairs = hexadecimal.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

fn unsigned(error: rcgen::Error) -> CertificateError {
    CertificateError::Sign(error.to_string())
}

//! Where the log is kept: a file of this host, or a database of PostgreSQL that several collectors share.

use std::{
    fmt, fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
    str::FromStr,
};

use tokio_postgres::{
    Config,
    config::{Host, SslMode},
};

/// How a URL of PostgreSQL begins.
const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// The parameters of a URL that say how the server is known, as PostgreSQL's own clients name them.
const ROOTS: &str = "sslrootcert=";
const REQUIRED: &str = "sslmode=require";
const VERIFIED: [&str; 2] = ["sslmode=verify-full", "sslmode=verify-ca"];

/// Where the log is kept.
#[derive(Clone, Debug)]
pub enum Database {
    /// In this SQLite file.
    File(PathBuf),
    /// There.
    Postgres(Postgres),
}

/// A database of PostgreSQL. Neither its text nor its debug output has the password.
#[derive(Clone, Debug)]
pub struct Postgres {
    pub(super) config: Box<Config>,
    /// PEM of the authorities that may vouch for the server; without them there is no TLS.
    pub(super) roots: Option<PathBuf>,
}

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The URL is none. What it says stays out of the message: it may be the password.
    #[error(
        "cannot read the URL of the database: write postgres://USER:PASSWORD@HOST:PORT/NAME, and in the password %XX for each of :/?#[]@% by its hexadecimal number"
    )]
    Url,
    /// TLS is asked for, but nobody is trusted.
    #[error(
        "cannot trust the server of the database: sslmode asks for TLS, so add sslrootcert=FILE to its URL, the PEM of the authority that vouches for it"
    )]
    Roots,
    /// Nobody asks for TLS, and somebody may be on the way.
    #[error(
        "cannot speak to the database without TLS, for it is on another machine: add sslrootcert=FILE to its URL, the PEM of the authority that vouches for it, or sslmode=disable to let whoever is on the way read along"
    )]
    Plain,
    /// The file with the URL cannot be read.
    #[error("cannot read the URL of the database from {}: check the path given with --database-url-file and its permissions", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file holds something else.
    #[error("cannot use the URL in {}: it has to begin with postgres://", path.display())]
    Scheme {
        /// The file.
        path: PathBuf,
    },
    /// Both were given.
    #[error("cannot use two databases: give --database or --database-url-file, not both")]
    Two,
}

impl FromStr for Database {
    type Err = DatabaseError;

    fn from_str(text: &str) -> Result<Self, DatabaseError> {
        if !SCHEMES.iter().any(|scheme| text.starts_with(scheme)) {
            return Ok(Self::File(text.into()));
        }
        let (url, roots) = without_roots(text);
        // Whoever is to be believed is always verified, and in full.
        let url = VERIFIED
            .iter()
            .fold(url, |url, mode| url.replace(mode, REQUIRED));
        let mut config: Config = url.parse().map_err(|_| DatabaseError::Url)?;
        match (&roots, config.get_ssl_mode()) {
            (None, SslMode::Require) => return Err(DatabaseError::Roots),
            (None, SslMode::Disable) => &mut config,
            (None, _) if !config.get_hosts().iter().all(is_local) => {
                return Err(DatabaseError::Plain);
            }
            (None, _) => config.ssl_mode(SslMode::Disable),
            (Some(_), SslMode::Disable) => config.ssl_mode(SslMode::Disable),
            (Some(_), _) => config.ssl_mode(SslMode::Require),
        };
        Ok(Self::Postgres(Postgres {
            config: Box::new(config),
            roots,
        }))
    }
}

/// Whether nobody is on the way there.
fn is_local(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            let address = name.parse::<IpAddr>();
            name == "localhost" || address.is_ok_and(|address| address.is_loopback())
        }
    }
}

/// The URL without the parameter that names the authorities, which the client of PostgreSQL does not know.
fn without_roots(url: &str) -> (String, Option<PathBuf>) {
    let Some((start, query)) = url.split_once('?') else {
        return (url.to_owned(), None);
    };
    let (roots, others): (Vec<_>, Vec<_>) = query.split('&').partition(|it| it.starts_with(ROOTS));
    let roots = roots.last().map(|it| it[ROOTS.len()..].into());
    (format!("{start}?{}", others.join("&")), roots)
}

impl Database {
    /// Reads the URL from a file, so that its password need not be among the arguments.
    ///
    /// # Errors
    /// When there is no file, or no URL in it.
    pub fn read(path: &Path) -> Result<Self, DatabaseError> {
        let text = fs::read_to_string(path).map_err(|source| DatabaseError::Read {
            path: path.into(),
            source,
        })?;
        match text.trim().parse()? {
            Self::File(_) => Err(DatabaseError::Scheme { path: path.into() }),
            database => Ok(database),
        }
    }
}

impl fmt::Display for Database {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(formatter),
            Self::Postgres(postgres) => postgres.fmt(formatter),
        }
    }
}

impl fmt::Display for Postgres {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("postgres://")?;
        let ports = self.config.get_ports();
        for (index, host) in self.config.get_hosts().iter().enumerate() {
            if index > 0 {
                formatter.write_str(",")?;
            }
            match host {
                Host::Tcp(name) => formatter.write_str(name)?,
                Host::Unix(path) => path.display().fmt(formatter)?,
            }
            // One port may stand for all hosts.
            if let Some(port) = ports.get(index).or(ports.first()) {
                write!(formatter, ":{port}")?;
            }
        }
        write!(
            formatter,
            "/{}",
            self.config.get_dbname().unwrap_or_default()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let url = "postgres://picket:s3cret@db-0,db-1:5433/log?sslmode=disable&target_session_attrs=read-write";
        let database: Database = url.parse().unwrap();
        assert_eq!(database.to_string(), "postgres://db-0:5432,db-1:5433/log");
        assert!(!format!("{database:?}").contains("s3cret"), "{database:?}");
        for spoiled in [
            "postgres://picket@db/log?s3cret=1",
            "postgres://p:s3cret@db:x/",
        ] {
            let error = spoiled.parse::<Database>().unwrap_err();
            assert!(!format!("{error:?} {error}").contains("cret"), "{error:?}");
        }
    }

    #[test]
    fn a_server_is_trusted_by_those_who_vouch_for_it_or_tls_is_not_asked_for() {
        let plain = |parameters: &str| format!("postgres://picket@db/log{parameters}");
        for parameters in ["", "?sslmode=prefer"] {
            let error = plain(parameters).parse::<Database>();
            assert!(matches!(error, Err(DatabaseError::Plain)), "{parameters}");
            for host in ["localhost", "127.0.0.1:5433", "[::1]", "%2Frun"] {
                let local = plain(parameters).replace("db", host);
                assert!(local.parse::<Database>().is_ok(), "{local}");
            }
        }
        for (parameters, mode, roots) in [
            ("?sslmode=disable", SslMode::Disable, None),
            ("?sslrootcert=/ca.pem", SslMode::Require, Some("/ca.pem")),
            (
                "?sslmode=verify-full&sslrootcert=/ca.pem&connect_timeout=1",
                SslMode::Require,
                Some("/ca.pem"),
            ),
            (
                "?sslrootcert=/ca.pem&sslmode=disable",
                SslMode::Disable,
                Some("/ca.pem"),
            ),
        ] {
            let Database::Postgres(database) = plain(parameters).parse().unwrap() else {
                panic!("{parameters} is no file");
            };
            assert_eq!(database.config.get_ssl_mode(), mode, "{parameters}");
            assert_eq!(database.roots.as_deref(), roots.map(Path::new));
        }
        let error = plain("?sslmode=require").parse::<Database>();
        assert!(matches!(error, Err(DatabaseError::Roots)));
    }

    #[test]
    fn what_is_no_url_is_a_file() {
        for path in ["picket.db", "/var/lib/postgres/picket.db"] {
            assert!(matches!(path.parse(), Ok(Database::File(it)) if it == Path::new(path)));
        }
    }

    #[test]
    fn a_file_has_to_hold_a_url() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("url");
        assert!(matches!(
            Database::read(&path),
            Err(DatabaseError::Read { .. })
        ));
        fs::write(&path, "picket.db\n").unwrap();
        assert!(matches!(
            Database::read(&path),
            Err(DatabaseError::Scheme { .. })
        ));
        fs::write(&path, "postgres://picket@localhost/log\n").unwrap();
        assert_eq!(
            Database::read(&path).unwrap().to_string(),
            "postgres://localhost:5432/log"
        );
    }
}

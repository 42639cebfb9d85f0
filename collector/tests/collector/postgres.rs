//! A cluster of PostgreSQL for the tests of this process, gone when the process is.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio_postgres::{Client, NoTls};

use crate::harness::eventually;

/// The server ends, and its folder goes, when the pipe to the shell closes: also when the tests are killed.
const SCRIPT: &str = r#"
set -e
folder=$(mktemp -d /tmp/picket-postgres.XXXXXX)
exec 3>"$folder/log"
cd "$folder"
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=picket -keyout ca.key -out ca.pem 2>&3
openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout key.pem -out request.pem 2>&3
echo subjectAltName=DNS:localhost >extensions
openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -extfile extensions -out certificate.pem 2>&3
"$1/initdb" --pgdata data --username picket --auth trust --no-sync --no-locale --encoding UTF8 >&3 2>&1
"$1/postgres" -D data -k "$folder" -c listen_addresses=localhost -c port="$2" -c fsync=off \
    -c ssl=on -c ssl_cert_file="$folder/certificate.pem" -c ssl_key_file="$folder/key.pem" >&3 2>&1 3>&- &
echo "$folder"
read -r _ || :
kill -INT $!
wait $! || :
rm -r "$folder"
"#;

/// Where Debian puts the servers, by version.
const SERVERS: &str = "/usr/lib/postgresql";

/// Refuses to run as root, as this user it does.
const USER: &str = "postgres";

const REQUIRED: &str = "PICKET_REQUIRE_ROOT";

static CLUSTER: LazyLock<Result<Cluster, String>> = LazyLock::new(Cluster::start);
static DATABASES: AtomicUsize = AtomicUsize::new(0);

struct Cluster {
    folder: PathBuf,
    port: u16,
    /// Its standard input is the pipe.
    _shell: Child,
}

impl Cluster {
    fn start() -> Result<Self, String> {
        let missing = || {
            "no server of PostgreSQL: run `cargo xtask setup`, or install the package postgresql"
                .to_owned()
        };
        let servers = fs::read_dir(SERVERS).map_err(|_| missing())?;
        let servers = servers.flatten().map(|version| version.path().join("bin"));
        let newest = servers.filter(|it| it.join("initdb").exists()).max();
        let newest = newest.ok_or_else(missing)?;
        let free = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr());
        let port = free.map_err(|error| error.to_string())?.port();
        let mut shell = if rustix::process::geteuid().is_root() {
            let mut shell = Command::new("setpriv");
            shell.args(["--reuid", USER, "--regid", USER, "--clear-groups", "sh"]);
            shell
        } else {
            Command::new("sh")
        };
        let mut shell = shell
            .args(["-c", SCRIPT, "sh"])
            .arg(newest)
            .arg(port.to_string())
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start the shell of the server: {error}"))?;
        let mut folder = String::new();
        let stdout = shell.stdout.take().ok_or("the shell has no output")?;
        let read = BufReader::new(stdout).read_line(&mut folder);
        read.map_err(|error| error.to_string())?;
        if folder.is_empty() {
            return Err(
                "the server cannot be set up; see the newest /tmp/picket-postgres.*/log".into(),
            );
        }
        Ok(Self {
            folder: folder.trim_end().into(),
            port,
            _shell: shell,
        })
    }
}

/// A database that nobody else uses.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    folder: &'static Path,
    port: u16,
    name: String,
}

impl Database {
    /// A new one; none when there is no server here, which is said, and must not be under CI.
    #[expect(clippy::print_stderr, reason = "a skipped test says why")]
    pub(crate) async fn create() -> Option<Self> {
        let cluster = match &*CLUSTER {
            Ok(cluster) => cluster,
            Err(reason) => {
                let forbidden = std::env::var(REQUIRED).is_ok_and(|value| value == "1");
                assert!(!forbidden, "{reason}; {REQUIRED}=1 forbids skipping");
                eprintln!("skipped: {reason}");
                return None;
            }
        };
        let number = DATABASES.fetch_add(1, Ordering::Relaxed);
        let database = Self {
            folder: &cluster.folder,
            port: cluster.port,
            name: format!("test{number}"),
        };
        let maintenance = Self {
            name: "postgres".into(),
            ..database.clone()
        };
        let client = maintenance.connect().await;
        let create = format!("CREATE DATABASE {}", database.name);
        client.batch_execute(&create).await.unwrap();
        Some(database)
    }

    pub(crate) fn url(&self) -> String {
        let (name, folder, port) = (&self.name, self.folder.display(), self.port);
        format!("postgres://picket@/{name}?host={folder}&port={port}")
    }

    /// Over the network, to a host that this file vouches for.
    pub(crate) fn tls_url(&self, host: &str, roots: &Path) -> String {
        let (name, port, roots) = (&self.name, self.port, roots.display());
        format!("postgres://picket@{host}:{port}/{name}?sslmode=verify-full&sslrootcert={roots}")
    }

    /// The authority that vouches for `localhost`.
    pub(crate) fn roots(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// Cuts all connections of collectors.
    pub(crate) async fn cut(&self, by: &Client) {
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE application_name = 'picket-collector' AND datname = current_database()";
        by.batch_execute(cut).await.unwrap();
    }

    /// A connection of the test's own, once the server answers.
    pub(crate) async fn connect(&self) -> Client {
        let url = self.url();
        eventually("a connection to PostgreSQL", async || {
            let (client, connection) = tokio_postgres::connect(&url, NoTls).await.ok()?;
            tokio::spawn(async move { drop(connection.await) });
            Some(client)
        })
        .await
    }
}

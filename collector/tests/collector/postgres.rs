//! A cluster of PostgreSQL for the tests of this process, gone when the process is.

use std::{
    fs,
    io::{BufRead as _, BufReader},
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
"$1/initdb" --pgdata "$folder/data" --username picket --auth trust --no-sync --no-locale --encoding UTF8 >"$folder/log" 2>&1
"$1/postgres" -D "$folder/data" -k "$folder" -c listen_addresses= -c fsync=off >>"$folder/log" 2>&1 &
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
            _shell: shell,
        })
    }
}

/// A database that nobody else uses.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    folder: &'static Path,
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
        let (name, folder) = (&self.name, self.folder.display());
        format!("postgres://picket@/{name}?host={folder}")
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

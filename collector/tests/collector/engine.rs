//! The databases that each test of the log runs on.

use std::path::Path;

use rusqlite::Connection;
use tokio_postgres::Client;

use crate::postgres;

/// Runs tests of these names on each engine.
macro_rules! on_each_engine {
    ($($test:ident),+ $(,)?) => {
        $(
            mod $test {
                #[tokio::test]
                async fn sqlite() {
                    super::$test($crate::engine::Engine::Sqlite).await;
                }

                #[tokio::test]
                async fn postgres() {
                    if let Some(database) = $crate::postgres::Database::create().await {
                        super::$test($crate::engine::Engine::Postgres(database)).await;
                    }
                }
            }
        )+
    };
}
pub(crate) use on_each_engine;

/// What a collector keeps its log in.
#[derive(Clone, Debug)]
pub(crate) enum Engine {
    Sqlite,
    Postgres(postgres::Database),
    /// A database that is named in another way.
    Url(String),
}

impl Engine {
    /// As `--database` takes it.
    pub(crate) fn database(&self, folder: &Path) -> String {
        match self {
            Self::Sqlite => folder.join("picket.db").display().to_string(),
            Self::Postgres(database) => database.url(),
            Self::Url(url) => url.clone(),
        }
    }

    /// Somebody else's connection to it.
    pub(crate) async fn other(&self, folder: &Path) -> Other {
        match self {
            Self::Sqlite => Other::Sqlite(Connection::open(folder.join("picket.db")).unwrap()),
            Self::Postgres(database) => {
                let client = database.connect().await;
                client
                    .batch_execute("SET search_path TO picket")
                    .await
                    .unwrap();
                Other::Postgres(client)
            }
            Self::Url(url) => panic!("nobody else connects to {url}"),
        }
    }
}

/// A connection that disturbs the collector.
pub(crate) enum Other {
    Sqlite(Connection),
    Postgres(Client),
}

impl Other {
    /// Keeps all others from writing.
    pub(crate) async fn lock(&self) {
        self.execute("BEGIN IMMEDIATE", "BEGIN; LOCK TABLE head")
            .await;
    }

    pub(crate) async fn unlock(&self) {
        self.execute("ROLLBACK", "ROLLBACK").await;
    }

    /// Lets the insert of this sequence fail.
    pub(crate) async fn break_at(&self, sequence: u64) {
        let sqlite = format!(
            "CREATE TRIGGER broken BEFORE INSERT ON log WHEN NEW.sequence = {sequence}
             BEGIN SELECT RAISE(ABORT, 'broken'); END"
        );
        let postgres = format!(
            "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS
                 'BEGIN RAISE EXCEPTION ''broken''; END';
             CREATE TRIGGER broken BEFORE INSERT ON log FOR EACH ROW WHEN (NEW.sequence = {sequence})
                 EXECUTE FUNCTION broken()"
        );
        self.execute(&sqlite, &postgres).await;
    }

    /// Lets nobody read the row of this cursor.
    pub(crate) async fn damage(&self, cursor: u64) {
        let sqlite = format!("UPDATE log SET record = x'ff' WHERE cursor = {cursor}");
        let postgres = sqlite.replace("x'ff'", "'\\xff'");
        self.execute(&sqlite, &postgres).await;
    }

    /// Rows of a table.
    pub(crate) async fn count(&self, table: &str) -> u64 {
        let query = format!("SELECT count(*) FROM {table}");
        match self {
            Self::Sqlite(connection) => connection.query_row(&query, (), |row| row.get(0)).unwrap(),
            Self::Postgres(client) => {
                let count: i64 = client.query_one(&query, &[]).await.unwrap().get(0);
                u64::try_from(count).unwrap()
            }
        }
    }

    pub(crate) async fn mend(&self) {
        let postgres = "DROP TRIGGER broken ON log; DROP FUNCTION broken";
        self.execute("DROP TRIGGER broken", postgres).await;
    }

    async fn execute(&self, sqlite: &str, postgres: &str) {
        match self {
            Self::Sqlite(connection) => connection.execute_batch(sqlite).unwrap(),
            Self::Postgres(client) => client.batch_execute(postgres).await.unwrap(),
        }
    }
}

//! The tables, in a schema of their own, made by whichever collector comes first.

use tokio_postgres::Client;

use super::super::error::Cause;

/// From each version to the next one; the first makes the tables.
const STEPS: [&str; 2] = [
    "
    CREATE TABLE head (
        last bigint NOT NULL,
        horizon bigint NOT NULL,
        bytes bigint NOT NULL,
        agents bigint NOT NULL,
        epoch bigint NOT NULL,
        committed_at bigint NOT NULL,
        marked_at bigint NOT NULL,
        newest bigint NOT NULL,
        log bigint NOT NULL
    ) WITH (fillfactor = 20);
    INSERT INTO head VALUES (0, 0, 0, 0, 0, 0, 0, 0, 1 + floor(random() * 4e18)::bigint);
    CREATE TABLE agents (
        id bigint PRIMARY KEY,
        node text NOT NULL,
        epoch bigint NOT NULL,
        sequence bigint NOT NULL,
        UNIQUE (node, epoch)
    ) WITH (fillfactor = 50);
    CREATE TABLE log (
        cursor bigint PRIMARY KEY,
        agent bigint NOT NULL,
        sequence bigint NOT NULL,
        kind smallint NOT NULL,
        record bytea NOT NULL
    );
    CREATE INDEX log_by_id ON log (agent, sequence);
    CREATE TABLE marks (
        cursor bigint PRIMARY KEY,
        committed_at bigint NOT NULL,
        newest bigint NOT NULL
    );
    CREATE INDEX marks_by_newest ON marks (newest, cursor);
    CREATE INDEX marks_by_commit ON marks (committed_at, cursor);
",
    "
    CREATE TABLE outputs (
        name text PRIMARY KEY,
        cursor bigint NOT NULL
    ) WITH (fillfactor = 50);
",
];

/// Held while the tables are looked at and made: the bytes of "picket".
const LOCK: i64 = 0x7069_636b_6574;

pub(super) enum Found {
    Ours,
    Foreign,
    Newer(u32),
}

/// Brings the schema up to date, alone.
pub(super) async fn prepare(client: &mut Client) -> Result<Found, Cause> {
    let transaction = client.transaction().await?;
    transaction
        .execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK])
        .await?;
    let found = transaction
        .query_one(
            "SELECT to_regnamespace('picket') IS NOT NULL, to_regclass('picket.version') IS NOT NULL",
            &[],
        )
        .await?;
    let version: i32 = match (found.try_get(0)?, found.try_get(1)?) {
        (_, true) => {
            let row = transaction.query_one("SELECT version FROM version", &[]);
            row.await?.try_get(0)?
        }
        (true, false) => return Ok(Found::Foreign),
        (false, false) => {
            transaction
                .batch_execute(
                    "CREATE SCHEMA picket;
                     CREATE TABLE version (version integer NOT NULL);
                     INSERT INTO version VALUES (0)",
                )
                .await?;
            0
        }
    };
    let version = usize::try_from(version).unwrap_or(usize::MAX);
    let Some(steps) = STEPS.get(version..) else {
        return Ok(Found::Newer(u32::try_from(version).unwrap_or(u32::MAX)));
    };
    for step in steps {
        transaction.batch_execute(step).await?;
    }
    let current = i32::try_from(STEPS.len()).unwrap_or(i32::MAX);
    transaction
        .execute("UPDATE version SET version = $1", &[&current])
        .await?;
    transaction.commit().await?;
    Ok(Found::Ours)
}

//! Whatever fails in the database, nothing acknowledged is lost, and all goes on when it is over.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use api::v1;
use tonic::Code;

use crate::{
    agent::Agent,
    engine::{Engine, on_each_engine},
    harness::{Collector, all, beginning, event, eventually, sequence},
};

on_each_engine! {
    a_batch_behind_one_that_was_not_stored_is_not_stored_either,
    a_batch_that_follows_what_the_log_does_not_hold_ends_the_stream,
}

async fn a_batch_behind_one_that_was_not_stored_is_not_stored_either(engine: Engine) {
    let collector = Collector::start(&engine).await;
    let mut agent = collector.agent("n1").await;
    agent.publish(1..=5).await;
    let other = collector.other().await;
    other.break_at(6).await;
    for after in (5..50).step_by(5) {
        agent.send_after(after, after + 1..=after + 5).await;
    }
    let status = agent.next().await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    other.mend().await;

    let mut agent = collector.agent("n1").await;
    assert_eq!(agent.welcome, 5, "nothing behind it was stored");
    agent.publish(6..=50).await;
    let mut subscriber = collector.subscribe(beginning(), all()).await;
    assert!(subscriber.sequences(50).await.into_iter().eq(1..=50));
    collector.stop().await;
}

async fn a_batch_that_follows_what_the_log_does_not_hold_ends_the_stream(engine: Engine) {
    let collector = Collector::start(&engine).await;
    let mut agent = collector.agent("n1").await;
    agent.publish(1..=5).await;
    agent.send_after(6, [7]).await;
    let status = agent.next().await.unwrap_err();
    assert_eq!(status.code(), Code::Aborted, "{status}");
    assert!(status.message().contains("sequence 6"), "{status}");
    let mut agent = collector.agent("n1").await;
    assert_eq!(agent.welcome, 5);
    // A batch of which nothing can be taken is followed by others all the same.
    let mut stateless = event("n1", 6);
    stateless.state = 0;
    agent.send_batch(vec![stateless]).await;
    assert_eq!(agent.acknowledged().await.refusals.len(), 1);
    agent.send_after(6, [7]).await;
    assert_eq!(agent.acknowledged().await.sequence, 7);
    collector.stop().await;
}

/// A file system of some megabytes in memory, whose room can be taken away.
struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    #[expect(clippy::print_stderr, reason = "a skipped test says why")]
    fn mount(folder: &Path) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            let forbidden = std::env::var("PICKET_REQUIRE_ROOT").is_ok_and(|it| it == "1");
            assert!(!forbidden, "a small disk needs root");
            eprintln!("skipped: mounting a small disk needs root");
            return None;
        }
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"])
            .arg(folder)
            .status();
        assert!(mount.unwrap().success());
        Some(Self {
            folder: folder.into(),
        })
    }

    fn filler(&self) -> PathBuf {
        self.folder.join("filler")
    }

    /// Leaves so much room.
    fn fill(&self, left: u64) {
        let free = rustix::fs::statvfs(&self.folder).unwrap();
        let free = free.f_bfree * free.f_frsize;
        let filler = vec![1; usize::try_from(free.saturating_sub(left)).unwrap()];
        fs::write(self.filler(), filler).unwrap();
    }

    fn clear(&self) {
        fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(
            Command::new("umount")
                .arg("--lazy")
                .arg(&self.folder)
                .status(),
        );
    }
}

fn large(sequence: u64) -> v1::Event {
    v1::Event {
        samples: vec!["x".repeat(512); 8],
        ..event("n1", sequence)
    }
}

#[tokio::test]
async fn a_full_disk_loses_nothing_and_needs_no_repair() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(folder.path()) else {
        return;
    };
    let mut collector = Collector::within(&Engine::Sqlite, folder).await;
    let mut acknowledged = 0;
    let mut refused = 0;
    // Each write of a commit, and of a checkpoint, is the first one that finds no room.
    for round in 0..48 {
        let mut agent = Agent::connect(collector.channel().await, "n1")
            .await
            .unwrap();
        assert!(
            agent.welcome >= acknowledged,
            "{} {acknowledged}",
            agent.welcome
        );
        acknowledged = agent.welcome;
        disk.fill(round * 4096);
        loop {
            let events = (acknowledged + 1..=acknowledged + 4).map(large);
            agent.send_batch(events.collect()).await;
            match agent.next().await {
                Ok(_) => acknowledged += 4,
                Err(status) => {
                    let delayed = api::retry::delay(&status).is_some();
                    assert!(
                        delayed || status.code() == Code::Unavailable,
                        "{round}: {status:?}"
                    );
                    refused += u64::from(delayed);
                    break;
                }
            }
        }
        // It starts, too, if there is room for what its processes share.
        if round >= 16 && round % 8 == 7 {
            collector = collector.restart().await;
        }
        disk.clear();
        eventually("readiness", async || {
            let page = collector.page("/readyz").await;
            page.starts_with("HTTP/1.1 200").then_some(())
        })
        .await;
    }
    assert!(refused > 40, "agents are told to stay away: {refused}");
    let mut agent = collector.agent("n1").await;
    acknowledged = agent.welcome;
    agent.publish([acknowledged + 1]).await;
    let mut subscriber = collector.subscribe(beginning(), all()).await;
    for expected in 1..=acknowledged + 1 {
        let event = subscriber.event().await;
        assert_eq!((event.cursor, sequence(&event)), (expected, expected));
    }
    drop(disk);
    collector.stop().await;
}

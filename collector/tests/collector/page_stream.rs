//! The stream of a page: what is new, where it goes on, and what it is told when it was too slow.

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpSocket, TcpStream},
};

use crate::{
    engine::Engine,
    harness::{Collector, event, within},
    page::publish,
};

/// A page that reads its stream.
struct Stream(BufReader<TcpStream>);

impl Stream {
    async fn open(collector: &Collector, last: &str) -> Self {
        let address = collector.page_address();
        let socket = TcpSocket::new_v4().unwrap();
        // One that reads nothing is behind soon.
        socket.set_recv_buffer_size(4096).unwrap();
        let mut stream = socket.connect(address.parse().unwrap()).await.unwrap();
        let request = format!("GET /api/v1/stream HTTP/1.1\r\nHost: {address}\r\n{last}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        Self(BufReader::new(stream))
    }

    /// The line that names the first event.
    async fn first(&mut self) -> String {
        let mut lines = (&mut self.0).lines();
        loop {
            let line = within("an event", lines.next_line())
                .await
                .unwrap()
                .unwrap();
            if line.starts_with("event: ") {
                return line;
            }
        }
    }

    /// The next event of this name, and the id told last.
    async fn next(&mut self, name: &str) -> (Option<String>, Value) {
        let read = async {
            let (mut id, mut named) = (None, String::new());
            loop {
                let mut line = String::new();
                assert_ne!(
                    self.0.read_line(&mut line).await.unwrap(),
                    0,
                    "the stream ended"
                );
                let line = line.trim_end();
                if let Some(it) = line.strip_prefix("id: ") {
                    id = Some(it.to_owned());
                } else if let Some(it) = line.strip_prefix("event: ") {
                    it.clone_into(&mut named);
                } else if let Some(data) = line.strip_prefix("data: ")
                    && named == name
                {
                    return (id, serde_json::from_str(data).unwrap());
                }
            }
        };
        within(name, read).await
    }
}

#[tokio::test]
async fn a_page_is_told_what_is_new_and_goes_on_where_it_was() {
    let collector = Collector::start(&Engine::Sqlite).await;
    let mut stream = Stream::open(&collector, "").await;
    let (_, hello) = stream.next("hello").await;
    assert_eq!(hello["cursor"], 0);
    let id = publish(&collector).await;
    let (_, anomaly) = stream.next("anomaly").await;
    assert_eq!(
        (&anomaly["id"], &anomaly["events"]),
        (&json!(id), &json!(1))
    );
    let (cursor, told) = stream.next("event").await;
    assert_eq!(
        (cursor.as_deref(), &told["anomaly_id"]),
        (Some("1"), &json!(id))
    );
    stream.next("nodes").await;
    drop(stream);
    let mut again = Stream::open(&collector, "Last-Event-ID: 1\r\n").await;
    let (cursor, _) = again.next("event").await;
    assert_eq!(
        cursor.as_deref(),
        Some("2"),
        "nothing is missing, nothing comes twice"
    );
    let mut lost = Stream::open(&collector, "Last-Event-ID: 99\r\n").await;
    let (cursor, _) = lost.next("resync").await;
    assert_eq!(cursor.as_deref(), Some("2"), "of another log");
    collector.stop().await;
}

#[tokio::test]
async fn a_page_is_greeted_before_it_is_told_anything() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("detectors.yaml");
    std::fs::write(&path, "silence: 1s\n").unwrap();
    let collector = Collector::with_detectors(&Engine::Sqlite, &path).await;
    for _ in 0..8 {
        let mut stream = Stream::open(&collector, "").await;
        assert_eq!(stream.first().await, "event: hello");
    }
    collector.stop().await;
}

/// Far more than it may be behind and what buffers hold.
const MANY: u64 = 8_000;
const BATCH: u64 = 250;

#[tokio::test]
async fn a_page_that_reads_too_slowly_is_told_to_load_anew_and_goes_on() {
    let collector = Collector::start(&Engine::Sqlite).await;
    let mut slow = Stream::open(&collector, "").await;
    let mut agent = collector.agent("n1").await;
    for batch in 0..MANY / BATCH {
        let first = batch * BATCH + 1;
        agent.publish(first..first + BATCH).await;
    }
    let (cursor, reached) = slow.next("resync").await;
    assert_eq!(cursor, Some(reached["cursor"].to_string()));
    agent.publish([MANY + 1]).await;
    let last = json!(event("n1", MANY + 1).anomaly_id);
    while slow.next("event").await.1["anomaly_id"] != last {}
    collector.stop().await;
}

#[tokio::test]
async fn a_page_hears_of_the_collector_also_when_nothing_happens() {
    let collector = Collector::start(&Engine::Sqlite).await;
    publish(&collector).await;
    let mut quiet = Stream::open(&collector, "").await;
    let (_, beat) = quiet.next("heartbeat").await;
    assert_eq!(beat["cursor"], 2);
    collector.stop().await;
}

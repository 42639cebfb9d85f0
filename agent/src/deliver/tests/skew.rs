//! Collectors of the version before, and of one to come.

use api::{
    former::{
        self,
        ingest_server::{Ingest, IngestServer},
        publish_request::Item,
        publish_response::Item as Answer,
    },
    transport::Listen,
    v1,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::{bench::Bench, soon};

type Answers = mpsc::Sender<Result<former::PublishResponse, Status>>;

/// What happens at a collector of the version before.
#[derive(Debug, Eq, PartialEq)]
enum Seen {
    Hello,
    Batch(Vec<u64>),
    Status,
    /// It ends a stream that tells what it does not know.
    Ended,
}

/// Answers as it did.
struct Former(mpsc::Sender<Seen>);

#[tonic::async_trait]
impl Ingest for Former {
    type PublishStream = ReceiverStream<Result<former::PublishResponse, Status>>;

    async fn publish(
        &self,
        request: Request<Streaming<former::PublishRequest>>,
    ) -> Result<Response<Self::PublishStream>, Status> {
        let (answers, stream) = mpsc::channel(8);
        tokio::spawn(converse(request.into_inner(), answers, self.0.clone()));
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}

async fn converse(
    mut requests: Streaming<former::PublishRequest>,
    answers: Answers,
    told: mpsc::Sender<Seen>,
) {
    while let Ok(Some(request)) = requests.message().await {
        let (seen, answer) = match request.item {
            Some(Item::Hello(_)) => {
                let welcome = Answer::Welcome(former::Welcome { sequence: 0 });
                (Seen::Hello, Some(Ok(welcome)))
            }
            Some(Item::Batch(batch)) => {
                let ids = batch.events.into_iter().filter_map(|it| it.id);
                let sequences: Vec<_> = ids.map(|id| id.sequence).collect();
                let acknowledgement = former::Acknowledgement {
                    sequence: sequences.last().copied().unwrap_or_default(),
                    refusals: Vec::new(),
                };
                let answer = Answer::Acknowledgement(acknowledgement);
                (Seen::Batch(sequences), Some(Ok(answer)))
            }
            Some(Item::Status(_)) => (Seen::Status, None),
            None => {
                let status = Status::invalid_argument("the request is empty or of a newer agent");
                (Seen::Ended, Some(Err(status)))
            }
        };
        let is_over = seen == Seen::Ended;
        told.send(seen).await.unwrap();
        if let Some(answer) = answer {
            let answer = answer.map(|item| former::PublishResponse { item: Some(item) });
            answers.send(answer).await.ok();
        }
        if is_over {
            return;
        }
    }
}

#[tokio::test]
async fn a_collector_of_the_version_before_is_told_nothing_that_ends_its_stream() {
    let bench = Bench::new();
    // Left by a collector that did know commands.
    bench.outcomes.tell(v1::CommandOutcome::default());
    let listen = Listen::Unix(bench.directory.path().join("socket"));
    let (told, mut seen) = mpsc::channel(64);
    let server = tonic::transport::Server::builder()
        .add_service(IngestServer::new(Former(told)))
        .serve_with_incoming(listen.bind().await.unwrap());
    let server = tokio::spawn(server);
    bench.raise(1..=3);
    let (mut delivered, mut statuses, mut hellos) = (Vec::new(), 0, 0);
    // A second status comes a second later: whatever was to be told with the first has been.
    while delivered.len() < 3 || statuses < 2 {
        match soon(seen.recv()).await.unwrap() {
            Seen::Hello => hellos += 1,
            Seen::Batch(sequences) => delivered.extend(sequences),
            Seen::Status => statuses += 1,
            Seen::Ended => panic!("it was told what it does not know"),
        }
    }
    assert_eq!((hellos, delivered), (1, vec![1, 2, 3]));
    server.abort();
}

#[tokio::test]
async fn what_only_a_newer_collector_knows_is_passed_over() {
    let bench = Bench::new();
    let mut collector = bench.collector(None).await;
    let mut connection = collector.welcome(0).await;
    connection.answer_what_nobody_knows().await;
    bench.raise(1..=2);
    assert_eq!(connection.events(2).await, [1, 2]);
    connection.acknowledge(2).await;
    soon(async {
        while bench.outbox.pending() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    collector.stop().await;
}

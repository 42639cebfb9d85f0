//! Commands on their way to agents and back, and what is told of a pod.

use api::{
    certificates::{Authority, LEAF_DAYS, Purpose},
    command::{LARGEST, LONGEST_LIFE, Signer, said},
    principal::Principal,
    v1::{
        self, Edge, SlotEdges, Transport, actions_client::ActionsClient, publish_request,
        publish_response::Item,
    },
};
use tonic::{Code, Request, Status, metadata::MetadataValue, transport::Channel};

use crate::{
    agent::Agent,
    closed::{Closed, TOKEN},
    engine::Engine,
    harness::{Collector, eventually, now, within},
};

const PODS: &str = "pods:\n\
    - {namespace: blue, name: app1, addresses: [10.0.0.1], labels: {app: web}}\n\
    - {namespace: red, name: db, addresses: [10.0.0.2], labels: {app: db}}\n\
    - {namespace: red, name: gate, addresses: [10.0.0.3]}\n";

fn signed(id: &str, node: &str, namespace: &str) -> v1::SignedCommand {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::create(folder.path(), 10, now()).unwrap();
    let purpose = Purpose::Client(Principal::Operator("anna"));
    let own = authority.issue(purpose, LEAF_DAYS, now()).unwrap();
    let signer = Signer::read(&own.certificate, &own.key).unwrap();
    let command = v1::Command {
        id: id.into(),
        node: node.into(),
        namespace: namespace.into(),
        ..v1::Command::default()
    };
    signer.sign(command, now(), LONGEST_LIFE).unwrap()
}

fn outcome(id: &str, obeyed: bool) -> publish_request::Item {
    publish_request::Item::Outcome(v1::CommandOutcome {
        id: id.into(),
        obeyed,
        reason: "so it was".into(),
        ..v1::CommandOutcome::default()
    })
}

async fn commanded(agent: &mut Agent) -> v1::SignedCommand {
    match agent.next().await.unwrap() {
        Item::Command(command) => command,
        other => panic!("{other:?} is no command"),
    }
}

async fn command(
    client: &ActionsClient<Channel>,
    command: v1::SignedCommand,
) -> Result<v1::CommandOutcome, Status> {
    let mut client = client.clone();
    let answer = within("an answer", client.command(command)).await;
    answer.map(tonic::Response::into_inner)
}

#[tokio::test]
async fn what_an_agent_makes_of_a_command_is_what_the_person_is_told() {
    let collector = Collector::with_pods(&Engine::Sqlite, PODS).await;
    let mut agent = collector.agent("n1").await;
    let client = ActionsClient::new(collector.channel().await);
    for (id, obeyed) in [("a", true), ("b", false)] {
        let sent = signed(id, "n1", "blue");
        let (answer, ()) = tokio::join!(command(&client, sent.clone()), async {
            assert_eq!(commanded(&mut agent).await, sent, "as it was signed");
            agent.send(outcome("another", true)).await;
            agent.send(outcome(id, obeyed)).await;
        });
        match answer {
            Ok(answer) => assert!(obeyed && answer.id == id, "{answer:?}"),
            Err(status) => {
                let told = (obeyed, status.code(), status.message());
                assert_eq!(told, (false, Code::FailedPrecondition, "so it was"));
            }
        }
    }

    let nonsense = v1::SignedCommand {
        command: vec![0xff; 8],
        ..v1::SignedCommand::default()
    };
    let large = v1::SignedCommand {
        signature: vec![0; LARGEST],
        ..v1::SignedCommand::default()
    };
    for (sent, expected) in [
        (nonsense, Code::InvalidArgument),
        (large, Code::InvalidArgument),
        (signed("c", "n2", "blue"), Code::Unavailable),
    ] {
        let refused = command(&client, sent).await.unwrap_err();
        assert_eq!(refused.code(), expected, "{refused}");
    }

    let (waits, refused) = tokio::join!(command(&client, signed("d", "n1", "blue")), async {
        commanded(&mut agent).await;
        let twice = command(&client, signed("d", "n1", "blue")).await;
        drop(agent);
        twice.unwrap_err()
    });
    assert_eq!(refused.code(), Code::AlreadyExists, "{refused}");
    let gone = waits.unwrap_err();
    assert_eq!(gone.code(), Code::Unavailable, "{gone}");
    assert!(gone.message().contains("contain --list"), "{gone}");
    collector.stop().await;
}

#[tokio::test]
async fn nobody_waits_without_end_for_an_agent_that_says_nothing() {
    let collector = Collector::with_pods(&Engine::Sqlite, PODS).await;
    let mut agent = collector.agent("n1").await;
    let client = ActionsClient::new(collector.channel().await);
    let late = command(&client, signed("a", "n1", "blue"))
        .await
        .unwrap_err();
    assert_eq!(late.code(), Code::DeadlineExceeded, "{late}");
    commanded(&mut agent).await;
    agent.send(outcome("a", true)).await;
    // Nobody waits for that any more, and its id is free again.
    let (answer, ()) = tokio::join!(command(&client, signed("a", "n1", "blue")), async {
        commanded(&mut agent).await;
        agent.send(outcome("a", true)).await;
    });
    assert!(answer.unwrap().obeyed);
    collector.stop().await;
}

fn with_token<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    let bearer = MetadataValue::try_from(format!("Bearer {TOKEN}")).unwrap();
    request.metadata_mut().insert("authorization", bearer);
    request
}

fn describe(namespace: &str, pod: &str) -> v1::DescribeRequest {
    v1::DescribeRequest {
        namespace: namespace.into(),
        pod: pod.into(),
    }
}

#[tokio::test]
async fn a_subscriber_commands_lists_and_describes_in_its_namespaces_alone() {
    let collector = Closed::start().await;
    let mut agent = collector.agent("n1", "n1").await.unwrap();
    let contained = |namespace: &str| v1::Containment {
        namespace: namespace.into(),
        pod: "app".into(),
        node: "another".into(),
        ..v1::Containment::default()
    };
    let status = v1::NodeStatus {
        containments: vec![contained("red"), contained("blue")],
        ..v1::NodeStatus::default()
    };
    agent.send(publish_request::Item::Status(status)).await;
    let mut client = ActionsClient::new(collector.channel(None).await);
    let listed = eventually("the status", async || {
        let request = with_token(v1::ListContainmentsRequest {});
        let listed = client.list_containments(request).await.unwrap();
        let listed = listed.into_inner().containments;
        (!listed.is_empty()).then_some(listed)
    })
    .await;
    let told = (listed.len(), &listed[0].namespace[..], &listed[0].node[..]);
    assert_eq!(told, (1, "blue", "n1"), "it speaks for its own node");

    let red = client.describe(with_token(describe("red", "app2"))).await;
    assert_eq!(red.unwrap_err().code(), Code::PermissionDenied);
    let away = client.describe(with_token(describe("blue", "app9"))).await;
    assert_eq!(away.unwrap_err().code(), Code::NotFound);
    let own = client.describe(with_token(describe("blue", "app1"))).await;
    assert_eq!(own.unwrap().into_inner().pod.unwrap().name, "app1");

    let red = client.command(with_token(signed("a", "n1", "red"))).await;
    assert_eq!(red.unwrap_err().code(), Code::PermissionDenied);
    let nobody = client.command(signed("a", "n1", "blue")).await;
    assert_eq!(nobody.unwrap_err().code(), Code::Unauthenticated);
    let own = client.command(with_token(signed("b", "n1", "blue")));
    let (answer, ()) = tokio::join!(own, async {
        let relayed = commanded(&mut agent).await;
        assert_eq!(said(&relayed).unwrap().id, "b", "and not the one before");
        agent.send(outcome("b", true)).await;
    });
    assert!(answer.unwrap().into_inner().obeyed);
    collector.stop().await;
}

fn edge(address: &str, port: u32) -> Edge {
    Edge {
        address: address.into(),
        transport: Transport::Tcp.into(),
        port,
        outbound: true,
        answered: true,
        ..Edge::default()
    }
}

fn seen(namespace: &str, pod: &str, edges: Vec<Edge>, further: u64) -> SlotEdges {
    SlotEdges {
        namespace: namespace.into(),
        pod: pod.into(),
        edges,
        further,
        ..SlotEdges::default()
    }
}

#[tokio::test]
async fn a_pod_is_described_by_what_all_agents_saw_and_by_what_they_are_told() {
    let policy = "containment: {protected: [{namespaces: [blue], labels: {app: web}}]}\n";
    let collector = Collector::describing(&Engine::Sqlite, PODS, policy).await;
    let mut client = ActionsClient::new(collector.channel().await);
    let mut agents = Vec::new();
    for (node, edges) in [
        (
            "n1",
            vec![seen(
                "blue",
                "app1",
                vec![edge("10.0.0.2", 5432), edge("203.0.113.1", 443)],
                3,
            )],
        ),
        (
            "n2",
            vec![
                seen("red", "gate", vec![edge("10.0.0.1", 8080)], 0),
                seen("red", "db", vec![edge("10.0.0.3", 1)], 9),
            ],
        ),
    ] {
        let agent = collector.agent(node).await;
        let status = v1::NodeStatus {
            edges,
            ..v1::NodeStatus::default()
        };
        agent.send(publish_request::Item::Status(status)).await;
        agents.push(agent);
    }
    let described = eventually("both statuses", async || {
        let described = client.describe(describe("blue", "app1")).await.unwrap();
        let described = described.into_inner();
        (described.edges.len() == 3 && described.crowded_pods > 0).then_some(described)
    })
    .await;
    let mut told: Vec<_> = described
        .edges
        .iter()
        .map(|it| (it.outbound, &it.pod[..], &it.address[..], it.port))
        .collect();
    told.sort_unstable();
    let expected = [
        (false, "gate", "10.0.0.3", 8080),
        (true, "", "203.0.113.1", 443),
        (true, "db", "10.0.0.2", 5432),
    ];
    assert_eq!(told, expected);
    let database = described.edges.iter().find(|it| it.pod == "db").unwrap();
    assert_eq!(database.labels["app"], "db");
    assert_eq!((described.further, described.crowded_pods), (3, 1));
    assert!(
        described.protected.contains("namespace blue, app=web"),
        "{}",
        described.protected
    );
    let red = client.describe(describe("red", "db")).await.unwrap();
    assert_eq!(red.into_inner().protected, "");
    collector.stop().await;
}

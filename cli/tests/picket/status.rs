//! Nodes, what they watch, and what they cannot see.

use std::time::{Duration, SystemTime};

use api::v1::{
    Drop, Durability, Event, Node, NodeStatus, Slot, Spool, Unwatched, subscribe_response::Item,
};

use crate::{
    process::answer,
    server::{Kind, Log, Server, event},
};

fn nodes(seen: SystemTime) -> Vec<Node> {
    let watched = Slot {
        interface: "veth1".to_owned(),
        namespace: "default".to_owned(),
        pod: "app1".to_owned(),
        addresses: vec!["10.244.147.92".to_owned(), "fd00::92".to_owned()],
        distinct_ports: 12,
        one_way: true,
        ..Slot::default()
    };
    let nameless = Slot {
        interface: "veth2".to_owned(),
        records_dropped: 3,
        parse_failures: 1,
        spoofed_packets: 2,
        contained_packets: 5,
        reply_filter_percent: 50,
        ..Slot::default()
    };
    let drop = |reason: &str, count| Drop {
        reason: reason.to_owned(),
        count,
    };
    vec![
        Node {
            name: "n1".to_owned(),
            connected: true,
            last_seen: Some(seen.into()),
            agent_version: "0.1.0".to_owned(),
            clock_ahead: None,
            status: Some(NodeStatus {
                attachment: "tcx".to_owned(),
                sample_rate: 16,
                slots_capacity: 256,
                slots: vec![watched, nameless],
                unwatched: vec![Unwatched {
                    interface: "veth3".to_owned(),
                    reason: "no free slot".to_owned(),
                }],
                drops: vec![drop("ring buffer full", 3), drop("queue full", 0)],
                events_pending: 4,
                spool: Some(Spool {
                    durability: Durability::Volatile.into(),
                    reason: "the disk is full".to_owned(),
                    bytes: 7,
                    capacity_bytes: 64,
                    damaged_records: 1,
                }),
                ..NodeStatus::default()
            }),
        },
        Node {
            name: "node-2".to_owned(),
            ..Node::default()
        },
    ]
}

#[tokio::test]
async fn people_read_tables() {
    let directory = tempfile::tempdir().unwrap();
    let log = Log::of(Kind::Collector);
    let server = Server::start(&directory.path().join("s"), &log).await;
    let arguments = ["status", "--server", &server.address];
    assert_eq!(
        answer(&arguments).await,
        "No node has published since the collector started.\n"
    );

    // In the future, which is no time ago whenever the test runs.
    log.set_nodes(nodes(
        SystemTime::UNIX_EPOCH + Duration::from_secs(9_000_000_000),
    ));
    let expected = "\
NODE    STATE      LAST SEEN  VERSION  ATTACHED  SLOTS  SAMPLED  PENDING
n1      connected  0s ago     0.1.0    tcx       2/256  1/16     4
node-2  away       never               -         -      -        -

n1: watched
  INTERFACE  POD           ADDRESSES               PORTS/MIN  COVERAGE
  veth1      default/app1  10.244.147.92,fd00::92  12         blind to what comes to it
  veth2      -             -                       0          3 records dropped, 1 packets not parsed, 2 packets spoofed, 5 packets contained, reply filter 50 % full

n1: not watched
  INTERFACE  REASON
  veth3      no free slot

n1: events are kept in memory only
  the disk is full

n1: lost
  REASON            COUNT
  ring buffer full  3
";
    assert_eq!(answer(&arguments).await, expected);
}

#[tokio::test]
async fn machines_read_one_object_a_node() {
    let directory = tempfile::tempdir().unwrap();
    let log = Log::of(Kind::Collector);
    let server = Server::start(&directory.path().join("s"), &log).await;
    log.set_nodes(nodes(
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000),
    ));

    let printed = answer(&["status", "--json", "--server", &server.address]).await;

    let expected = concat!(
        r#"{"kind":"node","name":"n1","connected":true,"last_seen":"2027-01-15T08:00:00.000000000Z","#,
        r#""agent_version":"0.1.0","status":{"attachment":"tcx","sample_rate":16,"slots_capacity":256,"#,
        r#""slots":[{"interface":"veth1","namespace":"default","pod":"app1","uid":"","#,
        r#""addresses":["10.244.147.92","fd00::92"],"distinct_ports":12,"records_dropped":0,"parse_failures":0,"#,
        r#""spoofed_packets":0,"contained_packets":0,"reply_filter_percent":0,"uplink":false,"one_way":true},"#,
        r#"{"interface":"veth2","namespace":"","pod":"","uid":"","addresses":[],"distinct_ports":0,"records_dropped":3,"#,
        r#""parse_failures":1,"spoofed_packets":2,"contained_packets":5,"reply_filter_percent":50,"uplink":false,"one_way":false}],"pods":[],"unwatched":[{"interface":"veth3","reason":"no free slot"}],"#,
        r#""drops":[{"reason":"ring buffer full","count":3},{"reason":"queue full","count":0}],"events_pending":4,"#,
        r#""spool":{"durability":"volatile","reason":"the disk is full","bytes":7,"capacity_bytes":64,"damaged_records":1},"#,
        r#""findings":[],"canary":null,"policy":null,"containments":[],"at":null},"clock_ahead":null}"#,
        "\n",
        r#"{"kind":"node","name":"node-2","connected":false,"last_seen":null,"agent_version":"","status":null,"clock_ahead":null}"#,
        "\n",
    );
    assert_eq!(printed, expected);
}

#[tokio::test]
async fn answers_may_be_larger_than_grpc_clients_take_by_default() {
    let directory = tempfile::tempdir().unwrap();
    let log = Log::of(Kind::Collector);
    let large = "x".repeat(5 * 1024 * 1024);
    log.set_nodes(vec![Node {
        name: large.clone(),
        ..Node::default()
    }]);
    log.append(Item::Event(Event {
        summary: large.clone(),
        ..event(1)
    }));
    let server = Server::start(&directory.path().join("s"), &log).await;
    for command in ["status", "events"] {
        let answer = answer(&[command, "--json", "--server", &server.address]).await;
        assert!(answer.contains(&large), "{command}");
    }
}

//! Past events: paging, forms, filters.

use std::time::Duration;

use api::v1::{
    Coverage, Criterion, Durability, Endpoint, Event, Filter, Measure, PortCounts, Severity, State,
    Target, Technique, subscribe_response::Item,
};

use crate::{
    process::{answer, run},
    server::{Kind, Log, Server, event},
};

/// An event with every field set.
fn scan() -> Event {
    let seconds = |seconds: u64| {
        Some(
            (std::time::UNIX_EPOCH + Duration::from_millis(1_799_999_000_500 + seconds * 1000))
                .into(),
        )
    };
    Event {
        anomaly_id: "n1/7/1".to_owned(),
        state: State::Opened.into(),
        detector: "port_scan".to_owned(),
        severity: Severity::High.into(),
        crossed_at: seconds(2),
        first_seen: seconds(1),
        last_seen: seconds(3),
        source: Some(Endpoint {
            namespace: "default".to_owned(),
            pod: "app1".to_owned(),
            uid: "u-1".to_owned(),
            address: "10.244.147.92".to_owned(),
            interface: "veth1".to_owned(),
            workload: "app".to_owned(),
            labels: [("app".to_owned(), "shop".to_owned())].into(),
            ..Endpoint::default()
        }),
        targets: vec![Target {
            endpoint: Some(Endpoint {
                namespace: "blue".to_owned(),
                pod: "app2".to_owned(),
                address: "10.244.147.93".to_owned(),
                ..Endpoint::default()
            }),
            failed_ports: 10,
            answered_ports: 1,
            sample_ports: vec![22, 80, 443],
        }],
        further_targets: 2,
        counted: 11,
        samples: vec!["a.example".to_owned()],
        shadow: true,
        withheld: 6,
        crossed: Some(Criterion {
            measure: Measure::FailedPortsPerDestination.into(),
            counted: 10,
            threshold: 10,
            window: Duration::from_secs(60).try_into().ok(),
        }),
        ports: Some(PortCounts {
            distinct: 11,
            refused: 10,
            answered: 1,
            silent: 0,
            ..PortCounts::default()
        }),
        technique: Technique::TcpSyn.into(),
        attack_ids: vec!["T1046".to_owned()],
        summary: "default/app1 scanned blue/app2".to_owned(),
        correlated_into: "@collector/1/distributed_scan/1".to_owned(),
        correlated: vec!["n1/1/2.1/port_scan/1".to_owned()],
        coverage: Some(Coverage {
            records_dropped: 1,
            parse_failures: 2,
            sample_rate: 16,
            spoofed_packets: 3,
            contained_packets: 4,
            reply_filter_percent: 5,
        }),
        durability: Durability::Volatile.into(),
        ..event(1)
    }
}

fn unknown_source(interface: &str, address: &str) -> Event {
    Event {
        state: State::Closed.into(),
        severity: Severity::Low.into(),
        source: Some(Endpoint {
            interface: interface.to_owned(),
            address: address.to_owned(),
            ..Endpoint::default()
        }),
        summary: "it\nended".to_owned(),
        ..event(2)
    }
}

#[tokio::test]
async fn people_read_one_line_an_event() {
    let directory = tempfile::tempdir().unwrap();
    let log = Log::of(Kind::Collector);
    let server = Server::start(&directory.path().join("s"), &log).await;
    log.append(Item::Event(scan()));
    log.append(Item::Event(unknown_source("veth\x1b7", "")));
    log.append(Item::Event(unknown_source("veth7", "10.244.147.9")));
    log.append(Item::Event(Event {
        raised_at: None,
        ..event(4)
    }));

    let printed = answer(&["events", "--server", &server.address]).await;

    let expected = "\
2027-01-15T08:00:00.001Z  high    opened   default/app1  in shadow: default/app1 scanned blue/app2
2027-01-15T08:00:00.002Z  low     closed   veth\u{fffd}7 on n1  it\u{fffd}ended
2027-01-15T08:00:00.002Z  low     closed   10.244.147.9 on n1  it\u{fffd}ended
-                         unspecified  unspecified  node n1  event 4
";
    assert_eq!(printed, expected);
}

#[tokio::test]
async fn machines_read_every_field_under_its_name_on_the_wire() {
    let directory = tempfile::tempdir().unwrap();
    let log = Log::of(Kind::Collector);
    let server = Server::start(&directory.path().join("s"), &log).await;
    log.append(Item::Event(scan()));
    log.append(Item::Event(Event::default()));

    let printed = answer(&["events", "--json", "--server", &server.address]).await;

    let expected = concat!(
        r#"{"kind":"event","id":{"node":"n1","epoch":"1799999999123456789","sequence":1},"cursor":1,"#,
        r#""anomaly_id":"n1/7/1","state":"opened","detector":"port_scan","severity":"high","#,
        r#""raised_at":"2027-01-15T08:00:00.001000000Z","crossed_at":"2027-01-15T07:43:22.500000000Z","#,
        r#""first_seen":"2027-01-15T07:43:21.500000000Z","last_seen":"2027-01-15T07:43:23.500000000Z","#,
        r#""source":{"namespace":"default","pod":"app1","uid":"u-1","address":"10.244.147.92","interface":"veth1","workload":"app","labels":{"app":"shop"},"#,
        r#""owner":null,"node":"","service":"","service_account":"","appeared_at":null,"unknown":""},"#,
        r#""targets":[{"endpoint":{"namespace":"blue","pod":"app2","uid":"","address":"10.244.147.93","interface":"","workload":"","labels":{},"#,
        r#""owner":null,"node":"","service":"","service_account":"","appeared_at":null,"unknown":""},"#,
        r#""failed_ports":10,"answered_ports":1,"sample_ports":[22,80,443]}],"further_targets":2,"#,
        r#""crossed":{"measure":"failed_ports_per_destination","counted":10,"threshold":10,"window":"60s"},"#,
        r#""ports":{"distinct":11,"refused":10,"answered":1,"silent":0,"distinct_set":null,"refused_set":null,"answered_set":null},"counted":11,"technique":"tcp_syn","samples":["a.example"],"shadow":true,"withheld":6,"attack_ids":["T1046"],"#,
        r#""summary":"default/app1 scanned blue/app2","#,
        r#""coverage":{"records_dropped":1,"parse_failures":2,"sample_rate":16,"spoofed_packets":3,"#,
        r#""contained_packets":4,"reply_filter_percent":5},"correlated_into":"@collector/1/distributed_scan/1","correlated":["n1/1/2.1/port_scan/1"],"durability":"volatile","action":null,"triage":null}"#,
        "\n",
        r#"{"kind":"event","id":null,"cursor":2,"anomaly_id":"","state":"unspecified","detector":"","#,
        r#""severity":"unspecified","raised_at":null,"crossed_at":null,"first_seen":null,"last_seen":null,"#,
        r#""source":null,"targets":[],"further_targets":0,"crossed":null,"ports":null,"#,
        r#""counted":0,"technique":"unspecified","samples":[],"shadow":false,"withheld":0,"attack_ids":[],"summary":"","coverage":null,"correlated_into":"","correlated":[],"durability":"unspecified","action":null,"triage":null}"#,
        "\n",
    );
    assert_eq!(printed, expected);
}

#[tokio::test]
async fn all_pages_are_read_from_the_cursor_up_to_the_limit() {
    let directory = tempfile::tempdir().unwrap();
    let log = Log::of(Kind::Collector);
    let server = Server::start(&directory.path().join("s"), &log).await;
    for sequence in 1..=8 {
        log.append(Item::Event(event(sequence)));
    }

    let cases: [(&[&str], &[u64]); 5] = [
        (&[], &[1, 2, 3, 4, 5, 6, 7, 8]),
        (&["--after", "6"], &[7, 8]),
        (&["--after", "8"], &[]),
        (&["--limit", "4"], &[1, 2, 3, 4]),
        (&["--after", "1", "--limit", "1"], &[2]),
    ];
    for (options, expected) in cases {
        let arguments = [&["events", "--server", &server.address], options].concat();
        let printed = answer(&arguments).await;
        let summaries: Vec<_> = printed
            .lines()
            .map(|line| line.rsplit("  ").next())
            .collect();
        let expected: Vec<_> = expected.iter().map(|it| format!("event {it}")).collect();
        let expected: Vec<_> = expected.iter().map(|it| Some(it.as_str())).collect();
        assert_eq!(summaries, expected, "{options:?}");
    }
}

#[tokio::test]
async fn options_become_the_filter() {
    let directory = tempfile::tempdir().unwrap();
    let log = Log::of(Kind::Collector);
    let server = Server::start(&directory.path().join("s"), &log).await;
    let options = "events --namespace a -n b --pod p --label app=shop --label tier= --node n1 --detector port_scan --state opened \
                   --state closed --min-severity medium --since 2027-01-15T08:00:00Z --server";
    let arguments: Vec<_> = options
        .split_whitespace()
        .chain([server.address.as_str()])
        .collect();

    assert_eq!(answer(&arguments).await, "");

    let since = std::time::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let expected = Filter {
        namespaces: vec!["a".to_owned(), "b".to_owned()],
        pods: vec!["p".to_owned()],
        nodes: vec!["n1".to_owned()],
        detectors: vec!["port_scan".to_owned()],
        states: vec![State::Opened.into(), State::Closed.into()],
        min_severity: Severity::Medium.into(),
        since: Some(since.into()),
        exclude_correlated: false,
        labels: [("app", "shop"), ("tier", "")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
    };
    assert_eq!(log.filters(), [expected]);
}

#[tokio::test]
async fn an_agent_has_no_past_and_picket_says_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let log = Log::of(Kind::Agent);
    let server = Server::start(&directory.path().join("s"), &log).await;

    let output = run(&["events", "--server", &server.address]).await;

    assert_eq!(output.status.code(), Some(1));
    let expected = format!(
        "error: {} lists no past events: it is an agent, or not a gRPC port; add --follow for an \
         agent's new events, or give the collector's address with --server\n",
        server.address
    );
    assert_eq!(String::from_utf8_lossy(&output.stderr), expected);
}

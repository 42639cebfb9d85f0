//! Many that fail alike are an outage, and nothing that scans hides among them.

use super::*;

#[test]
fn clients_of_what_is_down_are_one_note_and_no_scan() {
    let ports: Vec<_> = (9000..9012).collect();
    let mut log = Log::new();
    let mut raised = Vec::new();
    for index in 0..50 {
        // Replicas of one workload, on five nodes; each has tried most of the ports.
        let (node, source) = (format!("n{}", index % 5), format!("web-{index}"));
        let tried = &ports[index as usize % 3..];
        raised.extend(log.commit(&clients(60, &node, &source, "10.0.0.9", tried)));
        assert_eq!(log.mark().is_empty(), index < 10, "{index}");
    }
    let states: Vec<_> = raised
        .iter()
        .map(|it| (it.detector.as_str(), it.state()))
        .collect();
    assert_eq!(states, [("dependency_down", v1::State::Opened)]);
    let opened = &raised[0];
    assert_eq!(opened.severity(), v1::Severity::Info);
    assert_eq!((opened.counted, opened.correlated.len()), (10, 10));

    // A scan of the same target meanwhile is none of them, whatever else fails.
    let scanner = scan(61, "n1", "app1", "10.0.0.9");
    assert_eq!(log.commit(&scanner), []);
    assert_eq!(log.mark(), "");
    let closed = log.tick(60 + 300);
    assert_eq!(closed.len(), 1);
    assert_eq!(closed[0].counted, 50);
    assert!(
        closed[0]
            .summary
            .contains("stopped failing towards 10.0.0.9 alike"),
        "{}",
        closed[0].summary
    );
}

#[test]
fn nine_clients_are_no_outage_and_no_attack() {
    let ports: Vec<_> = (9000..9010).collect();
    let clients = |count: i64, apart: i64| -> Vec<_> {
        (0..count)
            .map(|index| {
                let (node, source) = (format!("n{index}"), format!("web-{index}"));
                clients(index * apart, &node, &source, "10.0.0.9", &ports)
            })
            .collect()
    };
    check(&clients(9, 1), &[]);
    check(&clients(10, 1), &["dependency_down"]);
    check(&clients(10, 14), &[]);
}

#[test]
fn who_tries_more_than_clients_do_is_a_scanner() {
    let ports: Vec<_> = (1..=16).collect();
    let like = |spoil: fn(&mut v1::Event)| -> Vec<_> {
        (0..12)
            .map(|index| {
                let (node, source) = (format!("n{index}"), format!("app{index}"));
                let mut event = clients(60, &node, &source, "10.0.0.9", &ports);
                spoil(&mut event);
                event
            })
            .collect()
    };
    check(&like(|_| {}), &["dependency_down"]);
    check(
        &like(|it| it.targets[0].failed_ports = 17),
        &["distributed_scan"],
    );
    check(
        &like(|it| it.targets[0].answered_ports = 1),
        &["distributed_scan"],
    );
    check(
        &like(|it| it.technique = v1::Technique::TcpSyn.into()),
        &["distributed_scan"],
    );
}

#[test]
fn a_service_without_its_pods_is_down_and_a_swept_network_is_not() {
    let hosts = |named: bool| -> Vec<_> {
        let endpoint = |host: u32| v1::Endpoint {
            pod: if named {
                format!("db-{host}")
            } else {
                String::new()
            },
            namespace: if named { "data".into() } else { String::new() },
            ..address(&format!("10.0.0.{host}"))
        };
        (1..=16)
            .map(|host| failing(endpoint(host), &[5432]))
            .collect()
    };
    let sweeps = |named: bool| -> Vec<_> {
        (0..12)
            .map(|index| {
                sweep(
                    60,
                    &format!("n{index}"),
                    &format!("app{index}"),
                    hosts(named),
                )
            })
            .collect()
    };
    let mut log = Log::new();
    let raised: Vec<_> = sweeps(true).iter().flat_map(|it| log.commit(it)).collect();
    assert_eq!(raised.len(), 1, "{raised:#?}");
    let down = raised[0].targets[0].endpoint.as_ref().unwrap();
    assert_eq!(
        (down.namespace.as_str(), down.workload.as_str()),
        ("data", "db")
    );
    check(&sweeps(false), &[]);
    // From a hundred on it is a scan, whatever failed.
    let mut grown = sweeps(false);
    for event in &mut grown {
        event.severity = v1::Severity::High.into();
    }
    check(&grown, &["distributed_scan"]);
}

//! What pods of several nodes do together is told of once, in order, and for good.

use std::time::SystemTime;

use api::{
    correlations::COLLECTOR,
    v1::{self, Filter, State, Technique, Timestamp, subscribe_request::From},
};
use tonic::Code;

use crate::{
    agent::Agent,
    engine::{Engine, on_each_engine},
    harness::{Collector, all, beginning, event},
    subscriber::Subscriber,
};

on_each_engine! {
    a_target_scanned_from_three_nodes_is_one_distributed_scan_across_a_restart,
    fifty_clients_of_one_dead_target_are_one_note_and_the_rest_can_be_left_out,
    an_innocent_mix_is_only_what_it_is,
    a_correlation_is_not_raised_by_a_commit_that_failed,
    what_is_old_is_closed_by_the_clock,
    nobody_speaks_for_the_collector,
}

/// Just now: what is older is closed soon.
#[expect(clippy::disallowed_methods, reason = "it is an agent's clock")]
pub(crate) fn scan(node: &str, sequence: u64, source: &str, ports: &[u32]) -> v1::Event {
    let now = Some(Timestamp::from(SystemTime::now()));
    let mut event = event(node, sequence);
    event.source = Some(v1::Endpoint {
        namespace: "default".into(),
        pod: source.into(),
        ..Default::default()
    });
    let target = &mut event.targets[0];
    target.sample_ports = ports.to_vec();
    target.failed_ports = u32::try_from(ports.len()).unwrap();
    v1::Event {
        raised_at: now,
        crossed_at: now,
        first_seen: now,
        last_seen: now,
        technique: Technique::TcpConnect.into(),
        ..event
    }
}

pub(crate) async fn publish(agent: &mut Agent, events: Vec<v1::Event>) {
    agent.send_batch(events).await;
    assert_eq!(agent.acknowledged().await.refusals, []);
}

/// The detectors of the next events, and the anomalies they are part of.
async fn told(subscriber: &mut Subscriber, count: usize) -> Vec<v1::Event> {
    let mut events = Vec::new();
    for _ in 0..count {
        events.push(subscriber.event().await);
    }
    let cursors = events.iter().map(|event| event.cursor);
    assert!(cursors.clone().eq(1..=events.len() as u64), "{cursors:?}");
    events
}

async fn a_target_scanned_from_three_nodes_is_one_distributed_scan_across_a_restart(
    engine: Engine,
) {
    let collector = Collector::start(&engine).await;
    let mut live = collector.subscribe(From::Now(true), all()).await;
    for (node, first) in [("n1", 10), ("n2", 30), ("n3", 50)] {
        let ports: Vec<_> = (first..first + 10).collect();
        let mut agent = collector.agent(node).await;
        publish(
            &mut agent,
            vec![scan(node, 1, &format!("app-of-{node}"), &ports)],
        )
        .await;
    }
    let events = told(&mut live, 4).await;
    let opened = &events[3];
    assert_eq!(opened.detector, "distributed_scan");
    assert_eq!((opened.state(), opened.counted), (State::Opened, 3));
    let sources = ["n1", "n2", "n3"].map(|node| format!("default/app-of-{node}"));
    assert_eq!(opened.samples, sources);
    let members: Vec<_> = events[..3].iter().map(|it| it.anomaly_id.clone()).collect();
    assert_eq!(opened.correlated, members);
    let target = opened.targets[0].endpoint.as_ref().unwrap();
    assert_eq!(target.address, "10.244.147.93");
    let id = opened.id.clone().unwrap();
    assert_eq!((id.node.as_str(), id.sequence), (COLLECTOR, 1));

    // After a restart it is still open: what comes again, or comes on top, opens nothing.
    let collector = collector.restart().await;
    for (node, first) in [("n1", 10), ("n2", 30), ("n4", 70)] {
        let ports: Vec<_> = (first..first + 10).collect();
        let mut agent = collector.agent(node).await;
        let source = format!("app-of-{node}");
        publish(
            &mut agent,
            vec![
                scan(node, 1, &source, &ports),
                scan(node, 2, &source, &ports),
            ],
        )
        .await;
    }
    let mut again = collector.subscribe(beginning(), all()).await;
    let events = told(&mut again, 8).await;
    assert_eq!(events[3], *opened);
    for late in &events[4..] {
        assert_eq!(late.detector, "port_scan");
        assert_eq!(late.correlated_into, opened.anomaly_id, "{late:?}");
    }
    let told_of_own = Filter {
        nodes: vec![COLLECTOR.into()],
        ..all()
    };
    let mut own = collector.subscribe(beginning(), told_of_own).await;
    assert_eq!(own.event().await, *opened);
    let page = collector.page("/metrics").await;
    let open = "picket_collector_open_correlations 1";
    assert!(page.lines().any(|line| line == open), "{page}");
    collector.stop().await;
}

async fn fifty_clients_of_one_dead_target_are_one_note_and_the_rest_can_be_left_out(
    engine: Engine,
) {
    let collector = Collector::start(&engine).await;
    let ports: Vec<_> = (9000..9012).collect();
    let mut raised = 0;
    for node in ["n1", "n2"] {
        let pods = (1..=25).map(|it| scan(node, it, &format!("web-of-{node}-{it}"), &ports));
        publish(&mut collector.agent(node).await, pods.collect()).await;
        raised += 25;
    }
    let mut subscriber = collector.subscribe(beginning(), all()).await;
    let events = told(&mut subscriber, raised + 1).await;
    let own: Vec<_> = events
        .iter()
        .filter(|it| it.detector != "port_scan")
        .collect();
    let [down] = own[..] else {
        panic!("{own:?}");
    };
    assert_eq!(down.detector, "dependency_down");
    assert_eq!(down.severity(), v1::Severity::Info);
    assert_eq!(down.cursor, 11, "right behind the tenth");

    let one_note = Filter {
        exclude_correlated: true,
        ..all()
    };
    let mut subscriber = collector.subscribe(beginning(), one_note).await;
    let events = told(&mut subscriber, 11).await;
    assert_eq!(events[10], *down);
    assert_eq!(subscriber.heartbeat().await, 51);
    collector.stop().await;
}

async fn an_innocent_mix_is_only_what_it_is(engine: Engine) {
    let collector = Collector::start(&engine).await;
    for node in ["n1", "n2", "n3"] {
        let mut agent = collector.agent(node).await;
        let pods = (1..=20_u32).map(|it| {
            let ports: Vec<_> = (it * 20..it * 20 + 10).collect();
            let mut scan = scan(node, it.into(), &format!("{node}-app{it}x"), &ports);
            scan.targets[0].endpoint.get_or_insert_default().address =
                format!("{node}::{it}").replace('n', "fd0");
            scan
        });
        publish(&mut agent, pods.collect()).await;
    }
    let mut subscriber = collector.subscribe(beginning(), all()).await;
    for event in told(&mut subscriber, 60).await {
        assert_eq!(
            (event.detector.as_str(), event.correlated_into.as_str()),
            ("port_scan", "")
        );
    }
    collector.stop().await;
}

async fn a_correlation_is_not_raised_by_a_commit_that_failed(engine: Engine) {
    let collector = Collector::start(&engine).await;
    let scans = |sequence| {
        ["a", "b", "c", "d", "e", "f"]
            .iter()
            .zip(sequence..)
            .map(|(source, sequence)| {
                let first = u32::try_from(sequence).unwrap() * 20;
                let ports: Vec<_> = (first..first + 10).collect();
                scan("n1", sequence, &format!("{source}-app"), &ports)
            })
            .collect::<Vec<_>>()
    };
    // The fifth opens it, and then the sixth cannot be stored: nothing of the batch is.
    let other = collector.other().await;
    other.break_at(6).await;
    let mut agent = collector.agent("n1").await;
    agent.send_batch(scans(1)).await;
    let status = agent.next().await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    other.mend().await;

    let mut agent = collector.agent("n1").await;
    publish(&mut agent, scans(1)).await;
    let mut subscriber = collector.subscribe(beginning(), all()).await;
    let events = told(&mut subscriber, 7).await;
    assert_eq!(events[5].detector, "distributed_scan");
    assert_eq!(events[5].id.as_ref().unwrap().sequence, 1);
    collector.stop().await;
}

async fn what_is_old_is_closed_by_the_clock(engine: Engine) {
    let collector = Collector::start(&engine).await;
    let mut agent = collector.agent("n1").await;
    // Raised years ago.
    let old = (1..=5).map(|sequence| {
        let mut event = event("n1", sequence);
        event.source.get_or_insert_default().address = format!("10.244.1.{sequence}");
        event
    });
    publish(&mut agent, old.collect()).await;
    let mut subscriber = collector.subscribe(beginning(), all()).await;
    let events = told(&mut subscriber, 7).await;
    assert_eq!(
        (events[5].state(), events[6].state()),
        (State::Opened, State::Closed)
    );
    assert_eq!(events[5].anomaly_id, events[6].anomaly_id);
    collector.stop().await;
}

async fn nobody_speaks_for_the_collector(engine: Engine) {
    let collector = Collector::start(&engine).await;
    let status = Agent::connect(collector.channel().await, COLLECTOR)
        .await
        .err();
    let status = status.expect("the name is the collector's");
    assert_eq!(status.code(), Code::InvalidArgument);
    let mut agent = collector.agent("n1").await;
    let mut forged = event("n1", 1);
    forged.correlated_into = "@collector/1/dependency_down/1".into();
    forged.correlated = vec!["n2/1/1.1/port_scan/1".into()];
    let labels = &mut forged.source.get_or_insert_default().labels;
    labels.insert("app".into(), "trusted".into());
    publish(&mut agent, vec![forged]).await;
    let mut subscriber = collector.subscribe(beginning(), all()).await;
    let stored = subscriber.event().await;
    assert_eq!(
        (stored.correlated_into.as_str(), stored.correlated.len()),
        ("", 0)
    );
    assert!(stored.source.unwrap().labels.is_empty());
    collector.stop().await;
}

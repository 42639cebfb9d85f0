//! Nodes that come, go, and are too many.

use prometheus_client::registry::Registry;

use super::*;

fn hello(node: &str) -> v1::Hello {
    v1::Hello {
        node: node.into(),
        epoch: 1,
        version: "0.1.0".into(),
        ..Default::default()
    }
}

fn nodes() -> Nodes {
    Nodes::new(
        Metrics::new(&mut Registry::default()),
        watch::channel(None).1,
    )
}

fn now(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn connected(nodes: &Nodes) -> Vec<(String, bool)> {
    let known = nodes.lock();
    let nodes = known.values();
    nodes
        .map(|known| (known.node.name.clone(), known.node.connected))
        .collect()
}

#[test]
fn a_node_stays_known_after_its_stream() {
    let nodes = nodes();
    let n2 = nodes.connect(&hello("n2"), now(1)).unwrap();
    let n1 = nodes.connect(&hello("n1"), now(2)).unwrap();
    assert_eq!(nodes.metrics.connected.get(), 2);
    drop(n2);
    assert_eq!(
        connected(&nodes),
        [("n1".into(), true), ("n2".into(), false)]
    );
    assert_eq!(nodes.metrics.connected.get(), 1);
    drop(n1);
}

#[test]
fn a_newer_stream_takes_over_and_the_older_one_changes_nothing_more() {
    let nodes = nodes();
    let older = nodes.connect(&hello("n1"), now(1)).unwrap();
    older.status(
        v1::NodeStatus {
            events_pending: 7,
            ..Default::default()
        },
        now(1),
    );
    let newer = nodes.connect(&hello("n1"), now(2)).unwrap();
    assert!(older.replaced().is_cancelled());
    assert!(!newer.replaced().is_cancelled());
    older.seen(now(9));
    older.status(v1::NodeStatus::default(), now(9));
    drop(older);
    let node = nodes.lock()["n1"].node.clone();
    assert!(node.connected);
    assert_eq!(node.last_seen, Some(now(2).into()));
    assert_eq!(
        node.status.unwrap().events_pending,
        7,
        "kept until the next"
    );
}

#[test]
fn a_test_is_asked_of_those_that_are_connected() {
    let nodes = nodes();
    let mut n1 = nodes.connect(&hello("n1"), now(1)).unwrap();
    drop(nodes.connect(&hello("n2"), now(1)).unwrap());
    assert!(nodes.test("").is_err() && nodes.test("a/b").is_err());
    assert_eq!(nodes.test("7").unwrap(), ["n1"]);
    let asked = n1.take_asked().try_recv().unwrap();
    assert_eq!(asked, Item::Selftest(v1::Selftest { id: "7".into() }));
}

#[test]
fn a_node_that_the_cluster_has_no_more_is_forgotten_once_its_agent_has_left() {
    let nodes = nodes();
    let leaving = nodes.connect(&hello("n1"), now(1)).unwrap();
    drop(nodes.connect(&hello("n2"), now(2)).unwrap());
    nodes.forget_gone(|node| node == "n2");
    assert_eq!(
        connected(&nodes),
        [("n1".into(), true), ("n2".into(), false)]
    );
    drop(leaving);
    nodes.forget_gone(|node| node == "n2");
    assert_eq!(connected(&nodes), [("n2".into(), false)]);
}

#[test]
fn names_without_end_take_the_place_of_those_that_left_longest_ago() {
    let nodes = nodes();
    let mut connected: Vec<_> = (1..MOST)
        .map(|index| nodes.connect(&hello(&format!("n{index}")), now(2)).unwrap())
        .collect();
    drop(nodes.connect(&hello("former"), now(1)).unwrap());
    connected.push(nodes.connect(&hello("more"), now(3)).unwrap());
    assert!(!nodes.lock().contains_key("former"));
    let error = nodes.connect(&hello("still"), now(4)).unwrap_err();
    assert!(error.to_string().contains("`still`"), "{error}");
    nodes.connect(&hello("n7"), now(4)).unwrap();
}

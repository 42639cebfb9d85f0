//! Whose an address is, and what agents are told, as Services come and go.

use super::*;

fn service(name: &str, address: &str) -> Service {
    let json = serde_json::json!({
        "metadata": {"namespace": "blue", "name": name, "creationTimestamp": "1970-01-01T00:01:40Z"},
        "spec": {"clusterIP": address, "clusterIPs": [address], "ports": [
            {"port": 80, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}]},
    });
    serde_json::from_value(json).unwrap()
}

fn slice(name: &str, endpoints: serde_json::Value) -> Slice {
    serde_json::from_value(serde_json::json!({
        "metadata": {"namespace": "blue", "name": name, "labels": {OF_SERVICE: "db"}},
        "addressType": "IPv4",
        "endpoints": endpoints,
        "ports": [{"port": 5432, "protocol": "TCP"}],
    }))
    .unwrap()
}

fn at<'a>(services: &'a Services, address: &str, seconds: u64) -> Option<&'a str> {
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let service = services.at(address.parse().unwrap(), Some(at));
    service.map(|(_, name)| name.as_str())
}

/// Names of what is told, and of what is forgotten.
fn told(news: &News) -> (Vec<&str>, Vec<&str>) {
    match news {
        News::Whole(services) => (
            services.iter().map(|it| it.name.as_str()).collect(),
            vec!["whole"],
        ),
        News::Changes(changes) => (
            changes.services.iter().map(|it| it.name.as_str()).collect(),
            changes
                .forgotten
                .iter()
                .map(|it| it.name.as_str())
                .collect(),
        ),
    }
}

#[test]
fn an_address_is_of_the_service_that_has_it_since_it_is_there() {
    let mut services = Services::default();
    services.service(&service("web", "10.96.0.7"), false);
    assert_eq!(at(&services, "10.96.0.7", 100), Some("web"));
    assert_eq!(at(&services, "10.96.0.7", 98), None, "of one before it");
    services.service(&service("web", "10.96.0.8"), false);
    assert_eq!(at(&services, "10.96.0.7", 200), None);
    services.service(&service("web", "10.96.0.8"), true);
    assert_eq!(at(&services, "10.96.0.8", 200), None);
    assert_eq!(services.len(), 0);
    assert!(services.by_address.is_empty());
}

#[test]
fn an_address_that_services_share_is_of_neither_and_stays_that_of_the_other() {
    let mut services = Services::default();
    services.service(&service("web", "192.0.2.7"), false);
    services.service(&service("dns", "192.0.2.7"), false);
    assert_eq!(at(&services, "192.0.2.7", 200), None);
    services.service(&service("web", "192.0.2.7"), true);
    assert_eq!(at(&services, "192.0.2.7", 200), Some("dns"));
    services.keep(&BTreeSet::new());
    assert!(services.by_address.is_empty());
}

#[test]
fn only_what_is_nobodys_is_of_the_service_that_it_is_behind() {
    let of_node = serde_json::json!({"kind": "Node", "name": "n1"});
    let mut services = Services::default();
    services.slice(
        &slice(
            "db-1",
            serde_json::json!([{"addresses": ["192.0.2.1"]}, {"addresses": ["192.0.2.2"], "targetRef": of_node}]),
        ),
        false,
    );
    assert_eq!(at(&services, "192.0.2.1", 200), Some("db"));
    assert_eq!(at(&services, "192.0.2.2", 200), None, "of a node");
    services.keep_slices(&BTreeSet::new());
    assert_eq!(at(&services, "192.0.2.1", 200), None);
    assert!(services.slices.is_empty() && services.by_endpoint.is_empty());
    assert!(services.by_service.is_empty());
}

#[test]
fn agents_are_told_what_declares_something_and_then_what_changes() {
    let mut services = Services::default();
    services.service(&service("web", "10.96.0.7"), false);
    services.service(&service("db", "None"), false);
    let (seen, news) = services.news(None);
    assert_eq!(told(&news), (vec!["web"], vec!["whole"]), "db is headless");

    services.slice(
        &slice(
            "db-1",
            serde_json::json!([{"addresses": ["10.0.0.1", "10.0.0.2"]}]),
        ),
        false,
    );
    let (seen, news) = services.news(Some(seen));
    assert_eq!(told(&news), (vec!["db"], vec![]));
    let News::Changes(changes) = news else {
        panic!("the whole was told before");
    };
    let endpoints = &changes.services[0].endpoints;
    assert_eq!(endpoints[0].ipv4, [10, 0, 0, 1, 10, 0, 0, 2]);
    assert_eq!(endpoints[0].ports[0].port, 5432);

    services.slice(
        &slice(
            "db-1",
            serde_json::json!([{"addresses": ["10.0.0.2", "10.0.0.1"]}]),
        ),
        false,
    );
    assert_eq!(services.revision(), seen, "the same in another order");
    services.service(&service("web", "10.96.0.7"), true);
    let (_, news) = services.news(Some(seen));
    assert_eq!(told(&news), (vec![], vec!["web"]));
}

#[test]
fn of_too_many_endpoints_the_rest_is_counted_and_not_told() {
    let mut services = Services::default();
    for index in 0..66_u8 {
        let addresses =
            (0..1000_u32).map(|it| std::net::Ipv4Addr::from(u32::from(index) << 16 | it));
        let addresses: Vec<_> = addresses.map(|it| it.to_string()).collect();
        services.slice(
            &slice(
                &index.to_string(),
                serde_json::json!([{"addresses": addresses}]),
            ),
            false,
        );
    }
    assert_eq!((services.endpoints, services.dropped), (65_000, 1));
    let News::Whole(told) = services.news(None).1 else {
        panic!("nothing was told before");
    };
    let bytes: usize = told.iter().map(api::encoding::size).sum();
    assert!(bytes < 65_000 * 5, "an agent is told {bytes} bytes");
    services.keep_slices(&BTreeSet::new());
    assert_eq!(services.endpoints, 0);
}

#[test]
fn a_port_is_declared_at_the_services_own_address_and_behind_it() {
    let mut services = Services::default();
    services.service(&service("db", "10.96.0.7"), false);
    let pods = serde_json::json!([{"addresses": ["10.0.0.9"], "targetRef": {"kind": "Pod"}}]);
    services.slice(&slice("db-1", pods.clone()), false);
    let declares = |services: &Services, address: &str, transport, port| {
        let address = address.parse().unwrap();
        let service = services.declares(address, transport, port);
        service.map(|(_, name)| name.clone())
    };
    for (address, transport, port, expected) in [
        ("10.96.0.7", v1::Transport::Tcp, 80, true),
        ("10.96.0.7", v1::Transport::Udp, 80, false),
        ("10.96.0.7", v1::Transport::Tcp, 5432, false),
        ("10.0.0.9", v1::Transport::Tcp, 5432, true),
        ("10.0.0.9", v1::Transport::Tcp, 80, false),
        ("10.0.0.8", v1::Transport::Tcp, 5432, false),
    ] {
        let told = declares(&services, address, transport, port);
        assert_eq!(
            told.as_deref(),
            expected.then_some("db"),
            "{address} {port}"
        );
    }
    services.slice(&slice("db-1", pods), true);
    assert_eq!(
        declares(&services, "10.0.0.9", v1::Transport::Tcp, 5432),
        None
    );
    assert!(services.by_declared.is_empty());
}

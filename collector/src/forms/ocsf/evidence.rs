//! Who did it to whom, as evidences, resources and observables have it.

use api::v1;
use serde_json::{Value, json};

use super::super::parts;

/// What a resource has to do with the finding.
#[derive(Clone, Copy, Debug)]
enum Role {
    Target = 1,
    Actor = 2,
    Affected = 3,
    Related = 4,
}

impl Role {
    const fn name(self) -> &'static str {
        match self {
            Self::Target => "Target",
            Self::Actor => "Actor",
            Self::Affected => "Affected",
            Self::Related => "Related",
        }
    }
}

/// One for each target; the source alone when there is none.
pub(super) fn evidences(event: &v1::Event) -> Vec<Value> {
    let source = parts::source(event).map(endpoint).unwrap_or_default();
    if event.targets.is_empty() {
        return vec![json!({"src_endpoint": source})];
    }
    let connection = connection(event);
    let evidence = |target: &v1::Target| {
        let mut destination = target.endpoint.as_ref().map(endpoint).unwrap_or_default();
        if let (Some(port), false) = (target.sample_ports.first(), destination.is_null()) {
            destination["port"] = json!(port);
        }
        json!({
            "src_endpoint": source,
            "dst_endpoint": destination,
            "connection_info": connection,
            "data": {
                "failed_ports": target.failed_ports,
                "answered_ports": target.answered_ports,
                "sample_ports": target.sample_ports,
            },
        })
    };
    event.targets.iter().map(evidence).collect()
}

/// Null when nothing is known of it, for one of these has to be there.
fn endpoint(endpoint: &v1::Endpoint) -> Value {
    let endpoint = parts::pruned(json!({
        "ip": parts::ip(endpoint),
        "name": parts::name(endpoint),
        "uid": endpoint.uid,
        "svc_name": endpoint.service,
        "interface_name": endpoint.interface,
    }));
    match endpoint.as_object().is_some_and(|it| !it.is_empty()) {
        true => endpoint,
        false => Value::Null,
    }
}

fn connection(event: &v1::Event) -> Value {
    let (direction, name) = match parts::source(event) {
        Some(_) => (2, "Outbound"),
        None => (1, "Inbound"),
    };
    let protocol = parts::protocol(event);
    json!({
        "direction_id": direction,
        "direction": name,
        "protocol_name": protocol.map(|it| it.0),
        "protocol_num": protocol.map(|it| it.1),
    })
}

/// The pods, what made them, the nodes they are on, and the Services that were tried.
pub(super) fn resources(event: &v1::Event) -> Vec<Value> {
    let source = parts::source(event).map(|it| (it, Role::Actor));
    let role = match source {
        Some(_) => Role::Target,
        None => Role::Affected,
    };
    let targets = event.targets.iter().filter_map(|it| it.endpoint.as_ref());
    let endpoints = source.into_iter().chain(targets.map(|it| (it, role)));
    let mut resources = Vec::new();
    for (endpoint, role) in endpoints {
        for resource in of_endpoint(endpoint, role) {
            if !resources.contains(&resource) {
                resources.push(resource);
            }
        }
    }
    resources
}

fn of_endpoint(endpoint: &v1::Endpoint, role: Role) -> Vec<Value> {
    let resource = |kind: &str, name: &str, role: Role| {
        json!({
            "type": kind,
            "name": name,
            "role_id": role as u32,
            "role": role.name(),
        })
    };
    let mut resources = Vec::new();
    let mut put = |mut resource: Value, is_namespaced: bool| {
        if resource["name"] != "" {
            if is_namespaced {
                resource["namespace"] = json!(endpoint.namespace);
            }
            resources.push(parts::pruned(resource));
        }
    };
    let mut pod = resource("Pod", &endpoint.pod, role);
    pod["uid"] = json!(endpoint.uid);
    pod["ip"] = json!(parts::ip(endpoint));
    pod["labels"] = endpoint
        .labels
        .iter()
        .map(|(key, value)| json!(format!("{key}={value}")))
        .collect();
    put(pod, true);
    let kind = endpoint.owner.as_ref().map_or("", |it| &it.kind);
    let kind = if kind.is_empty() { "Workload" } else { kind };
    let of_all = match endpoint.workload.is_empty() {
        true => Role::Related,
        false => role,
    };
    put(resource(kind, parts::workload(endpoint), of_all), true);
    put(resource("Service", &endpoint.service, role), true);
    put(
        resource("Namespace", &endpoint.namespace, Role::Related),
        false,
    );
    put(resource("Node", &endpoint.node, Role::Related), false);
    resources
}

/// What to look for elsewhere, with the path to where it stands here.
pub(super) fn observables(event: &v1::Event) -> Vec<Value> {
    const ADDRESS: (u32, &str) = (2, "IP Address");
    const RESOURCE: (u32, &str) = (38, "Resource Details Object: name");
    let observable = |path: String, (kind, name): (u32, &str), value: String| json!({"name": path, "type_id": kind, "type": name, "value": value});
    let mut observables = Vec::new();
    let source = parts::source(event).map(|it| ("evidences[0].src_endpoint.ip".to_owned(), it));
    let targets = event.targets.iter().enumerate();
    let targets = targets.filter_map(|(at, it)| {
        Some((
            format!("evidences[{at}].dst_endpoint.ip"),
            it.endpoint.as_ref()?,
        ))
    });
    for (path, endpoint) in source.into_iter().chain(targets) {
        observables.extend(parts::ip(endpoint).map(|it| observable(path, ADDRESS, it)));
    }
    for (at, resource) in resources(event).iter().enumerate() {
        if let (Some("Pod"), Some(name)) = (resource["type"].as_str(), resource["name"].as_str()) {
            observables.push(observable(
                format!("resources[{at}].name"),
                RESOURCE,
                name.to_owned(),
            ));
        }
    }
    observables
}

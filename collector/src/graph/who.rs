//! Who an endpoint is at a level of detail: its vertex.

use api::v1::{self, Detail, VertexKind};

/// What makes a vertex one and the same in every answer.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct Who {
    pub(super) kind: i32,
    pub(super) namespace: String,
    pub(super) name: String,
    /// Of a workload.
    pub(super) owner_kind: String,
}

impl Who {
    fn new(kind: VertexKind, namespace: &str, name: &str) -> Self {
        Self {
            kind: kind.into(),
            namespace: namespace.into(),
            name: name.into(),
            owner_kind: String::new(),
        }
    }

    /// The vertex of a pod.
    pub(super) fn of_pod(pod: &v1::Pod, detail: Detail) -> Self {
        Self::named(&pod.namespace, &pod.name, pod.owner.as_ref(), detail)
    }

    /// The vertex of whoever has the endpoint.
    pub(super) fn of(endpoint: &v1::Endpoint, detail: Detail) -> Self {
        let v1::Endpoint {
            namespace,
            pod,
            service,
            workload,
            node,
            address,
            owner,
            ..
        } = endpoint;
        if !pod.is_empty() {
            return Self::named(namespace, pod, owner.as_ref(), detail);
        }
        match detail {
            Detail::Namespaces if !namespace.is_empty() => {
                Self::new(VertexKind::Namespace, namespace, namespace)
            }
            _ if !workload.is_empty() => Self::new(VertexKind::Workload, namespace, workload),
            _ if !service.is_empty() => Self::new(VertexKind::Service, namespace, service),
            _ if !node.is_empty() => Self::new(VertexKind::Node, "", node),
            // Their number is nobody's to bound.
            Detail::Namespaces | Detail::Unspecified => Self::new(VertexKind::Outside, "", ""),
            Detail::Workloads | Detail::Pods => Self::new(VertexKind::Outside, "", address),
        }
    }

    fn named(namespace: &str, pod: &str, owner: Option<&v1::Owner>, detail: Detail) -> Self {
        match (detail, owner) {
            (Detail::Namespaces | Detail::Unspecified, _) => {
                Self::new(VertexKind::Namespace, namespace, namespace)
            }
            (Detail::Workloads, Some(owner)) => Self {
                owner_kind: owner.kind.clone(),
                ..Self::new(VertexKind::Workload, namespace, &owner.name)
            },
            (Detail::Workloads, None) => {
                let name = api::workload::of_pod(pod);
                Self::new(VertexKind::Workload, namespace, name)
            }
            (Detail::Pods, _) => Self::new(VertexKind::Pod, namespace, pod),
        }
    }

    /// Names it for clients.
    pub(super) fn id(&self) -> String {
        let kind = api::names::vertex(self.kind);
        let Self {
            namespace,
            name,
            owner_kind,
            ..
        } = self;
        format!("{kind}/{namespace}/{owner_kind}/{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_one_vertex_at_each_level() {
        let pod = v1::Endpoint {
            namespace: "blue".into(),
            pod: "web-7d9f4c-x2x4z".into(),
            address: "10.0.0.1".into(),
            owner: Some(v1::Owner {
                kind: "Deployment".into(),
                name: "web".into(),
            }),
            ..Default::default()
        };
        let service = v1::Endpoint {
            namespace: "blue".into(),
            service: "db".into(),
            ..Default::default()
        };
        let node = v1::Endpoint {
            node: "n1".into(),
            ..Default::default()
        };
        let outside = v1::Endpoint {
            address: "1.1.1.1".into(),
            ..Default::default()
        };
        for (endpoint, ids) in [
            (
                &pod,
                [
                    "namespace/blue//blue",
                    "workload/blue/Deployment/web",
                    "pod/blue//web-7d9f4c-x2x4z",
                ],
            ),
            (
                &service,
                [
                    "namespace/blue//blue",
                    "service/blue//db",
                    "service/blue//db",
                ],
            ),
            (&node, ["node///n1"; 3]),
            (
                &outside,
                ["outside///", "outside///1.1.1.1", "outside///1.1.1.1"],
            ),
        ] {
            let told = [Detail::Namespaces, Detail::Workloads, Detail::Pods];
            let told = told.map(|detail| Who::of(endpoint, detail).id());
            assert_eq!(told, ids);
        }
    }
}

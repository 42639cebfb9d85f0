//! The policy as YAML, with what it does and what it would cut as comments.

use api::v1;

use crate::{names, palette::harmless, time};

/// The label that the person puts on the one pod.
const LABEL: &str = "picket.dev/quarantine";
/// Enough of a uid to tell pods of one namespace apart.
const PREFIX: usize = 8;
const DNS: u32 = 53;

/// What the quarantined pod may still do.
#[derive(Debug, Default)]
pub(super) struct Allowed {
    /// Ask the cluster's DNS.
    pub(super) dns: bool,
    /// Be reached from these namespaces.
    pub(super) from: Vec<String>,
    /// Reach these namespaces.
    pub(super) to: Vec<String>,
}

/// The lines.
pub(super) fn render(described: &v1::DescribeResponse, allowed: &Allowed) -> Vec<String> {
    let pod = described.pod.clone().unwrap_or_default();
    let mark: String = pod.uid.chars().take(PREFIX).collect();
    let (namespace, name) = (harmless(&pod.namespace), harmless(&pod.name));
    let policy = format!("picket-quarantine-{mark}");
    let mut lines = vec![
        format!("# Quarantines {namespace}/{name}: nothing reaches it, and it reaches nothing,"),
        format!(
            "# but what is allowed below. It takes a network plugin that enforces NetworkPolicies."
        ),
        "# Other policies that select the pod still allow what they allow. Most plugins cut".into(),
        "# established connections too; not all do.".into(),
        "#".into(),
        "# To apply it, label the one pod, and hand this text to kubectl:".into(),
        format!("#   kubectl label pod --namespace {namespace} {name} {LABEL}={mark}"),
        format!("#   picket policy {namespace}/{name} | kubectl apply -f -"),
        "# To undo it:".into(),
        format!("#   kubectl label pod --namespace {namespace} {name} {LABEL}-"),
        format!("#   kubectl delete networkpolicy --namespace {namespace} {policy}"),
    ];
    if !described.protected.is_empty() {
        lines.push("#".into());
        let why = harmless(&described.protected);
        lines.push(format!("# Picket itself would not contain it: {why}."));
    }
    lines.extend(cuts(described, allowed));
    lines.extend([
        "apiVersion: networking.k8s.io/v1".into(),
        "kind: NetworkPolicy".into(),
        "metadata:".into(),
        format!("  name: {policy}"),
        format!("  namespace: {namespace}"),
        "spec:".into(),
        "  podSelector:".into(),
        "    matchLabels:".into(),
        format!("      {LABEL}: \"{mark}\""),
        "  policyTypes: [Ingress, Egress]".into(),
    ]);
    let peer = |namespace: &String| {
        format!(
            "namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: \"{namespace}\"}}}}"
        )
    };
    lines.push(list("ingress", allowed.from.is_empty()));
    if !allowed.from.is_empty() {
        lines.push("  - from:".into());
        lines.extend(allowed.from.iter().map(|it| format!("    - {}", peer(it))));
    }
    lines.push(list("egress", allowed.to.is_empty() && !allowed.dns));
    if !allowed.to.is_empty() {
        lines.push("  - to:".into());
        lines.extend(allowed.to.iter().map(|it| format!("    - {}", peer(it))));
    }
    if allowed.dns {
        lines.push("  - to:".into());
        lines.push(format!("    - {}", peer(&"kube-system".into())));
        lines.push("      podSelector: {matchLabels: {k8s-app: kube-dns}}".into());
        lines.push("    ports:".into());
        for protocol in ["UDP", "TCP"] {
            lines.push(format!("    - {{protocol: {protocol}, port: {DNS}}}"));
        }
    }
    lines
}

fn list(direction: &str, is_empty: bool) -> String {
    let nothing = if is_empty { " []" } else { "" };
    format!("  {direction}:{nothing}")
}

/// What was seen, and whether it would go on.
fn cuts(described: &v1::DescribeResponse, allowed: &Allowed) -> Vec<String> {
    let mut lines = vec!["#".to_owned()];
    if described.edges.is_empty() {
        lines.push("# Within the last hour it was not seen to talk to anybody.".into());
        return lines;
    }
    let (left, cut): (Vec<_>, Vec<_>) = described.edges.iter().partition(|it| passes(it, allowed));
    for (title, edges) in [
        ("# Of what was seen within the last hour, it cuts:", cut),
        ("# Of what was seen within the last hour, it leaves:", left),
    ] {
        if !edges.is_empty() {
            lines.push(title.into());
            let mut edges: Vec<_> = edges.into_iter().map(edge).collect();
            edges.sort();
            edges.dedup();
            lines.extend(edges);
        }
    }
    lines
}

fn passes(edge: &v1::Edge, allowed: &Allowed) -> bool {
    let of = |namespaces: &[String]| namespaces.contains(&edge.namespace);
    if !edge.outbound {
        return of(&allowed.from);
    }
    let named = edge
        .labels
        .get("k8s-app")
        .is_some_and(|it| it == "kube-dns");
    let asks = edge.port == DNS && edge.namespace == "kube-system";
    of(&allowed.to) || allowed.dns && asks && (named || edge.service == "kube-dns")
}

fn edge(edge: &v1::Edge) -> String {
    let direction = if edge.outbound { "to  " } else { "from" };
    let name = names::pod(&edge.namespace, &edge.pod)
        .or_else(|| names::pod(&edge.namespace, &edge.service).map(|it| format!("service {it}")));
    let who = match name {
        Some(name) => format!("{name} ({})", edge.address),
        None => edge.address.clone(),
    };
    let over = edge.transport().as_str_name();
    let over = over.trim_start_matches("TRANSPORT_");
    let last = time::short(edge.last_seen);
    let port = edge.port;
    harmless(&format!(
        "#   {direction} {who} {over} {port}, last at {last}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described() -> v1::DescribeResponse {
        let edge = |namespace: &str, pod: &str, port, outbound| v1::Edge {
            address: "10.0.0.9".into(),
            namespace: namespace.into(),
            pod: pod.into(),
            transport: v1::Transport::Tcp.into(),
            port,
            outbound,
            answered: true,
            ..v1::Edge::default()
        };
        let names = v1::Edge {
            pod: String::new(),
            service: "kube-dns".into(),
            transport: v1::Transport::Udp.into(),
            ..edge("kube-system", "", 53, true)
        };
        v1::DescribeResponse {
            pod: Some(v1::Pod {
                namespace: "blue".into(),
                name: "app1".into(),
                uid: "3f1b7a3e-8c1d".into(),
                ..v1::Pod::default()
            }),
            edges: vec![
                edge("red", "db", 5432, true),
                edge("ingress", "gate", 8080, false),
                names,
            ],
            protected: String::new(),
        }
    }

    fn comments(allowed: &Allowed, title: &str) -> Vec<String> {
        let lines = render(&described(), allowed).into_iter();
        let lines = lines.skip_while(|it| !it.contains(title)).skip(1);
        lines.take_while(|it| it.starts_with("#   ")).collect()
    }

    #[test]
    fn it_tells_what_it_would_cut_and_what_it_would_leave() {
        let all = comments(&Allowed::default(), "it cuts:");
        assert_eq!(all.len(), 3, "{all:?}");
        assert!(all[0].starts_with("#   from ingress/gate (10.0.0.9) TCP 8080, "));
        let allowed = Allowed {
            dns: true,
            from: vec!["ingress".into()],
            to: vec![],
        };
        let cut = comments(&allowed, "it cuts:");
        assert!(cut.len() == 1 && cut[0].contains("red/db"), "{cut:?}");
        assert_eq!(comments(&allowed, "it leaves:").len(), 2);
    }

    #[test]
    fn the_label_is_of_the_one_pod() {
        let text = render(&described(), &Allowed::default()).join("\n");
        for expected in [
            "#   kubectl label pod --namespace blue app1 picket.dev/quarantine=3f1b7a3e\n",
            "  name: picket-quarantine-3f1b7a3e\n  namespace: blue\n",
            "      picket.dev/quarantine: \"3f1b7a3e\"\n",
            "  ingress: []\n  egress: []",
        ] {
            assert!(text.contains(expected), "{expected} is not in\n{text}");
        }
    }
}

//! The policy as YAML, with what it does and what it would cut as comments.

use super::allowed::{Allowed, RESOLVERS};
use crate::{harmless::harmless, times, v1};

/// The label that the person puts on the one pod.
const LABEL: &str = "picket.dev/quarantine";
/// What policies are called, with what tells the pod from others.
const POLICY: &str = "picket-quarantine";
/// Enough of a uid to tell pods of one namespace apart.
const PREFIX: usize = 8;

/// What the policy is called.
#[must_use]
pub fn named(pod: &v1::Pod) -> String {
    format!("{POLICY}-{}", mark(pod))
}

/// The lines. `others` are the policies that still allow the pod something, if somebody knows.
#[must_use]
pub fn render(
    described: &v1::DescribeResponse,
    allowed: &Allowed,
    others: Option<&[String]>,
) -> Vec<String> {
    let pod = described.pod.clone().unwrap_or_default();
    let mark = mark(&pod);
    let (namespace, name) = (harmless(&pod.namespace), harmless(&pod.name));
    let flags = allowed.flags();
    let mut lines = vec![
        format!("# Quarantines {namespace}/{name}: nothing reaches it, and it reaches nothing,"),
        "# but what is allowed below. It takes a network plugin that enforces NetworkPolicies."
            .into(),
        "# Most of them cut established connections too; not all do.".into(),
        "#".into(),
    ];
    lines.extend(still_allowed(&namespace, others));
    lines.extend([
        "# To apply it, label the one pod, and hand this text to kubectl (first with".into(),
        "# --dry-run=server, to see whether the cluster would take it):".into(),
        format!("#   kubectl label pod --namespace {namespace} {name} {LABEL}={mark}"),
        format!("#   picket policy {namespace}/{name}{flags} | kubectl apply -f -"),
        "# To undo it:".into(),
        format!("#   kubectl label pod --namespace {namespace} {name} {LABEL}-"),
        format!("#   kubectl delete networkpolicy --namespace {namespace} {POLICY}-{mark}"),
    ]);
    if !described.protected.is_empty() {
        lines.push("#".into());
        let why = harmless(&described.protected);
        lines.push(format!("# Picket itself would not contain it: {why}."));
    }
    lines.extend(cuts(described, allowed));
    lines.extend(policy(described, allowed));
    lines
}

/// The lines of the policy alone, without comments.
#[must_use]
pub fn policy(described: &v1::DescribeResponse, allowed: &Allowed) -> Vec<String> {
    let pod = described.pod.clone().unwrap_or_default();
    let mark = mark(&pod);
    let mut lines = vec![
        "apiVersion: networking.k8s.io/v1".into(),
        "kind: NetworkPolicy".into(),
        "metadata:".into(),
        format!("  name: {}", named(&pod)),
        format!("  namespace: {}", harmless(&pod.namespace)),
        "spec:".into(),
        "  podSelector:".into(),
        "    matchLabels:".into(),
        format!("      {LABEL}: \"{mark}\""),
        "  policyTypes: [Ingress, Egress]".into(),
    ];
    let peer = |namespace: &str| {
        format!(
            "    - namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: \"{namespace}\"}}}}"
        )
    };
    lines.push(list("ingress", allowed.from.is_empty()));
    if !allowed.from.is_empty() {
        lines.push("  - from:".into());
        lines.extend(allowed.from.iter().map(|it| peer(it)));
    }
    lines.push(list("egress", allowed.to.is_empty() && !allowed.dns));
    if !allowed.to.is_empty() {
        lines.push("  - to:".into());
        lines.extend(allowed.to.iter().map(|it| peer(it)));
    }
    for resolver in RESOLVERS.iter().filter(|_| allowed.dns) {
        let (key, value) = resolver.label;
        lines.push("  - to:".into());
        lines.push(peer(resolver.namespace));
        lines.push(format!(
            "      podSelector: {{matchLabels: {{{key}: {value}}}}}"
        ));
        lines.push("    ports:".into());
        for protocol in ["UDP", "TCP"] {
            let port = resolver.port;
            lines.push(format!("    - {{protocol: {protocol}, port: {port}}}"));
        }
    }
    lines
}

fn mark(pod: &v1::Pod) -> String {
    pod.uid.chars().take(PREFIX).collect()
}

fn list(direction: &str, is_empty: bool) -> String {
    let nothing = if is_empty { " []" } else { "" };
    format!("  {direction}:{nothing}")
}

fn still_allowed(namespace: &str, others: Option<&[String]>) -> Vec<String> {
    match others {
        None => vec![
            "# Other policies that select the pod still allow what they allow. To be told which, add".into(),
            format!(
                "# --policies FILE, of `kubectl get networkpolicy --namespace {namespace} --output json`."
            ),
        ],
        Some([]) => vec!["# No other policy allows it anything.".into()],
        Some(others) => {
            let title = "# Other policies select it, and still allow what they allow:";
            let others = others.iter().map(|it| format!("#   {}", harmless(it)));
            [title.to_owned()].into_iter().chain(others).collect()
        }
    }
}

/// What was seen, and whether it would go on.
fn cuts(described: &v1::DescribeResponse, allowed: &Allowed) -> Vec<String> {
    let mut lines = vec!["#".to_owned()];
    if described.edges.is_empty() {
        lines.push("# Within the last hour it was not seen to talk to anybody.".into());
    }
    let edges = described.edges.iter();
    let (left, cut): (Vec<_>, Vec<_>) = edges.partition(|it| allowed.passes(it));
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
    let further = described.further;
    if further > 0 {
        lines.push(format!(
            "# Not all is listed: it got {further} answers from ends that found no room."
        ));
    }
    let crowded = described.crowded_pods;
    if crowded > 0 {
        lines.push(format!(
            "# {crowded} other pods talked to more ends than are remembered, perhaps to this one."
        ));
    }
    lines
}

fn edge(edge: &v1::Edge) -> String {
    let direction = if edge.outbound { "to  " } else { "from" };
    let v1::Edge {
        address,
        namespace,
        pod,
        service,
        ..
    } = edge;
    let who = match (pod.is_empty(), service.is_empty()) {
        (false, _) => format!("{namespace}/{pod} ({address})"),
        (true, false) => format!("service {namespace}/{service} ({address})"),
        (true, true) => address.clone(),
    };
    let over = edge.transport().as_str_name();
    let over = over.trim_start_matches("TRANSPORT_");
    let last = times::short(edge.last_seen);
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
            ..v1::DescribeResponse::default()
        }
    }

    fn comments(allowed: &Allowed, title: &str) -> Vec<String> {
        let lines = render(&described(), allowed, None).into_iter();
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
    fn what_is_to_be_handed_to_kubectl_is_this_very_policy() {
        let allowed = Allowed {
            dns: true,
            from: vec!["ingress".into(), "probes".into()],
            to: vec!["red".into()],
        };
        let text = render(&described(), &allowed, None).join("\n");
        let again = "#   picket policy blue/app1 --allow-dns --allow-from ingress --allow-from probes \
                     --allow-to red | kubectl apply -f -\n";
        assert!(text.contains(again), "{text}");
        let policy = policy(&described(), &allowed).join("\n");
        assert!(text.ends_with(&policy) && !policy.contains('#'), "{policy}");
    }

    #[test]
    fn it_tells_what_it_does_not_list() {
        let crowded = v1::DescribeResponse {
            edges: vec![],
            further: 7,
            crowded_pods: 2,
            ..described()
        };
        let text = render(&crowded, &Allowed::default(), Some(&[])).join("\n");
        for expected in [
            "not seen to talk to anybody",
            "it got 7 answers",
            "# 2 other pods",
            "# No other policy allows it anything.",
        ] {
            assert!(text.contains(expected), "{expected} is not in\n{text}");
        }
        let all = render(&described(), &Allowed::default(), None).join("\n");
        assert!(!all.contains("found no room") && !all.contains("other pods"));
    }

    #[test]
    fn the_label_is_of_the_one_pod() {
        let text = render(&described(), &Allowed::default(), None).join("\n");
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

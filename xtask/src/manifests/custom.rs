//! Rule: objects that Kubernetes itself does not know have the fields that their makers define.

use serde_json::Value;

use super::object::Object;

/// What may stand at a place.
enum Shape {
    Text,
    Flag,
    Number,
    Word(&'static [&'static str]),
    /// Names with texts.
    Labels,
    List(&'static Shape),
    /// Name, shape, and whether it must be there.
    Fields(&'static [(&'static str, Shape, bool)]),
}

use Shape::{Fields, Flag, Labels, List, Number, Text, Word};

const METADATA: Shape = Fields(&[
    ("name", Text, true),
    ("namespace", Text, false),
    ("labels", Labels, false),
    ("annotations", Labels, false),
]);

/// `cert-manager.io/v1`.
const ISSUER_REF: Shape = Fields(&[
    ("name", Text, true),
    ("kind", Word(&["Issuer", "ClusterIssuer"]), false),
    ("group", Text, false),
]);
const CERTIFICATE: Shape = Fields(&[
    ("secretName", Text, true),
    ("issuerRef", ISSUER_REF, true),
    ("isCA", Flag, false),
    ("commonName", Text, false),
    ("dnsNames", List(&Text), false),
    ("duration", Text, false),
    ("renewBefore", Text, false),
    (
        "usages",
        List(&Word(&["server auth", "client auth", "digital signature"])),
        false,
    ),
    (
        "privateKey",
        Fields(&[
            ("algorithm", Word(&["RSA", "ECDSA", "Ed25519"]), false),
            ("size", Number, false),
            ("rotationPolicy", Word(&["Never", "Always"]), false),
        ]),
        false,
    ),
]);
const ISSUER: Shape = Fields(&[
    ("selfSigned", Fields(&[]), false),
    ("ca", Fields(&[("secretName", Text, true)]), false),
]);

/// `monitoring.coreos.com/v1`.
const SELECTOR: Shape = Fields(&[("matchLabels", Labels, false)]);
const ENDPOINT: Shape = Fields(&[
    ("port", Text, false),
    ("interval", Text, false),
    (
        "relabelings",
        List(&Fields(&[
            ("sourceLabels", List(&Text), false),
            ("targetLabel", Text, false),
        ])),
        false,
    ),
]);
const POD_MONITOR: Shape = Fields(&[
    ("jobLabel", Text, false),
    ("selector", SELECTOR, true),
    ("podMetricsEndpoints", List(&ENDPOINT), true),
]);
const SERVICE_MONITOR: Shape = Fields(&[
    ("jobLabel", Text, false),
    ("selector", SELECTOR, true),
    ("endpoints", List(&ENDPOINT), true),
]);
const RULES: Shape = Fields(&[(
    "groups",
    List(&Fields(&[
        ("name", Text, true),
        (
            "rules",
            List(&Fields(&[
                ("alert", Text, true),
                ("expr", Text, true),
                ("for", Text, false),
                ("labels", Labels, true),
                ("annotations", Labels, true),
            ])),
            true,
        ),
    ])),
    true,
)]);

/// `security.openshift.io/v1`: the fields of the object itself.
const STRATEGY: Shape = Fields(&[("type", Word(&["RunAsAny"]), true)]);
const CONSTRAINTS: &[(&str, Shape, bool)] = &[
    ("users", List(&Text), true),
    ("groups", List(&Text), true),
    ("allowHostNetwork", Flag, true),
    ("allowHostPorts", Flag, true),
    ("allowHostDirVolumePlugin", Flag, true),
    ("allowHostPID", Flag, true),
    ("allowHostIPC", Flag, true),
    ("allowPrivilegedContainer", Flag, true),
    ("allowPrivilegeEscalation", Flag, false),
    ("defaultAllowPrivilegeEscalation", Flag, false),
    ("readOnlyRootFilesystem", Flag, true),
    ("allowedCapabilities", List(&Text), true),
    ("defaultAddCapabilities", List(&Text), true),
    ("requiredDropCapabilities", List(&Text), true),
    ("runAsUser", STRATEGY, true),
    ("seLinuxContext", STRATEGY, true),
    ("fsGroup", STRATEGY, true),
    ("supplementalGroups", STRATEGY, true),
    ("seccompProfiles", List(&Text), false),
    ("volumes", List(&Text), true),
];

/// Kind, version, and the shape of `spec`; where there is none the fields stand in the object itself.
const KINDS: [(&str, &str, Option<Shape>); 6] = [
    ("Certificate", "cert-manager.io/v1", Some(CERTIFICATE)),
    ("Issuer", "cert-manager.io/v1", Some(ISSUER)),
    ("PodMonitor", "monitoring.coreos.com/v1", Some(POD_MONITOR)),
    (
        "ServiceMonitor",
        "monitoring.coreos.com/v1",
        Some(SERVICE_MONITOR),
    ),
    ("PrometheusRule", "monitoring.coreos.com/v1", Some(RULES)),
    (
        "SecurityContextConstraints",
        "security.openshift.io/v1",
        None,
    ),
];

pub(super) fn is_known(kind: &str) -> bool {
    KINDS.iter().any(|(known, ..)| *known == kind)
}

pub(super) fn faults(objects: &[Object]) -> Vec<String> {
    let mut faults = Vec::new();
    for object in objects {
        let Some((_, version, spec)) = KINDS.iter().find(|(kind, ..)| *kind == object.kind())
        else {
            continue;
        };
        let mut fault = |what: String| faults.push(format!("{}: {what}", object.id()));
        if object.text("/apiVersion") != *version {
            fault(format!("its version is not {version}"));
        }
        check(&object.0["metadata"], &METADATA, "metadata", &mut fault);
        match spec {
            Some(spec) => {
                fields(&object.0, &[], &["spec"], "", &mut fault);
                check(&object.0["spec"], spec, "spec", &mut fault);
            }
            None => fields(&object.0, CONSTRAINTS, &[], "", &mut fault),
        }
    }
    faults
}

fn check(value: &Value, shape: &Shape, place: &str, fault: &mut dyn FnMut(String)) {
    let is_right = match shape {
        Text => value.is_string(),
        Flag => value.is_boolean(),
        Number => value.is_u64(),
        Word(words) => value.as_str().is_some_and(|it| words.contains(&it)),
        Labels => value
            .as_object()
            .is_some_and(|it| it.values().all(Value::is_string)),
        List(shape) => {
            for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                check(item, shape, &format!("{place}[{index}]"), fault);
            }
            value.is_array()
        }
        Fields(known) => {
            fields(value, known, &[], place, fault);
            value.is_object()
        }
    };
    if !is_right {
        fault(format!("{place} cannot be {value}"));
    }
}

/// The fields that all objects have may stand beside `known` and `also` at the top.
fn fields(
    value: &Value,
    known: &[(&str, Shape, bool)],
    also: &[&str],
    place: &str,
    fault: &mut dyn FnMut(String),
) {
    let common: &[&str] = match place {
        "" => &["apiVersion", "kind", "metadata"],
        _ => &[],
    };
    for (key, value) in value.as_object().into_iter().flatten() {
        let place = format!("{place}.{key}");
        match known.iter().find(|(name, ..)| name == key) {
            Some((_, shape, _)) => check(value, shape, &place, fault),
            None if common.contains(&key.as_str()) || also.contains(&key.as_str()) => {}
            None => fault(format!("{place} is unknown")),
        }
    }
    for (name, _, must) in known {
        if *must && value.get(name).is_none() {
            fault(format!("{place}.{name} is missing"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifests::object::objects;

    const GOOD: &str = "apiVersion: monitoring.coreos.com/v1\nkind: PodMonitor\n\
                        metadata: {name: a, labels: {a: b}}\n\
                        spec: {selector: {matchLabels: {a: b}}, podMetricsEndpoints: [{port: metrics}]}\n";

    #[test]
    fn what_its_maker_does_not_define_is_a_fault() {
        for (from, to, expected) in [
            ("", "", None),
            ("v1\n", "v1beta1\n", Some("version")),
            (
                "port:",
                "prt:",
                Some("spec.podMetricsEndpoints[0].prt is unknown"),
            ),
            (
                "{a: b}}, pod",
                "{a: 1}}, pod",
                Some("spec.selector.matchLabels cannot be"),
            ),
            (
                "selector: {matchLabels: {a: b}}, ",
                "",
                Some("spec.selector is missing"),
            ),
            ("[{port: metrics}]", "{port: metrics}", Some("cannot be")),
            (
                "kind: PodMonitor\n",
                "kind: PodMonitor\nstatus: {}\n",
                Some(".status is unknown"),
            ),
        ] {
            assert!(GOOD.contains(from), "{from}");
            let found = faults(&objects(&GOOD.replacen(from, to, 1)).unwrap());
            match expected {
                None => assert_eq!(found, Vec::<String>::new()),
                Some(part) => assert!(found.concat().contains(part), "{to}: {found:?}"),
            }
        }
    }
}

//! The program does not start with half of its secrets, nor with something in their place.

use std::fs;

use api::certificates::{Authority, LEAF_DAYS, Purpose};

use crate::{
    harness::now,
    process::{command, refused},
};

#[tokio::test]
async fn a_secret_that_cannot_be_used_is_named_and_nothing_stands_in_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::create(folder.path(), 10, now()).unwrap();
    for name in ["a", "b"] {
        let names = [name.to_owned()];
        let purpose = Purpose::Server(&names);
        authority.issue(purpose, LEAF_DAYS, now()).unwrap();
    }
    for (file, text) in [
        ("nonsense", "nonsense"),
        ("short.token", "short"),
        ("good.token", "0123456789abcdef"),
        (
            "unknown.yaml",
            "subscribers:\n- {name: a, namespace: [b], namespaces: all}\n",
        ),
        (
            "idle.yaml",
            "subscribers:\n- {name: idle, namespaces: all}\n",
        ),
        (
            "none.yaml",
            "subscribers:\n- {name: none, certificate: true, namespaces: []}\n",
        ),
        (
            "short.yaml",
            "subscribers:\n- {name: short, token_file: short.token, namespaces: all}\n",
        ),
        (
            "away.yaml",
            "subscribers:\n- {name: away, token_file: away.token, namespaces: all}\n",
        ),
        (
            "twice.yaml",
            "subscribers:\n\
             - {name: one, token_file: good.token, namespaces: all}\n\
             - {name: two, token_file: good.token, namespaces: all}\n",
        ),
    ] {
        fs::write(folder.path().join(file), text).unwrap();
    }
    let good = ["--tls-cert=server-a.crt", "--tls-key=server-a.key"];
    let known = [good[0], good[1], "--tls-client-ca=ca.crt"];
    let cases: [(&[&str], &[&str]); 18] = [
        (&good[..1], &["--tls-cert", "--tls-key"]),
        (&good[1..], &["--tls-cert", "--tls-key"]),
        (&good, &["--tls-client-ca", "--agent-service-account"]),
        (
            &["--subscribers=idle.yaml"],
            &["--subscribers", "--tls-cert"],
        ),
        (
            &["--tls-client-ca=ca.crt"],
            &["--tls-client-ca", "--tls-cert"],
        ),
        (&[known[0], known[1], known[2], "--insecure"], &["exclude"]),
        (
            &["--tls-cert=away.crt", good[1], known[2]],
            &["away.crt", "certificate"],
        ),
        (
            &["--tls-cert=nonsense", good[1], known[2]],
            &["nonsense", "PEM"],
        ),
        (
            &[good[0], "--tls-key=nonsense", known[2]],
            &["nonsense", "private key"],
        ),
        (
            &[good[0], "--tls-key=server-b.key", known[2]],
            &["server-b.key", "another certificate"],
        ),
        (
            &[good[0], good[1], "--tls-client-ca=nonsense"],
            &["nonsense", "authority"],
        ),
        (
            &[known[0], known[1], known[2], "--tls-crl=ca.crt"],
            &["ca.crt", "X509 CRL"],
        ),
        (
            &[known[0], known[1], known[2], "--subscribers=unknown.yaml"],
            &["unknown.yaml", "`namespace`"],
        ),
        (
            &[known[0], known[1], known[2], "--subscribers=idle.yaml"],
            &["`idle`", "token_file"],
        ),
        (
            &[known[0], known[1], known[2], "--subscribers=none.yaml"],
            &["`none`", "namespaces: all"],
        ),
        (
            &[known[0], known[1], known[2], "--subscribers=short.yaml"],
            &["`short`", "16"],
        ),
        (
            &[known[0], known[1], known[2], "--subscribers=twice.yaml"],
            &["`two`", "another one"],
        ),
        (
            &[known[0], known[1], known[2], "--subscribers=away.yaml"],
            &["away.token"],
        ),
    ];
    for (flags, words) in cases {
        refused(command(folder.path()).args(flags), 2, words).await;
    }
    let account = [
        good[0],
        good[1],
        "--agent-service-account=picket:picket-agent",
    ];
    refused(
        command(folder.path()).args(account),
        2,
        &["--agent-service-account", "API server"],
    )
    .await;
}

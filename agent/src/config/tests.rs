//! What each source may say, and what is said when it may not.

use std::{fs, time::Duration};

use clap::CommandFactory as _;
use detect::{Mode, Settings};

use super::*;
use crate::deliver::Place;

/// What the flags and the file make, or the error as it is printed.
fn read(flags: &[&str], file: &str) -> Result<Config, String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("picket.yaml");
    fs::write(&path, file).unwrap();
    let path = path.to_str().unwrap();
    let mut line = vec!["picket-agent", "--config", path];
    line.extend(flags);
    let matches = Args::command()
        .try_get_matches_from(line)
        .map_err(|error| error.to_string())?;
    Config::read(&matches).map_err(|error| error.to_string().replace(path, "FILE"))
}

#[test]
fn every_default_is_valid() {
    let config = read(&[], "").unwrap();
    assert!(!config.node.is_empty());
    assert!(config.collector.is_none());
    assert_eq!(config.spooling.capacity_bytes, 64 << 20);
    assert_eq!(config.listen, ["127.0.0.1:7401".parse().unwrap()]);
    assert_eq!(config.metrics, "127.0.0.1:7403".parse().unwrap());
    assert_eq!(config.pod_table, None);
    assert_eq!(config.baselines, None);
    assert_eq!(config.datapath.slots, 256);
    assert_eq!(config.datapath.sample_rate, 16);
    assert_eq!(config.datapath.attach, datapath::Attach::Auto);
    assert_eq!(config.datapath.kernel_log, None);
    assert_eq!(config.tick, Duration::from_millis(100));
    assert_eq!(config.canary, Some(Duration::from_secs(60)));
    assert_eq!(*config.policy.settings, Settings::default());
}

#[test]
fn pins_must_be_possible_only_where_somebody_asks_for_them() {
    let (default, own) = ("/sys/fs/bpf/picket", "/run/picket/bpf");
    let at = format!("pin: {default}");
    let cases = [
        (&[][..], "", datapath::Pin::IfPossible(default.into())),
        (&[], at.as_str(), datapath::Pin::At(default.into())),
        (&["--pin", own], "pin: none", datapath::Pin::At(own.into())),
        (&[], "pin: none", datapath::Pin::Nowhere),
    ];
    for (flags, file, expected) in cases {
        let config = read(flags, file).unwrap();
        assert_eq!(config.datapath.pin, expected, "{flags:?}, {file:?}");
    }
}

#[test]
fn a_spool_must_be_possible_only_where_somebody_asks_for_it() {
    let (default, own) = ("/var/lib/picket/spool", "/run/picket/spool");
    let at = format!("spool: {default}");
    let cases = [
        (&[][..], "", Place::IfPossible(default.into()), 64 << 20),
        (&[], at.as_str(), Place::At(default.into()), 64 << 20),
        (
            &["--spool", own, "--spool-bytes", "1048576"],
            "spool: none",
            Place::At(own.into()),
            1 << 20,
        ),
        (
            &[],
            "{spool: none, spool_bytes: 2GiB}",
            Place::Nowhere,
            2 << 30,
        ),
    ];
    for (flags, file, place, capacity_bytes) in cases {
        let config = read(flags, file).unwrap();
        let expected = Spooling {
            place,
            capacity_bytes,
        };
        assert_eq!(config.spooling, expected, "{flags:?}, {file:?}");
    }
}

#[test]
fn the_file_says_what_the_flags_say() {
    let file = "
node: n1
collector: http://127.0.0.1:7400
listen: [127.0.0.1:1, 'unix:/run/picket.sock']
metrics: '[::1]:2'
pod_table: /etc/pods.yaml
baselines: /var/lib/picket/baselines.json
policy: /var/lib/picket/policy.json
interfaces: [cali*, 'lxc[0-9]']
slots: 8
tick: 250ms
sample_rate: 1
attach: clsact
pin: /run/bpf
canary: 30s
kernel_log: debug
log: agent=debug,warn
log_format: json
silence: 1s
detectors:
  port_scan: {failed_ports_per_minute: 11, ports_per_hour: 99}
  ip_sweep: {mode: shadow, quiet: 5m}
  protocol_scan: {mode: off}
";
    let flags = [
        "--node=n1",
        "--collector=http://127.0.0.1:7400",
        "--listen=127.0.0.1:1",
        "--listen=unix:/run/picket.sock",
        "--metrics=[::1]:2",
        "--pod-table=/etc/pods.yaml",
        "--baselines=/var/lib/picket/baselines.json",
        "--policy=/var/lib/picket/policy.json",
        "--interfaces",
        "cali*",
        "lxc[0-9]",
        "--slots=8",
        "--tick=250ms",
        "--sample-rate=1",
        "--attach=clsact",
        "--pin=/run/bpf",
        "--canary=30s",
        "--kernel-log=debug",
        "--log=agent=debug,warn",
        "--log-format=json",
    ];
    let by_file = read(&[], file).unwrap();
    let by_flags = read(&flags, "").unwrap();
    let mut expected = Settings::default();
    expected.outcomes.silence = Duration::from_secs(1);
    expected.port_scan.thresholds.failed_ports_per_minute = 11;
    expected.port_scan.thresholds.ports_per_hour = 99;
    expected.ip_sweep.mode = Mode::Shadow;
    expected.ip_sweep.thresholds.quiet = Duration::from_secs(300);
    expected.protocol_scan.mode = Mode::Off;
    assert_eq!(*by_file.policy.settings, expected);
    let by_file = Config {
        policy: by_flags.policy.clone(),
        ..by_file
    };
    assert_eq!(format!("{by_file:?}"), format!("{by_flags:?}"));
}

#[test]
fn flags_win_over_the_file() {
    let config = read(&["--tick", "2s", "--slots", "256"], "tick: 3s\nslots: 4\n").unwrap();
    assert_eq!(config.tick, Duration::from_secs(2));
    assert_eq!(
        config.datapath.slots, 256,
        "a flag that repeats the default"
    );
}

#[test]
fn a_bad_value_is_named_with_its_origin_and_range() {
    let cases = [
        (
            &["--tick", "5ms"][..],
            "",
            "cannot use tick = `5ms` from --tick: it takes a duration with its unit, from 10ms to 1m",
        ),
        (
            &["--tick=1"],
            "",
            "cannot use tick = `1` from --tick: it takes a duration with its unit, from 10ms to 1m",
        ),
        (
            &[],
            "\n\ntick: 5ms",
            "cannot use tick = `5ms` from FILE line 3: it takes a duration with its unit, from 10ms to 1m",
        ),
        (
            &["--canary", "on"],
            "",
            "cannot use canary = `on` from --canary: it takes a duration with its unit, from 10s to 5m",
        ),
        (
            &["--slots", "0"],
            "",
            "cannot use slots = `0` from --slots: it takes a whole number from 1 to 16384",
        ),
        (
            &[],
            "sample_rate: -1",
            "cannot use sample_rate = `-1` from FILE line 1: it takes a whole number from 1 to 65536",
        ),
        (
            &["--attach", "xdp"],
            "",
            "cannot use attach = `xdp` from --attach: `xdp` is none of auto, tcx and clsact",
        ),
        (
            &["--kernel-log", "loud"],
            "",
            "cannot use kernel_log = `loud` from --kernel-log: it takes one of off, error, warn, info, debug, trace",
        ),
        (
            &["--interfaces", "cali*", "lxc["],
            "",
            "cannot use interfaces = `lxc[` from --interfaces: it takes a pattern such as cali* or veth????: \
             unclosed character class; missing ']'",
        ),
        (
            &["--listen", "7401"],
            "",
            "cannot use listen = `7401` from --listen: cannot listen on `7401`: it is no address; \
             write it like 127.0.0.1:7400, [::1]:7400 or unix:/run/picket.sock",
        ),
        (
            &["--collector", "collector:7400"],
            "",
            "cannot use collector = `collector:7400` from --collector: cannot connect to \
             `collector:7400`: it is no address; write it like https://collector:7400, http://127.0.0.1:7400 or \
             unix:/run/picket.sock",
        ),
        (
            &[],
            "metrics: localhost",
            "cannot use metrics = `localhost` from FILE line 1: it takes an IP address with a port, \
             such as 127.0.0.1:7403 or [::1]:7403",
        ),
        (
            &["--node", "a b"],
            "",
            "cannot use node = `a b` from --node: it takes 1 to 253 letters, digits, dashes, dots \
             and underscores",
        ),
        (
            &["--log", "agent=loud"],
            "",
            "cannot use log = `agent=loud` from --log: it takes a level or pairs of target and \
             level, such as agent=debug,warn",
        ),
        (
            &[],
            "detectors:\n  port_scan:\n    ports_per_hour: 0\n",
            "cannot use FILE:3: detectors.port_scan.ports_per_hour = `0`: it takes a whole number from 1 to 65536",
        ),
        (
            &[],
            "detectors: {port_scan: {quiet: soon}}",
            "cannot use FILE:1: detectors.port_scan.quiet = `soon`: it takes a duration with its unit, from 1s to 1day",
        ),
        (
            &[],
            "detectors: {port_scan: {mode: quiet}}",
            "cannot use FILE:1: detectors.port_scan.mode = `quiet`: it takes on, shadow or off",
        ),
        (
            &[],
            "silence: 0s",
            "cannot use FILE:1: silence = `0s`: it takes a duration with its unit, from 100ms to 1m",
        ),
    ];
    for (flags, file, expected) in cases {
        let said = read(flags, file).map(|_| ()).unwrap_err();
        assert_eq!(said, expected);
    }
}

#[test]
fn the_policy_is_read_too_and_an_exception_that_ended_meanwhile_is_no_reason_to_stay_away() {
    let file = "
scopes:
- namespaces: [monitoring]
  detectors: {ip_sweep: {mode: off}}
exceptions:
- name: nightly
  owner: security@example.com
  reason: the nightly scan of our own
  until: 2020-01-31T12:00:00Z
";
    let policy = read(&[], file).unwrap().policy;
    assert_eq!(policy.scopes.len(), 1);
    assert_eq!(policy.exceptions[0].name, "nightly");
}

#[test]
fn every_key_of_the_file_is_known_to_who_checks_policies() {
    let said = read(&[], "frobnicate: 1").map(|_| ()).unwrap_err();
    let (_, listed) = said.split_once("expected one of ").unwrap();
    let (listed, _) = listed.split_once(" at line ").unwrap();
    let known: Vec<_> = AGENT_KEYS
        .iter()
        .chain(api::policy::KEYS)
        .copied()
        .collect();
    assert_eq!(listed.split(", ").collect::<Vec<_>>(), known);
}

#[test]
fn an_unknown_name_is_refused() {
    let cases = [
        (
            &["--frobnicate"][..],
            "",
            "unexpected argument '--frobnicate'",
        ),
        (
            &[],
            "frobnicate: 1",
            "cannot use FILE: unknown field `frobnicate`, expected one of node, ",
        ),
        (
            &[],
            "detectors: {port_scan: {ports: 1}}",
            "cannot use FILE:1: detectors.port_scan.ports: there is no such key; there are mode, \
             failed_ports_per_minute, ",
        ),
        (
            &[],
            "detectors: {scan: {mode: on}}",
            "cannot use FILE:1: detectors.scan: there is no such detector; there are port_scan, ",
        ),
        (
            &[],
            "slots: [1]",
            "cannot use FILE: expected string scalar at line 1, column 8",
        ),
        (
            &[],
            "node: n1\nnode: n2",
            "cannot use FILE: duplicate mapping key: node, ",
        ),
        (
            &[],
            "scopes: [{namespace: a}]",
            "cannot use FILE:1: scopes[0].namespace: there is no such key; there are namespaces, labels, ",
        ),
    ];
    for (flags, file, expected) in cases {
        let said = read(flags, file).map(|_| ()).unwrap_err();
        assert!(said.contains(expected), "{said}");
        assert!(file.is_empty() || !said.contains('\n'), "{said}");
    }
    let matches = Args::command()
        .try_get_matches_from(["picket-agent", "--config", "/nowhere/picket.yaml"])
        .unwrap();
    let said = Config::read(&matches).map(|_| ()).unwrap_err().to_string();
    assert_eq!(
        said,
        "cannot read /nowhere/picket.yaml: check --config and the permissions of the file"
    );
}

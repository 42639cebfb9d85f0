//! What `picket` says when a real collector does not answer it, and what to do then.

use std::{
    fs,
    net::TcpListener,
    path::PathBuf,
    process::Command,
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, Result, ensure};
use api::{
    certificates::{AUTHORITY_DAYS, Authority, Issued, LEAF_DAYS, Purpose},
    principal::Principal,
};
use tempfile::TempDir;
use tests::{Process, binary, guarded, run};

const LIMIT: Duration = Duration::from_secs(30);
const TOKEN: &str = "a-token-of-the-blue-team";
const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A collector that speaks TLS, and what its peers show.
struct Closed {
    folder: TempDir,
    authority: Authority,
    collector: Process,
    address: String,
}

#[expect(clippy::disallowed_methods, reason = "certificates are of this moment")]
fn now() -> SystemTime {
    SystemTime::now()
}

impl Closed {
    /// Its certificate was made then, and is of these names.
    fn start(made: SystemTime, names: &[&str]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let authority = Authority::create(folder.path(), AUTHORITY_DAYS, made)?;
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        let server = authority.issue(Purpose::Server(&names), LEAF_DAYS, made)?;
        fs::write(folder.path().join("blue.token"), TOKEN)?;
        fs::write(
            folder.path().join("subscribers.yaml"),
            "subscribers:\n\
             - {name: ops, certificate: true, namespaces: all}\n\
             - {name: blue, token_file: blue.token, namespaces: [blue]}\n",
        )?;
        let mut command = guarded(binary("picket-collector")?);
        command.current_dir(folder.path());
        command.args(["--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]);
        command.args(["--page", "none", "--database", "picket.db"]);
        command.args(["--subscribers", "subscribers.yaml"]);
        command.arg("--tls-cert").arg(&server.certificate);
        command.arg("--tls-key").arg(&server.key);
        command.arg("--tls-client-ca").arg(authority.certificate());
        let mut collector = Process::spawn("picket-collector", &mut command)?;
        let line = collector.wait_for_line("serving gRPC", LIMIT)?;
        let address = line.split("127.0.0.1:").nth(1).context("no port")?;
        let port = address.chars().take_while(char::is_ascii_digit);
        let address = format!("127.0.0.1:{}", port.collect::<String>());
        Ok(Self {
            folder,
            authority,
            collector,
            address,
        })
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn subscriber(&self, name: &str, made: SystemTime) -> Result<Issued> {
        let purpose = Purpose::Client(Principal::Subscriber(name));
        Ok(self.authority.issue(purpose, LEAF_DAYS, made)?)
    }

    /// Flags that trust it, and show this.
    fn flags(&self, shown: &[(&str, PathBuf)]) -> Vec<String> {
        let mut flags = vec!["--server".to_owned(), format!("https://{}", self.address)];
        flags.extend(["--tls-ca".to_owned(), self.path("ca.crt")]);
        for (flag, path) in shown {
            flags.extend([(*flag).to_owned(), path.display().to_string()]);
        }
        flags
    }

    fn token(&self) -> Vec<String> {
        self.flags(&[("--token-file", self.path("blue.token").into())])
    }

    fn with(&self, own: Issued) -> Vec<String> {
        self.flags(&[("--tls-cert", own.certificate), ("--tls-key", own.key)])
    }
}

/// Runs picket, which must fail in one line with all of these in it.
fn refused(flags: &[String], arguments: &[&str], expected: &[&str]) -> Result<()> {
    let mut command = picket()?;
    let done = run("picket", command.args(flags).args(arguments), LIMIT)?;
    ensure!(
        done.status.code() == Some(1),
        "{arguments:?}: {}{}",
        done.stdout,
        done.stderr
    );
    ensure!(
        done.stderr.lines().count() == 1,
        "{arguments:?}: {}",
        done.stderr
    );
    for text in expected {
        ensure!(
            done.stderr.contains(text),
            "{arguments:?} lacks {text}: {}",
            done.stderr
        );
    }
    Ok(())
}

fn picket() -> Result<Command> {
    let mut command = guarded(binary("picket")?);
    command.env_clear();
    Ok(command)
}

#[test]
fn who_may_not_is_told_what_would_do() -> Result<()> {
    let collector = Closed::start(now(), &["127.0.0.1"])?;
    let blue = collector.token();
    let ops = || collector.subscriber("ops", now());
    fs::write(collector.path("old.token"), "a-token-that-was-struck-off")?;
    let old = collector.flags(&[("--token-file", collector.path("old.token").into())]);
    let nobody = collector.flags(&[]);
    let expired = collector.with(collector.subscriber("ops", now() - YEAR)?);
    let stranger = collector.with(collector.subscriber("nobody", now())?);
    let cases: [(&[String], &[&str], &[&str]); 9] = [
        (
            &blue,
            &["events", "-n", "red"],
            &["only blue", "ask for what you may see", "--subscribers"],
        ),
        (
            &blue,
            &["graph", "-n", "red"],
            &["namespace `red`", "ask for what you may see"],
        ),
        (&blue, &["status"], &["namespaces: all", "--subscribers"]),
        (
            &blue,
            &["explain", "n1/1/2.1/port_scan/9"],
            &["no anomaly `n1/1/2.1/port_scan/9`", "`picket anomalies`"],
        ),
        (
            &blue,
            &["events", "--detector", "port_scam"],
            &["no detector `port_scam`", "port_scan", "distributed_scan"],
        ),
        (&old, &["anomalies"], &["no subscriber's", "--token-file"]),
        (
            &nobody,
            &["anomalies"],
            &["does not know who asks", "--token-file", "--tls-cert"],
        ),
        (
            &expired,
            &["anomalies"],
            &[
                "CertificateExpired",
                "your certificate has ended",
                "picket certs subscriber",
            ],
        ),
        (
            &stranger,
            &["anomalies"],
            &["subscriber `nobody` is not known", "--subscribers"],
        ),
    ];
    for (flags, arguments, expected) in cases {
        refused(flags, arguments, expected)?;
    }

    let own = collector.with(ops()?);
    let mut command = picket()?;
    run("picket", command.args(&own).arg("anomalies"), LIMIT)?.success()?;
    // Whoever is bound to namespaces sees no nodes; the rest of the view he does.
    let mut command = picket()?;
    let top = run("picket", command.args(&blue).args(["top", "--once"]), LIMIT)?.success()?;
    ensure!(top.stdout.contains("No anomaly is open."), "{}", top.stdout);
    ensure!(top.stdout.contains("namespaces: all"), "{}", top.stdout);
    Ok(())
}

#[test]
fn who_is_not_reached_or_not_trusted_is_told_of_with_the_next_step() -> Result<()> {
    let mut collector = Closed::start(now(), &["127.0.0.1"])?;
    let address = collector.address.clone();
    let server = |server: &str| vec!["--server".to_owned(), server.to_owned()];
    let other = tempfile::tempdir()?;
    let other = Authority::create(other.path(), AUTHORITY_DAYS, now())?.certificate();
    let mut untrusted = server(&format!("https://{address}"));
    untrusted.extend(["--tls-ca".to_owned(), other.display().to_string()]);
    let closed = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let misnamed = Closed::start(now(), &["collector.example"])?;
    let ended = Closed::start(now() - YEAR, &["127.0.0.1"])?;
    let cases: [(Vec<String>, &[&str]); 7] = [
        (
            server(&format!("http://{closed}")),
            &["Connection refused", "see that picket-collector runs"],
        ),
        (
            server("unix:/nowhere/s"),
            &["No such file", "see that picket-collector runs"],
        ),
        (
            server(&format!("http://{address}")),
            &["with https:// if it speaks TLS"],
        ),
        (
            server(&format!("https://{address}")),
            &["nothing says who signs", "--tls-ca FILE"],
        ),
        (
            untrusted,
            &["UnknownIssuer", "give that one's with --tls-ca"],
        ),
        (
            misnamed.flags(&[]),
            &["not valid for name", "take one of those in --server"],
        ),
        (
            ended.flags(&[]),
            &[
                "expired",
                "its certificate has ended",
                "picket certs server",
            ],
        ),
    ];
    for (flags, expected) in &cases {
        refused(flags, &["anomalies"], expected)?;
    }
    // It is gone, and the next command says so too.
    let gone = collector.token();
    collector.collector.terminate(LIMIT)?;
    refused(
        &gone,
        &["top"],
        &["Connection refused", "see that picket-collector runs"],
    )
}

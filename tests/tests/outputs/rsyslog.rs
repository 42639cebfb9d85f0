//! Debian's rsyslog, which parses what it gets as RFC 5424.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, anyhow, ensure};
use api::certificates::{Authority, Purpose};
use rustix::process::Signal;
use serde_json::Value;
use tests::{Process, guarded, require_tools, wait_for};

use crate::{
    collector::{Collector, LIMIT},
    events::{NODE, events, publish},
    receiver::free_port,
};

const PROGRAM: &str = "rsyslogd";

struct Rsyslog {
    process: Process,
    folder: PathBuf,
}

impl Rsyslog {
    /// Starts one with this input, in a folder of its own.
    fn start(folder: &Path, input: &str, is_ready: impl Fn() -> bool) -> Result<Self> {
        require_tools(&[PROGRAM])?;
        let shown = folder.display();
        let config = format!(
            "global(workDirectory=\"{shown}\" maxMessageSize=\"64k\" defaultNetstreamDriverCAFile=\"{shown}/tls/ca.crt\" \
             defaultNetstreamDriverCertFile=\"{shown}/tls/server-localhost.crt\" \
             defaultNetstreamDriverKeyFile=\"{shown}/tls/server-localhost.key\")\n\
             template(name=\"all\" type=\"list\") {{ property(name=\"jsonmesg\") constant(value=\"\\n\") }}\n\
             {input}\n\
             action(type=\"omfile\" file=\"{shown}/syslog.json\" template=\"all\")\n"
        );
        fs::write(folder.join("rsyslog.conf"), config)?;
        let mut command = guarded(PROGRAM);
        command
            .args(["-n", "-f"])
            .arg(folder.join("rsyslog.conf"))
            .arg("-i")
            .arg(folder.join("rsyslog.pid"));
        let mut process = Process::spawn(PROGRAM, &mut command)?;
        wait_for("rsyslog to listen", LIMIT, || {
            ensure!(process.is_running()?, "rsyslog ended");
            Ok(is_ready().then_some(()))
        })
        .map_err(|error| anyhow!("{error:#}{}", process.log()))?;
        Ok(Self {
            process,
            folder: folder.into(),
        })
    }

    fn end(mut self, signal: Signal) -> Result<()> {
        self.process.signal(signal)?;
        self.process.wait(LIMIT).map(drop)
    }

    fn messages(&self) -> Result<Vec<Value>> {
        messages(&self.folder)
    }
}

fn messages(folder: &Path) -> Result<Vec<Value>> {
    let text = fs::read_to_string(folder.join("syslog.json")).unwrap_or_default();
    let ended = text.rfind('\n').map_or(0, |it| it + 1);
    let lines = text[..ended].lines();
    let read = lines.map(|line| Ok(serde_json::from_str(line)?));
    // What rsyslog says of itself is there too.
    let all: Result<Vec<Value>> = read.collect();
    Ok(all?
        .into_iter()
        .filter(|it| it["app-name"] == "picket")
        .collect())
}

fn sequence(message: &Value) -> Option<u64> {
    let event: Value = serde_json::from_str(message["msg"].as_str()?.trim_start()).ok()?;
    event["id"]["sequence"].as_u64()
}

fn output(to: &str, more: &str) -> String {
    format!(
        "outputs:\n- name: syslog\n  from: beginning\n  retry: {{first: 1ms, longest: 50ms}}\n  syslog: {{to: '{to}'{more}}}\n"
    )
}

fn listens(port: u16) -> bool {
    std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
}

#[test]
fn over_tcp_every_event_arrives_though_rsyslog_and_the_collector_come_and_go() -> Result<()> {
    const EVENTS: u64 = 400;
    let folder = tempfile::tempdir()?;
    let port = free_port()?;
    let input = format!(
        "module(load=\"imtcp\")\ninput(type=\"imtcp\" address=\"127.0.0.1\" port=\"{port}\")"
    );
    let start = || Rsyslog::start(folder.path(), &input, || listens(port));
    let mut rsyslog = start()?;
    let yaml = output(&format!("tcp://127.0.0.1:{port}"), ", form: json");
    let mut collector = Collector::start(folder.path(), &yaml)?;
    let mut kills = 0;
    for round in 0..6 {
        publish(
            folder.path(),
            &events(round * EVENTS + 1..=(round + 1) * EVENTS),
        )?;
        wait_for("some of it", LIMIT, || {
            Ok((rsyslog.messages()?.len() as u64 > round * EVENTS + 10).then_some(()))
        })
        .with_context(|| collector.log())?;
        if round % 2 == 0 {
            rsyslog.end(Signal::TERM)?;
            rsyslog = start()?;
        } else {
            collector.kill()?;
            kills += 1;
        }
    }
    let all: BTreeSet<u64> = (1..=6 * EVENTS).collect();
    wait_for("every event", LIMIT, || {
        let came: BTreeSet<_> = rsyslog.messages()?.iter().filter_map(sequence).collect();
        Ok((came == all).then_some(()))
    })
    .with_context(|| collector.log())?;
    let came: Vec<_> = rsyslog.messages()?.iter().filter_map(sequence).collect();
    let mut seen = BTreeSet::new();
    let once: Vec<_> = came.iter().filter(|it| seen.insert(**it)).collect();
    ensure!(once.is_sorted(), "out of order");
    let again = came.len() - once.len();
    told(again, came.len());
    // A restart cuts the receipt of one batch, a kill comes before the cursor of one is kept.
    ensure!(again <= (kills + 3) * 64, "{again} came again");
    Ok(())
}

#[expect(clippy::print_stderr, reason = "a figure of the test")]
fn told(again: usize, of: usize) {
    eprintln!("{again} of {of} messages came again");
}

#[test]
fn over_tls_a_message_is_parsed_and_its_cef_is_whole() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let authority = Authority::create(&folder.path().join("tls"), 2, now())?;
    authority.issue(Purpose::Server(&["localhost".into()]), 2, now())?;
    let port = free_port()?;
    let input = format!(
        "module(load=\"imtcp\" streamDriver.name=\"gtls\" streamDriver.mode=\"1\" streamDriver.authMode=\"anon\")\n\
         input(type=\"imtcp\" address=\"127.0.0.1\" port=\"{port}\")"
    );
    let rsyslog = Rsyslog::start(folder.path(), &input, || listens(port))?;
    let yaml = output(&format!("tls://localhost:{port}"), ", ca_file: tls/ca.crt");
    let collector = Collector::start(folder.path(), &yaml)?;
    publish(folder.path(), &events(1..=200))?;
    wait_for("every event", LIMIT, || {
        Ok((rsyslog.messages()?.len() == 200).then_some(()))
    })
    .with_context(|| format!("{}{}", collector.log(), rsyslog.process.log()))?;
    let message = rsyslog.messages()?.remove(0);
    for (property, value) in [
        ("hostname", NODE),
        ("app-name", "picket"),
        ("msgid", "port_scan"),
        ("procid", "-"),
        ("pri", "162"),
        ("syslogfacility-text", "local4"),
    ] {
        let found = &message[property];
        ensure!(
            found == value || found.is_null() && property.ends_with("text"),
            "{property}: {message}"
        );
    }
    let text = message["msg"].as_str().unwrap_or_default().trim_start();
    ensure!(text.starts_with("CEF:0|Picket|"), "{text}");
    Ok(())
}

#[test]
fn datagrams_arrive_over_udp_and_a_unix_socket() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let port = free_port()?;
    let socket = folder.path().join("log.sock");
    let input = format!(
        "module(load=\"imudp\")\ninput(type=\"imudp\" address=\"127.0.0.1\" port=\"{port}\")\n\
         module(load=\"imuxsock\" sysSock.use=\"off\")\n\
         input(type=\"imuxsock\" socket=\"{}\" useSpecialParser=\"off\" parseHostname=\"on\")",
        socket.display()
    );
    let rsyslog = Rsyslog::start(folder.path(), &input, || socket.exists())?;
    let yaml = format!(
        "outputs:\n- name: udp\n  from: beginning\n  syslog: {{to: 'udp://127.0.0.1:{port}', form: json}}\n- name: unix\n  from: beginning\n  syslog: {{to: 'unix:{}', form: json, facility: auth}}\n",
        socket.display()
    );
    let collector = Collector::start(folder.path(), &yaml)?;
    publish(folder.path(), &events(1..=20))?;
    for facility in ["20", "4"] {
        wait_for(
            &format!("every event of facility {facility}"),
            LIMIT,
            || {
                let all = rsyslog.messages()?;
                let ours = all.iter().filter(|it| it["syslogfacility"] == facility);
                Ok(ours.filter_map(sequence).eq(1..=20).then_some(()))
            },
        )
        .with_context(|| format!("{:?}{}", rsyslog.messages(), collector.log()))?;
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "certificates are of this moment")]
fn now() -> std::time::SystemTime {
    std::time::SystemTime::now()
}

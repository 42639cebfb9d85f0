//! A second collector, where everybody signs in.

use std::{fs, path::Path, process::Command, time::Duration};

use anyhow::Result;
use api::certificates::{Authority, LEAF_DAYS, Purpose};
use tests::{Process, Watch, binary};

const LIMIT: Duration = Duration::from_secs(30);
const PAGE: &str = "127.0.0.1:7415";
const TOKENS: [(&str, &str); 2] = [
    ("ops", "of-ops-0123456789abcdef"),
    ("blue", "of-blue-0123456789abcdef"),
];
const SUBSCRIBERS: &str = "\
subscribers:
- {name: ops, token_file: ops.token, namespaces: all, detectors: true}
- {name: blue, token_file: blue.token, namespaces: [blue]}
";

/// It, while it runs.
pub(crate) struct Closed {
    _collector: Process,
}

impl Closed {
    /// Starts it beside the other one.
    #[expect(clippy::disallowed_methods, reason = "certificates are of this moment")]
    pub(crate) fn start(authority: &Authority, folder: &Path, watch: &Watch) -> Result<Self> {
        let now = std::time::SystemTime::now();
        let server = authority.issue(Purpose::Server(&["127.0.0.1".into()]), LEAF_DAYS, now)?;
        let subscribers = folder.join("subscribers.yaml");
        fs::write(&subscribers, SUBSCRIBERS)?;
        for (name, token) in TOKENS {
            fs::write(folder.join(format!("{name}.token")), token)?;
        }
        let mut command = watch.beside_collector(binary("picket-collector")?);
        command.args(["--listen", "127.0.0.1:7410", "--metrics", "127.0.0.1:7412"]);
        command.args(["--page", PAGE]);
        command.arg("--database").arg(folder.join("closed.db"));
        command.arg("--subscribers").arg(subscribers);
        command.arg("--tls-cert").arg(&server.certificate);
        command.arg("--tls-key").arg(&server.key);
        command.arg("--tls-client-ca").arg(authority.certificate());
        let mut collector = Process::spawn("the closed collector", &mut command)?;
        collector.wait_for_line("ready", LIMIT)?;
        Ok(Self {
            _collector: collector,
        })
    }

    /// Tells the scripts of it.
    pub(crate) fn tell(&self, script: &mut Command) {
        script.env("PICKET_PAGE_CLOSED", format!("https://{PAGE}"));
        for (name, token) in TOKENS {
            script.env(format!("PICKET_PAGE_TOKEN_{}", name.to_uppercase()), token);
        }
    }
}

//! The stage of the demo: the two pods, their node, and who watches them.

use std::{
    env, io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use api::v1::{Event, State, subscribe_request::From, subscribe_response::Item};
use tests::{Place, Server, Story, Subscription, Watch, binary, interrupted};

use crate::teller::{ALARM, COMMAND, STRONG, Teller};

const LIMIT: Duration = Duration::from_secs(20);
/// How long it waits for an event before it looks up.
const REST: Duration = Duration::from_secs(1);
const LISTEN: u16 = 7400;
const METRICS: u16 = 7402;
const PAGE: u16 = 7405;
const SERVED: [u16; 2] = [80, 8080];
/// Shorter than the default, so that who explores sees anomalies close and open again.
const AGENT_CONFIG: &str = "detectors: {port_scan: {quiet: 10s}}\n";

/// Everything the demo takes down again when this is dropped.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) watch: Watch,
    pub(crate) story: Story,
    _server: Server,
    listen: SocketAddr,
    metrics: SocketAddr,
    page: SocketAddr,
}

impl Stage {
    pub(crate) fn set_up(teller: &Teller) -> Result<Self> {
        let story = Story::new()?;
        let Story { app1, app2, node } = &story;
        teller.step(&format!(
            "pods {} and {} are up behind {}, each a network namespace",
            teller.paint(STRONG, &app1.to_string()),
            teller.paint(STRONG, &app2.to_string()),
            node.name
        ));
        let server = app2.serve(&SERVED)?;
        teller.step(&format!(
            "app2 listens on ports {} and {}",
            SERVED[0], SERVED[1]
        ));

        let listen = free(teller, LISTEN)?;
        let metrics = free(teller, METRICS)?;
        let page = free(teller, PAGE)?;
        let place = Place::Host {
            listen,
            metrics,
            page: Some(page),
        };
        let watch = Watch::start(node, &[app1, app2], AGENT_CONFIG, place)?;
        teller.step(&format!(
            "picket-collector serves {listen}; picket-agent watches {} and {} on {}",
            app1.interface, app2.interface, node.name
        ));
        Ok(Self {
            watch,
            story,
            _server: server,
            listen,
            metrics,
            page,
        })
    }

    pub(crate) fn subscribe(&self) -> Result<Subscription> {
        self.watch.client()?.subscribe(From::AfterCursor(0), LIMIT)
    }

    /// Prints what comes until the demo is asked to end.
    pub(crate) fn stay_up(&self, teller: &Teller, subscription: &mut Subscription) -> Result<()> {
        self.invite(teller)?;
        while !interrupted() {
            match subscription
                .poll(REST)
                .map(|received| received.map(|received| received.item))
            {
                Ok(Some(Item::Event(event))) => teller.step(&line(teller, &event)),
                Ok(Some(Item::Gap(gap))) => {
                    teller.step(&format!("GAP of {} events: {}", gap.events, gap.reason));
                }
                Ok(Some(Item::Heartbeat(_)) | None) => {}
                Err(_) if interrupted() => {}
                Err(error) => bail!("{error:#}{}", self.watch.log()),
            }
        }
        Ok(())
    }

    fn invite(&self, teller: &Teller) -> Result<()> {
        let Story { app1, app2, .. } = &self.story;
        let picket = binary("picket")?;
        let here = env::current_dir()?;
        let picket = picket
            .strip_prefix(here)
            .map_or(picket.as_path(), Path::new);
        let mut picket = picket.display().to_string();
        if self.listen.port() != LISTEN {
            picket += &format!(" --server http://{}", self.listen);
        }
        let inside = format!("nsenter --net={}", app1.network.path().display());
        teller.note(&format!(
            "\nThe demo stays up until Ctrl-C. Its page is at {}",
            teller.paint(COMMAND, &format!("http://{}", self.page))
        ));
        teller.note("As root, in another terminal, try:");
        for command in [
            format!("{inside} nmap -n -sT {}", app2.address()),
            format!("{picket} events --follow"),
            format!("{picket} status"),
            format!(
                "grpcurl -plaintext -d '{{\"after_cursor\": 0}}' {} picket.v1.Events/Subscribe",
                self.listen
            ),
            format!("curl http://{}/metrics", self.metrics),
        ] {
            teller.note(&format!("  {}", teller.paint(COMMAND, &command)));
        }
        teller.note("An anomaly closes after 10 s without probes here (60 s by default).\n");
        Ok(())
    }
}

fn line(teller: &Teller, event: &Event) -> String {
    let state = event.state();
    let name = state.as_str_name().trim_start_matches("STATE_");
    let name = match state {
        State::Opened => teller.paint(ALARM, name),
        _ => teller.paint(STRONG, name),
    };
    format!("{name} {}", event.summary)
}

/// `wanted` on loopback, or another port if somebody has it.
fn free(teller: &Teller, wanted: u16) -> Result<SocketAddr> {
    let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port))?.local_addr();
    match bind(wanted) {
        Ok(address) => Ok(address),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            let other = bind(0).context("no free port on loopback")?;
            ensure!(other.port() != 0, "no free port on loopback");
            teller.step(&format!("port {wanted} is taken, so {other} stands in"));
            Ok(other)
        }
        Err(error) => Err(error).with_context(|| format!("cannot listen on port {wanted}")),
    }
}

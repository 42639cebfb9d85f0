//! A pod that opens many connections at once is held until it is judged; when it does nothing bad, that is told.

use std::{net::IpAddr, time::Duration};

use anyhow::{Context as _, Result, ensure};
use api::v1::{ActionKind, Event, subscribe_request::From};
use tests::{Place, Pod, Story, Watch, without_root};
use tokio::{net::TcpStream, runtime, task::JoinSet, time::timeout};

const LIMIT: Duration = Duration::from_secs(60);
/// Less than a SYN that is lost waits to be sent again.
const PROMPT: Duration = Duration::from_millis(700);
/// It trips at the tenth new port, for it might be the tenth that fails.
const CONFIG: &str = "detectors: {port_scan: {ports_per_minute: 60000, ports_per_hour: 60000}, port_scan_target: {mode: off}}\n\
     containment: {mode: act}\n";

/// Connects to all ports at once; how many connections took longer than is prompt.
fn connect(pod: &Pod, address: IpAddr, ports: &[u16]) -> Result<usize> {
    let connect = || {
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let mut all = JoinSet::new();
            for &port in ports {
                all.spawn(async move {
                    let mut connecting = Box::pin(TcpStream::connect((address, port)));
                    let prompt = timeout(PROMPT, &mut connecting).await;
                    let is_late = prompt.is_err();
                    match prompt {
                        Ok(connected) => connected?,
                        Err(_) => timeout(LIMIT, connecting).await??,
                    };
                    anyhow::Ok(is_late)
                });
            }
            let mut late = 0;
            while let Some(connected) = all.join_next().await {
                late += usize::from(connected??);
            }
            anyhow::Ok(late)
        })
    };
    pod.network.enter(connect)?
}

fn held(event: &Event) -> bool {
    let action = event.action.as_ref();
    action.is_some_and(|it| it.kind() == ActionKind::Held)
}

#[test]
fn a_busy_pod_that_does_nothing_bad_loses_a_moment_once_and_it_is_told() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let story = Story::new()?;
    let Story { app1, app2, node } = &story;
    let ports: Vec<u16> = (20_000..20_600).collect();
    let _server = app2.serve(&ports)?;
    let watch = Watch::start(node, &[app1, app2], CONFIG, Place::Apart)?;
    let mut events = watch.client()?.subscribe(From::AfterCursor(0), LIMIT)?;
    let (first, second) = ports.split_at(400);

    let late = connect(app1, app2.address(), first).context("the first burst")?;
    let (event, _) = events.event(LIMIT, held)?;
    println!(
        "{late} of {} connections were late: {}",
        first.len(),
        event.summary
    );
    ensure!(event.summary.starts_with("held default/app1 "), "{event:?}");
    ensure!(late > 0 && late < first.len(), "{late} were late");

    let again = connect(app1, app2.address(), second).context("the second burst")?;
    ensure!(again == 0, "{again} connections were held again");
    let all = watch.client()?.events()?;
    let actions: Vec<_> = all.iter().filter(|it| it.action.is_some()).collect();
    ensure!(actions.len() == 1, "{actions:?}");
    Ok(())
}

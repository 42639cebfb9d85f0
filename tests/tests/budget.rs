//! A budget wakes user space at the packet that spends it, and not before.

use std::time::Duration;

use anyhow::{Result, ensure};
use detect::Budget;
use tests::{
    Kernel,
    packet::{ACK, RST, SYN, Tcp, from_pod, to_pod},
    without_root,
};

const LONG: Duration = Duration::from_secs(10);
const SHORT: Duration = Duration::from_millis(50);

async fn tripped(kernel: &mut Kernel, limit: Duration) -> Result<bool> {
    match tokio::time::timeout(limit, kernel.datapath.tripped()).await {
        Ok(result) => result.map(|()| true).map_err(Into::into),
        Err(_) => Ok(false),
    }
}

fn probe(kernel: &Kernel, port: u16) -> Result<()> {
    kernel.from_pod(&from_pod(&Tcp {
        port,
        flags: SYN,
        ..Tcp::default()
    }))
}

fn refuse(kernel: &Kernel, port: u16) -> Result<()> {
    kernel.to_pod(&to_pod(&Tcp {
        port,
        flags: RST | ACK,
        ..Tcp::default()
    }))
}

#[test]
fn new_ports_trip_at_the_budget() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    Kernel::with(async |mut kernel: Kernel| {
        kernel.datapath.set_budget(
            kernel.subject,
            Budget {
                ports: 3,
                refused: 1000,
            },
        );
        for port in [1, 2, 2, 1, 2] {
            probe(&kernel, port)?;
        }
        ensure!(
            !tripped(&mut kernel, SHORT).await?,
            "known ports spent the budget"
        );
        probe(&kernel, 3)?;
        ensure!(
            tripped(&mut kernel, LONG).await?,
            "the third port did not trip"
        );
        let now = agent::datapath::monotonic();
        let observations = kernel.datapath.drain_tripped(now);
        ensure!(
            observations.len() == 1 && observations[0].tcp_ports == [1, 2, 3],
            "{observations:?}"
        );
        ensure!(
            observations[0].tripped.is_some_and(|at| at <= now),
            "{observations:?}"
        );
        ensure!(
            kernel.datapath.drain_tripped(now).is_empty(),
            "tripped twice"
        );
        Ok(())
    })
}

#[test]
fn newly_refused_ports_trip_at_a_budget_of_their_own() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    Kernel::with(async |mut kernel: Kernel| {
        kernel.datapath.set_budget(
            kernel.subject,
            Budget {
                ports: 1000,
                refused: 2,
            },
        );
        for port in [1, 2] {
            probe(&kernel, port)?;
        }
        for port in [1, 1, 9] {
            refuse(&kernel, port)?;
        }
        ensure!(
            !tripped(&mut kernel, SHORT).await?,
            "known or untried ports spent the budget"
        );
        refuse(&kernel, 2)?;
        ensure!(
            tripped(&mut kernel, LONG).await?,
            "the second refused port did not trip"
        );
        Ok(())
    })
}

/// Between a drain and the budget that follows from it the detectors think, and packets pass.
#[test]
fn what_is_spent_while_the_budget_is_renewed_is_not_lost() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    Kernel::with(async |mut kernel: Kernel| {
        let budget = |ports| Budget {
            ports,
            refused: 1000,
        };
        kernel.drain()?;
        probe(&kernel, 1)?;
        kernel.datapath.set_budget(kernel.subject, budget(2));
        ensure!(!tripped(&mut kernel, SHORT).await?, "tripped early");
        probe(&kernel, 2)?;
        ensure!(tripped(&mut kernel, LONG).await?, "a port was lost");
        let now = agent::datapath::monotonic();
        let observations = kernel.datapath.drain_tripped(now);
        ensure!(observations[0].tcp_ports == [1, 2], "{observations:?}");

        for port in 3..=7 {
            probe(&kernel, port)?;
        }
        kernel.datapath.set_budget(kernel.subject, budget(5));
        ensure!(
            tripped(&mut kernel, LONG).await?,
            "more was spent than there was, and nobody told"
        );
        let observations = kernel.datapath.drain_tripped(now);
        ensure!(
            observations[0].tcp_ports == [3, 4, 5, 6, 7],
            "{observations:?}"
        );
        ensure!(
            kernel.datapath.drain_tripped(now).is_empty(),
            "tripped twice"
        );
        Ok(())
    })
}

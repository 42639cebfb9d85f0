//! The demo: a pod scans another with nmap, and Picket tells while the scan still runs.

mod scan;
mod stage;
mod teller;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use tests::{binary, fail_waits_on_signals, interrupted, require_root, require_tools};

use crate::{stage::Stage, teller::Teller};

/// Retells the story of a port scan between two pods, and stays up to be explored.
#[derive(Debug, Parser)]
#[command(name = "demo")]
struct Arguments {
    /// Exit after the anomaly was seen.
    #[arg(long)]
    once: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let teller = Teller::of_stdout();
    match run(&arguments, &teller) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) if interrupted() => {
            teller.step("interrupted; everything is taken down again");
            ExitCode::FAILURE
        }
        Err(error) => {
            teller.fail(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments, teller: &Teller) -> Result<()> {
    require_root()?;
    require_tools(&["nmap", "ip", "nsenter", "setpriv"])?;
    for program in ["picket-agent", "picket-collector", "picket"] {
        binary(program)?;
    }
    fail_waits_on_signals()?;
    let stage = Stage::set_up(teller)?;
    let mut subscription = scan::tell(teller, &stage)?;
    if !arguments.once {
        stage.stay_up(teller, &mut subscription)?;
    }
    drop((subscription, stage));
    teller.step("everything is taken down again");
    Ok(())
}

//! Runs the programs and their tests on the kernels that nodes have, each in a virtual machine.

mod archive;
mod console;
mod cpio;
mod image;
mod machine;
mod modules;
mod plan;
mod report;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    thread,
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use self::{
    archive::Kernel,
    image::Image,
    report::{Program, Row},
};
use crate::{command, prepare, workspace::Workspace};

/// Machines at a time.
const MACHINES: usize = 2;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only this one of the kernels 5.10, 6.1, 6.12, 6.18 and 7 (the newest 7.x).
    #[arg(long, value_name = "VERSION")]
    only: Option<String>,
    /// Look for newer kernels than those in the cache.
    #[arg(long)]
    update: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let chosen: Vec<_> = plan::KERNELS
        .into_iter()
        .filter(|(series, _)| arguments.only.as_deref().is_none_or(|only| only == *series))
        .collect();
    if chosen.is_empty() {
        let all = plan::KERNELS.map(|(series, _)| series).join(", ");
        bail!("no such kernel is tested; choose one of: {all}");
    }
    let workspace = prepare::machines()?;
    let scratch = workspace.target.join("kernels");
    fs::create_dir_all(&scratch).with_context(|| format!("cannot make {}", scratch.display()))?;
    let tests = executables(&workspace)?;
    let kernels = Kernel::find(&chosen, arguments.update)?;
    let image = Image::gather(&workspace, &tests, &scratch)?;

    let queue = Mutex::new(kernels.iter().rev().collect::<Vec<_>>());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let work = || {
        let mut results = Vec::new();
        while let Some(kernel) = next() {
            results.push(test(kernel, &image, &scratch));
        }
        results
    };
    let results: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (0..MACHINES).map(|_| scope.spawn(work)).collect();
        let results = workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_default());
        results.flatten().collect()
    });
    conclude(
        results,
        kernels.len(),
        &workspace.target.join("kernels.json"),
    )
}

fn conclude(results: Vec<Result<Row>>, expected: usize, place: &Path) -> Result<()> {
    let (mut rows, mut faults) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(row) => rows.push(row),
            Err(error) => faults.push(format!("{error:#}")),
        }
    }
    let order = |row: &Row| {
        plan::KERNELS
            .iter()
            .position(|(series, _)| *series == row.series)
    };
    rows.sort_by_key(order);
    report::write(&rows, place)?;
    println!("\n{}", report::table(&rows));
    if !faults.is_empty() {
        bail!(
            "kernels: {} of {expected} failed:\n{}",
            faults.len(),
            faults.join("\n")
        );
    }
    if rows.len() != expected {
        bail!("kernels: {} of {expected} were tested", rows.len());
    }
    println!("kernels: {expected} passed; see {}", place.display());
    Ok(())
}

fn test(kernel: &Kernel, image: &Image, scratch: &Path) -> Result<Row> {
    let version = &kernel.version;
    let steps = plan::steps(kernel.must_do);
    let place = scratch.join(format!("{version}.cpio"));
    image.write(kernel, &steps, &place)?;
    let mut row = Row {
        series: kernel.series.clone(),
        kernel: version.clone(),
        refused: !kernel.must_do,
        tests: 0,
        seconds: 0.0,
        programs: Vec::new(),
    };
    let done = machine::run(&kernel.image()?, &place, &steps, |step, ended, took| {
        let seconds = took.as_secs_f64();
        let fault = step.fault(ended.code, &ended.output);
        let programs: Vec<_> = ended
            .output
            .iter()
            .filter_map(|line| Program::read(line))
            .collect();
        let fault = fault.or_else(|| programs.iter().find_map(Program::fault));
        let passed = report::passed(&ended.output);
        row.tests += passed;
        row.seconds += seconds;
        row.programs.extend(programs);
        match fault {
            None => println!(
                "{version}: {} ok, {passed} tests, {seconds:.1} s",
                step.name
            ),
            Some(fault) => bail!(
                "{}: {fault}; it said:\n{}",
                step.name,
                ended.output.join("\n")
            ),
        }
        Ok(())
    });
    done.with_context(|| format!("kernel {version}"))?;
    // Hundreds of megabytes that are made anew each time.
    fs::remove_file(&place).with_context(|| format!("cannot remove {}", place.display()))?;
    Ok(row)
}

/// The test executables that run in the machines, in the order of the plan.
fn executables(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    let mut build = command::cargo();
    build.current_dir(&workspace.root).args([
        "test",
        "--package",
        "tests",
        "--no-run",
        "--message-format=json-render-diagnostics",
    ]);
    for test in plan::TESTS {
        build.args(["--test", test]);
    }
    let printed = command::read(&mut build, "fix what the compiler says")?;
    let messages: Vec<Value> = printed
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let executable = |test: &&str| {
        let built = messages
            .iter()
            .find(|message| message["target"]["name"] == **test);
        let path = built.and_then(|message| message["executable"].as_str());
        path.map(PathBuf::from)
            .with_context(|| format!("cargo did not say where it built the test {test}"))
    };
    plan::TESTS.iter().map(executable).collect()
}

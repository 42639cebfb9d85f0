//! Runs a capture through the programs and detectors that watch live traffic, with its own time as the clock.

mod capture;
mod census;
mod error;
mod frame;
mod link;
mod player;
mod side;
mod teller;

use std::{
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use agent_common::Direction;
use api::{pipe, pods::Pods, policy::Policy, v1};
use detect::Time;

use self::{
    census::Census,
    frame::Addresses,
    player::{Player, Scene},
    teller::{Length, Teller},
};

pub use self::{
    error::ReplayError,
    side::{PodAddress, PodAddressError},
};

/// What to replay, and how.
#[derive(Debug)]
pub struct Replay {
    /// The capture.
    pub file: PathBuf,
    /// Which side of it is the pod; when none is said, the most likely one.
    pub pod: Vec<PodAddress>,
    /// Who has which address.
    pub pods: Pods,
    /// How the detectors are set, and for which pods.
    pub policy: Policy,
    /// How often slots are drained.
    pub tick: Duration,
}

/// What was replayed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Replayed {
    /// Packets in the capture.
    pub packets: u64,
    /// When the pod sent its first one, since 1970.
    pub first_sent: Option<Time>,
}

impl Replay {
    /// Writes events to standard output as [`pipe`] does, and what else there is to say to standard error.
    ///
    /// # Errors
    ///
    /// When the capture cannot be read, or the programs cannot be run.
    pub fn run(self) -> Result<(), ReplayError> {
        if io::stdout().is_terminal() {
            return Err(ReplayError::Terminal { file: self.file });
        }
        let mut stdout = io::stdout().lock();
        self.play(Teller::new(), |event| {
            pipe::write(&event, &mut stdout)?;
            stdout.flush()
        })?;
        Ok(())
    }

    /// Gives each event to `raise`, and writes nothing.
    ///
    /// # Errors
    ///
    /// When the capture cannot be read, the programs cannot be run, or `raise` fails.
    pub fn run_into(
        self,
        raise: impl FnMut(v1::Event) -> io::Result<()>,
    ) -> Result<Replayed, ReplayError> {
        self.play(Teller::silent(), raise)
    }

    fn play(
        self,
        mut teller: Teller,
        raise: impl FnMut(v1::Event) -> io::Result<()>,
    ) -> Result<Replayed, ReplayError> {
        let (census, length) = survey(&self.file)?;
        let mut pod = self.pod;
        if pod.is_empty() {
            let guess = census.pod();
            teller.guessed(guess);
            pod.extend(guess);
        }
        let mut addresses: Vec<_> = pod.iter().flat_map(|&pod| census.addresses(pod)).collect();
        addresses.dedup();
        let scene = Scene {
            name: &name(&self.file),
            pod: &pod.first().map(ToString::to_string).unwrap_or_default(),
            addresses,
            own: pod.iter().filter_map(|it| it.ip()).collect(),
            pods: &self.pods,
            start: length.first,
        };

        // The ring buffer is registered with a runtime, though nobody waits for it here.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(ReplayError::Runtime)?;
        let _inside = runtime.enter();
        let mut player = Player::new(scene, &self.policy, self.tick, raise)?;
        let mut first_sent = None;
        let ending = capture::read(&self.file, |packet| {
            let direction = side::direction(&pod, &Addresses::of(packet.frame));
            if direction == Direction::FromPod {
                first_sent.get_or_insert(packet.at);
            }
            player.pass(&packet, direction)?;
            teller.progress(packet.read_bytes, length.file_bytes);
            Ok(())
        })?;
        player.finish()?;
        teller.finish(&player.tally, &length, ending);
        Ok(Replayed {
            packets: length.packets,
            first_sent,
        })
    }
}

fn survey(file: &Path) -> Result<(Census, Length), ReplayError> {
    let (mut census, mut length) = (Census::default(), Length::default());
    capture::read(file, |packet| {
        census.count(&Addresses::of(packet.frame));
        length.count(&packet);
        Ok(())
    })?;
    Ok((census, length))
}

/// What the capture is called, in place of a node.
fn name(file: &Path) -> String {
    file.file_name()
        .unwrap_or(file.as_os_str())
        .to_string_lossy()
        .into_owned()
}

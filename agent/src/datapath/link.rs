//! One attached program, and what becomes of it when the agent ends.

use std::{
    fs, mem,
    path::{Path, PathBuf},
};

use agent_common::Direction;
use aya::{
    pin::PinError,
    programs::{
        ProgramError,
        links::{FdLink, PinnedLink},
        tc::SchedClassifierLink,
    },
};
use tracing::debug;

use super::{
    attachment::Attachment,
    filters::{self, Filter},
    side::Side,
};

/// One attached program.
#[derive(Debug)]
pub(super) enum Link {
    /// A tcx link that ends with the agent.
    Fleeting { _link: SchedClassifierLink },
    /// A tcx link that stays for as long as its pin does.
    Pinned { _link: PinnedLink, path: PathBuf },
    /// A filter on clsact.
    Filter {
        filter: Filter,
        ifindex: u32,
        side: Side,
        /// It outlives the agent.
        stays: bool,
    },
}

impl Link {
    pub(super) fn pinned(link: SchedClassifierLink, path: PathBuf) -> Result<Self, PinError> {
        let link: FdLink = link.try_into().map_err(|error| {
            let source = std::io::Error::other(format!("{error}"));
            PinError::SyscallError(aya::sys::SyscallError {
                call: "BPF_OBJ_PIN",
                io_error: source,
            })
        })?;
        Ok(Self::Pinned {
            _link: link.pin(&path)?,
            path,
        })
    }

    pub(super) fn filter(
        link: SchedClassifierLink,
        program: u32,
        ifindex: u32,
        side: Side,
        stays: bool,
    ) -> Result<Self, ProgramError> {
        let filter = Filter::of(&link, program)?;
        // It would remove what has this priority and handle, whoever's that is by then.
        mem::forget(link);
        Ok(Self::Filter {
            filter,
            ifindex,
            side,
            stays,
        })
    }

    /// Detaches the program, whether the link was to stay or not.
    pub(super) fn detach(mut self) {
        match &mut self {
            Self::Fleeting { .. } => {}
            Self::Pinned { path, .. } => {
                if let Err(error) = fs::remove_file(&path) {
                    debug!(%error, path = %path.display(), "the pin was gone already");
                }
            }
            Self::Filter { stays, .. } => *stays = false,
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Self::Filter {
            filter,
            ifindex,
            side,
            stays: false,
        } = self
            && let Err(error) = filters::remove(*ifindex, *side, *filter)
        {
            debug!(%error, ifindex, "the filter was gone already");
        }
    }
}

/// Both programs of an interface, as far as they are attached.
#[derive(Debug, Default)]
pub(super) struct Links {
    links: [Option<Link>; Direction::COUNT],
    /// How often a link was moved before those of others.
    pub(super) moves: u32,
}

impl Links {
    pub(super) fn put(&mut self, direction: Direction, link: Link) {
        self.links[direction as usize] = Some(link);
    }

    /// How a program is attached, if it is.
    pub(super) fn attachment(&self, direction: Direction) -> Option<Attachment> {
        self.links[direction as usize]
            .as_ref()
            .map(|link| match link {
                Link::Fleeting { .. } | Link::Pinned { .. } => Attachment::Tcx,
                Link::Filter { .. } => Attachment::Clsact,
            })
    }

    pub(super) fn take(&mut self, direction: Direction) -> Option<Link> {
        self.links[direction as usize].take()
    }

    pub(super) fn detach(self) {
        self.links.into_iter().flatten().for_each(Link::detach);
    }

    /// Where they are pinned.
    pub(super) fn pins(&self) -> impl Iterator<Item = &Path> {
        self.links.iter().flatten().filter_map(|link| match link {
            Link::Pinned { path, .. } => Some(path.as_path()),
            _ => None,
        })
    }
}

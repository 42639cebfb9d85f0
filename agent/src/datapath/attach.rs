//! Attaches the programs to an interface: tcx, first in the chain, or clsact on older kernels.

use std::io;

use agent_common::Direction;
use aya::{
    pin::PinError,
    programs::{
        LinkOrder, ProgramError,
        tc::{self, NlOptions, TcAttachOptions, TcError},
    },
};

use super::{
    attachment::Attachment,
    device,
    link::{Link, Links},
    object::{ObjectError, Programs},
    pins::{self, Pins, PinsError},
    side::{DIRECTIONS, Side},
};

use crate::whose::Whose;

/// Why the programs are not attached to an interface.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// The object lacks a program.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The interface got no clsact qdisc.
    #[error(
        "cannot add a clsact qdisc to {interface}: {source}; check that the kernel has sch_ingress"
    )]
    Qdisc {
        /// Its name.
        interface: String,
        /// What the kernel said.
        source: TcError,
    },
    /// There is no such interface any more.
    #[error("interface index {ifindex} has no name: {source}; it is gone")]
    Gone {
        /// Its index.
        ifindex: u32,
        /// What the kernel said.
        source: io::Error,
    },
    /// Its index is another's by now, or it bears another name.
    #[error(
        "interface index {ifindex} is {interface}, not {expected}; {expected} is gone or renamed"
    )]
    Another {
        /// Its index.
        ifindex: u32,
        /// Its name.
        interface: String,
        /// The name that was told.
        expected: String,
    },
    /// The kernel refused.
    #[error("cannot attach to {interface} by {how}: {source}; check that it still exists, or try another --attach", how = how.name())]
    Attach {
        /// Its name.
        interface: String,
        /// Which way.
        how: Attachment,
        /// What the kernel said.
        source: Box<ProgramError>,
    },
    /// The link cannot be pinned.
    #[error("cannot pin the link of {interface}: {source}; check --pin, or use `--pin none`")]
    Pin {
        /// Its name.
        interface: String,
        /// What the kernel said.
        source: PinError,
    },
    /// The pin of a former link is in the way.
    #[error(transparent)]
    Pins(#[from] PinsError),
}

/// Attaches programs to interfaces.
#[derive(Debug)]
pub(super) struct Attacher<'a> {
    pub(super) programs: &'a mut Programs,
    pub(super) pins: Option<&'a Pins>,
}

/// An interface, and how it is watched.
#[derive(Clone, Copy, Debug)]
pub(super) struct At {
    pub(super) ifindex: u32,
    pub(super) whose: Whose,
    pub(super) how: Attachment,
}

impl Attacher<'_> {
    /// Attaches both programs to an interface, or neither; and to none that is not called as `expected`, if that
    /// is told: who lags behind may take an index for an interface that is gone.
    ///
    /// Programs are attached by name, and a name may pass to another interface at any moment: so it is
    /// looked up here, and again afterwards. A later change of names does not move what is attached.
    ///
    /// Nearly all of its time is the kernel's: a tcx link waits for an RCU grace period, two ticks or
    /// more, and holds the rtnl lock meanwhile (`tcx_entry_sync` in include/net/tcx.h), so that several
    /// threads would attach no faster than one. clsact waits for none.
    pub(super) fn attach(&mut self, at: At, expected: Option<&str>) -> Result<Links, AttachError> {
        let ifindex = at.ifindex;
        loop {
            let interface = name_of(ifindex)?;
            if let Some(expected) = expected.filter(|it| *it != interface) {
                return Err(AttachError::Another {
                    ifindex,
                    interface,
                    expected: expected.to_owned(),
                });
            }
            let mut links = Links::default();
            let attached = DIRECTIONS.into_iter().try_for_each(|direction| {
                let link = self.attach_one(at, &interface, direction)?;
                links.put(direction, link);
                Ok::<_, AttachError>(())
            });
            let now = name_of(ifindex);
            if attached.is_ok() && now.as_ref().is_ok_and(|now| *now == interface) {
                return Ok(links);
            }
            links.detach();
            if now? == interface {
                attached?;
            }
        }
    }

    /// Attaches one program.
    ///
    /// On clsact the kernel picks priority and handle, so that none of another's is taken; ours comes
    /// before those that are there. The qdisc stays when we leave: others may use it by then.
    pub(super) fn attach_one(
        &mut self,
        at: At,
        interface: &str,
        direction: Direction,
    ) -> Result<Link, AttachError> {
        let At {
            ifindex,
            whose,
            how,
        } = at;
        let side = Side::of(direction, whose);
        let options = match how {
            Attachment::Tcx => TcAttachOptions::TcxOrder(LinkOrder::first()),
            Attachment::Clsact => {
                add_clsact(interface)?;
                TcAttachOptions::Netlink(NlOptions::default())
            }
        };
        let refused = |error| AttachError::Attach {
            interface: interface.to_owned(),
            how,
            source: Box::new(error),
        };
        let id = self.programs.id(direction);
        let program = self.programs.program(direction)?;
        let link = program
            .attach_with_options(interface, side.attach_type(), options)
            .and_then(|id| program.take_link(id))
            .map_err(refused)?;
        match (how, self.pins) {
            (Attachment::Clsact, pins) => {
                Link::filter(link, id, ifindex, side, pins.is_some()).map_err(refused)
            }
            (Attachment::Tcx, None) => Ok(Link::Fleeting { _link: link }),
            (Attachment::Tcx, Some(pins)) => {
                let path = pins.link(ifindex, direction);
                // Of an interface that had this index before.
                pins::remove(&path)?;
                Link::pinned(link, path).map_err(|source| AttachError::Pin {
                    interface: interface.to_owned(),
                    source,
                })
            }
        }
    }
}

fn name_of(ifindex: u32) -> Result<String, AttachError> {
    device::name_of(ifindex).map_err(|source| AttachError::Gone { ifindex, source })
}

fn add_clsact(interface: &str) -> Result<(), AttachError> {
    match tc::qdisc_add_clsact(interface) {
        Ok(()) | Err(TcError::AlreadyAttached) => Ok(()),
        Err(TcError::NetlinkError(error)) if is_present(&error) => Ok(()),
        Err(source) => Err(AttachError::Qdisc {
            interface: interface.to_owned(),
            source,
        }),
    }
}

fn is_present(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error
            .downcast_ref::<io::Error>()
            .is_some_and(|e| e.kind() == io::ErrorKind::AlreadyExists)
        {
            return true;
        }
        next = error.source();
    }
    false
}

//! Attaches the programs to an interface: tcx, first in the chain, or clsact on older kernels.

use std::{io, str::FromStr};

use agent_common::{FROM_POD_PROGRAM, TO_POD_PROGRAM};
use aya::programs::{
    LinkOrder, ProgramError, SchedClassifier, TcAttachType,
    tc::{self, NlOptions, SchedClassifierLink, TcAttachOptions, TcError},
};
use rustix::net::{AddressFamily, SocketType, netdevice};

use super::{
    kernel::{self, KernelError},
    object::{ObjectError, Programs},
};

/// How to attach, as configured.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Attach {
    /// tcx where the kernel has it.
    #[default]
    Auto,
    /// tcx or nothing.
    Tcx,
    /// clsact always.
    Clsact,
}

impl FromStr for Attach {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "tcx" => Ok(Self::Tcx),
            "clsact" => Ok(Self::Clsact),
            _ => Err(format!("`{text}` is none of auto, tcx and clsact")),
        }
    }
}

/// How programs are attached.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Attachment {
    /// tcx links, first in the chain (Linux 6.6).
    Tcx,
    /// Filters on the clsact qdisc.
    Clsact,
}

impl Attachment {
    /// As status and metrics spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcx => "tcx",
            Self::Clsact => "clsact",
        }
    }
}

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
}

/// One attached program; dropping it detaches.
pub(super) type Link = SchedClassifierLink;

pub(super) fn choose(attach: Attach) -> Result<Attachment, KernelError> {
    match attach {
        Attach::Clsact => Ok(Attachment::Clsact),
        Attach::Auto | Attach::Tcx if kernel::has_tcx() => Ok(Attachment::Tcx),
        Attach::Auto => Ok(Attachment::Clsact),
        Attach::Tcx => Err(kernel::no_tcx()),
    }
}

/// Attaches both programs to an interface, or neither.
///
/// Programs are attached by name, and a name may pass to another interface at any moment: so it is
/// looked up here, and again afterwards. A later change of names does not move what is attached.
pub(super) fn attach(
    programs: &mut Programs,
    ifindex: u32,
    how: Attachment,
) -> Result<[Link; 2], AttachError> {
    loop {
        let interface = name_of(ifindex)?;
        let mut attach =
            |name, direction| attach_one(programs.program(name)?, &interface, direction, how);
        let attached = attach(FROM_POD_PROGRAM, TcAttachType::Ingress)
            .and_then(|from_pod| Ok([from_pod, attach(TO_POD_PROGRAM, TcAttachType::Egress)?]));
        if name_of(ifindex)? == interface {
            return attached;
        }
    }
}

fn name_of(ifindex: u32) -> Result<String, AttachError> {
    let gone = |error: rustix::io::Errno| AttachError::Gone {
        ifindex,
        source: error.into(),
    };
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::DGRAM, None).map_err(gone)?;
    netdevice::index_to_name(socket, ifindex).map_err(gone)
}

/// Attaches one program.
///
/// On clsact the kernel picks priority and handle, so that none of another's is taken; ours comes
/// before those that are there. The qdisc stays when we leave: others may use it by then.
fn attach_one(
    program: &mut SchedClassifier,
    interface: &str,
    direction: TcAttachType,
    how: Attachment,
) -> Result<Link, AttachError> {
    let options = match how {
        Attachment::Tcx => TcAttachOptions::TcxOrder(LinkOrder::first()),
        Attachment::Clsact => {
            add_clsact(interface)?;
            TcAttachOptions::Netlink(NlOptions::default())
        }
    };
    program
        .attach_with_options(interface, direction, options)
        .and_then(|id| program.take_link(id))
        .map_err(|error| AttachError::Attach {
            interface: interface.to_owned(),
            how,
            source: Box::new(error),
        })
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

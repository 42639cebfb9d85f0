//! What each direction is called: its program, and where at an interface that is attached.

use agent_common::{Direction, FROM_POD_PROGRAM, TO_POD_PROGRAM};
use aya::programs::TcAttachType;

use crate::whose::Whose;

pub(super) const DIRECTIONS: [Direction; Direction::COUNT] = [Direction::FromPod, Direction::ToPod];

pub(super) const fn program_name(direction: Direction) -> &'static str {
    match direction {
        Direction::FromPod => FROM_POD_PROGRAM,
        Direction::ToPod => TO_POD_PROGRAM,
    }
}

/// Which packets of an interface a program sees.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Side {
    /// Those that come in by it.
    Ingress,
    /// Those that go out by it.
    Egress,
}

pub(super) const SIDES: [Side; 2] = [Side::Ingress, Side::Egress];

impl Side {
    /// Where what is sent in this direction passes: what a pod sends comes in at the host side of its veth, and
    /// what the node sends goes out.
    pub(super) const fn of(direction: Direction, whose: Whose) -> Self {
        match (direction, whose) {
            (Direction::FromPod, Whose::Pod) | (Direction::ToPod, Whose::Node) => Self::Ingress,
            (Direction::ToPod, Whose::Pod) | (Direction::FromPod, Whose::Node) => Self::Egress,
        }
    }

    pub(super) const fn attach_type(self) -> TcAttachType {
        match self {
            Self::Ingress => TcAttachType::Ingress,
            Self::Egress => TcAttachType::Egress,
        }
    }
}

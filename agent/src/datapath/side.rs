//! What each direction is called: its program, and where at an interface that is attached.

use agent_common::{Direction, FROM_POD_PROGRAM, TO_POD_PROGRAM};
use aya::programs::TcAttachType;

pub(super) const DIRECTIONS: [Direction; Direction::COUNT] = [Direction::FromPod, Direction::ToPod];

pub(super) const fn program_name(direction: Direction) -> &'static str {
    match direction {
        Direction::FromPod => FROM_POD_PROGRAM,
        Direction::ToPod => TO_POD_PROGRAM,
    }
}

pub(super) const fn attach_type(direction: Direction) -> TcAttachType {
    match direction {
        Direction::FromPod => TcAttachType::Ingress,
        Direction::ToPod => TcAttachType::Egress,
    }
}

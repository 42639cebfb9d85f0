//! Finds what others have done to our programs at an interface, and attaches them again.

use agent_common::Direction;

use super::{
    attach::{At, AttachError, Attacher},
    attachment::Attachment,
    chain, device, filters,
    link::Links,
    side::Side,
};
use crate::whose::Whose;

/// What was done about it.
#[derive(Debug)]
pub enum Repair {
    /// A program was not attached any more, and is again.
    Reattached,
    /// Programs of others ran before ours, and could have ended the chain; ours is first again.
    MovedFirst,
    /// A program is not attached, and cannot be.
    Failed(AttachError),
}

/// How often ours is moved back to the front: others may insist as well, and each time a packet or two
/// pass by.
const MOST_MOVES: u32 = 3;

/// Looks after one direction of an interface. None when all is well, or the interface is gone.
pub(super) fn check(
    attacher: &mut Attacher<'_>,
    preferred: Attachment,
    links: &mut Links,
    (ifindex, whose): (u32, Whose),
    direction: Direction,
) -> Option<Repair> {
    let id = attacher.programs.id(direction);
    let mut how = links.attachment(direction).unwrap_or(preferred);
    let side = Side::of(direction, whose);
    let chain = || chain::programs(ifindex, side).ok();
    let before = match how {
        Attachment::Tcx => chain()?.iter().position(|it| *it == id),
        // One of a crowd, and now others are on tcx.
        Attachment::Clsact if preferred == Attachment::Tcx && !chain()?.is_empty() => {
            how = Attachment::Tcx;
            Some(usize::MAX)
        }
        // The kernel runs filters in the order of their priorities; ours gets the lowest free one.
        Attachment::Clsact => {
            let filters = filters::of(ifindex, side).ok()?;
            filters.iter().any(|it| it.program == id).then_some(0)
        }
    };
    let repair = match before {
        Some(0) => return None,
        Some(_) if links.moves >= MOST_MOVES => return None,
        Some(_) => {
            links.moves += 1;
            Repair::MovedFirst
        }
        None => Repair::Reattached,
    };
    let interface = device::name_of(ifindex).ok()?;
    // A chain takes a program once, so the old link must go before the new one comes.
    if let Some(link) = links.take(direction) {
        link.detach();
    }
    let at = At {
        ifindex,
        whose,
        how,
    };
    match attacher.attach_one(at, &interface, direction) {
        Ok(link) => {
            links.put(direction, link);
            Some(repair)
        }
        // Gone between the two calls, or under another name.
        Err(_) if !device::name_of(ifindex).is_ok_and(|now| now == interface) => None,
        Err(error) => Some(Repair::Failed(error)),
    }
}

//! The filters of an interface's clsact qdisc, and which of them run which program.

use std::io;

use aya::programs::{
    ProgramError,
    tc::{SchedClassifierLink, TcHandle},
};
use netlink_packet_core::{
    NLM_F_DUMP, NLM_F_REQUEST, NetlinkBuffer, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::{
    RouteNetlinkMessage as Message,
    link::LinkMessage,
    tc::{TcAttribute, TcFilterBpfOption, TcHandle as Handle, TcMessage, TcOption},
};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};

use super::{
    device,
    side::{SIDES, Side},
};

/// The kernel fills at most 32 KiB of a dump at once.
const DATAGRAM_BYTES: usize = 64 << 10;

/// A filter that runs a BPF program.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Filter {
    pub(super) program: u32,
    priority: u16,
    handle: u32,
}

impl Filter {
    pub(super) fn of(link: &SchedClassifierLink, program: u32) -> Result<Self, ProgramError> {
        Ok(Self {
            program,
            priority: link.priority()?,
            handle: link.handle()?.into(),
        })
    }

    /// With what the filter is replaced; when that is dropped it is removed.
    pub(super) fn link(self, ifindex: u32, side: Side) -> io::Result<SchedClassifierLink> {
        let interface = device::name_of(ifindex)?;
        let (attach_type, handle) = (side.attach_type(), TcHandle::from(self.handle));
        SchedClassifierLink::attached(&interface, attach_type, self.priority, handle, None)
    }
}

/// Removes a filter, if it still runs the same program: the interface may be another by now.
pub(super) fn remove(ifindex: u32, side: Side, filter: Filter) -> io::Result<()> {
    if of(ifindex, side)?.contains(&filter) {
        drop(filter.link(ifindex, side)?);
    }
    Ok(())
}

/// Removes every filter of the network namespace that runs one of `programs`; how many there were.
pub(super) fn remove_all(programs: &[u32]) -> io::Result<usize> {
    let mut removed = 0;
    for ifindex in interfaces()? {
        for side in SIDES {
            let mut filters = of(ifindex, side)?;
            filters.retain(|filter| programs.contains(&filter.program));
            for filter in filters {
                remove(ifindex, side, filter)?;
                removed += 1;
            }
        }
    }
    Ok(removed)
}

/// The filters at one side of an interface, first to last; none when there is no clsact.
pub(super) fn of(ifindex: u32, side: Side) -> io::Result<Vec<Filter>> {
    let mut request = TcMessage::with_index(ifindex.cast_signed());
    request.header.parent = Handle {
        minor: match side {
            Side::Ingress => Handle::MIN_INGRESS,
            Side::Egress => Handle::MIN_EGRESS,
        },
        ..Handle::CLSACT
    };
    let answers = match dump(Message::GetTrafficFilter(request)) {
        // The interface is gone, or has no such qdisc: then the kernel answers with an error, or with
        // nothing, by its version.
        Err(error) if matches!(error.raw_os_error(), Some(libc::EINVAL | libc::ENODEV)) => {
            return Ok(Vec::new());
        }
        answers => answers?,
    };
    Ok(answers.into_iter().filter_map(filter).collect())
}

/// The indexes of all interfaces of the network namespace.
pub(super) fn interfaces() -> io::Result<Vec<u32>> {
    let answers = dump(Message::GetLink(LinkMessage::default()))?;
    let indexes = answers.into_iter().filter_map(|answer| match answer {
        Message::NewLink(link) => Some(link.header.index),
        _ => None,
    });
    Ok(indexes.collect())
}

fn filter(answer: Message) -> Option<Filter> {
    let Message::NewTrafficFilter(message) = answer else {
        return None;
    };
    let options = message.attributes.into_iter().find_map(|it| match it {
        TcAttribute::Options(options) => Some(options),
        _ => None,
    });
    let program = options?.into_iter().find_map(|it| match it {
        TcOption::Bpf(TcFilterBpfOption::ProgId(id)) => Some(id),
        _ => None,
    });
    Some(Filter {
        program: program?,
        priority: (message.header.info >> 16) as u16,
        handle: message.header.handle.into(),
    })
}

fn dump(request: Message) -> io::Result<Vec<Message>> {
    let mut socket = Socket::new(NETLINK_ROUTE)?;
    socket.bind_auto()?;
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | NLM_F_DUMP;
    let mut message = NetlinkMessage::new(header, NetlinkPayload::from(request));
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    socket.send_to(&bytes, &SocketAddr::new(0, 0), 0)?;
    let mut datagram = vec![0; DATAGRAM_BYTES];
    let mut answers = Vec::new();
    loop {
        let length = socket.recv(&mut &mut datagram[..], 0)?;
        let mut rest = &datagram[..length];
        while let Ok(buffer) = NetlinkBuffer::new_checked(rest) {
            let (one, others) = rest.split_at(buffer.length() as usize);
            rest = others;
            // What this library cannot parse is no filter of ours.
            let Ok(message) = NetlinkMessage::<Message>::deserialize(one) else {
                continue;
            };
            match message.payload {
                NetlinkPayload::Done(_) => return Ok(answers),
                NetlinkPayload::Error(error) => return Err(error.to_io()),
                NetlinkPayload::InnerMessage(answer) => answers.push(answer),
                _ => {}
            }
        }
    }
}

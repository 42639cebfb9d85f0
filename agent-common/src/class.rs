//! How a pod initiates, and over what.

/// How a packet of the pod initiates, by index into [`Slot::initiated_packets`](crate::Slot::initiated_packets).
#[repr(u8)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Class {
    /// TCP, SYN alone; congestion bits do not count here or below.
    Syn = 0,
    /// TCP without any flag.
    Null = 1,
    /// TCP, FIN alone.
    Fin = 2,
    /// TCP, FIN, PSH and URG.
    Xmas = 3,
    /// TCP, any other flag set without ACK and RST.
    OddFlags = 4,
    /// TCP, ACK without SYN and FIN, without payload, to an endpoint that did not send of late.
    StrayAck = 5,
    /// TCP, FIN and ACK, without payload, to such an endpoint.
    StrayFin = 6,
    /// TCP, SYN and ACK, to such an endpoint.
    StraySynAck = 7,
    /// A first fragment that holds ports but not what tells whether it initiates: TCP flags or an SCTP chunk.
    TinyFragment = 8,
    /// UDP to an endpoint that did not send of late.
    Udp = 9,
    /// SCTP, an INIT chunk first.
    SctpInit = 10,
    /// SCTP, a COOKIE ECHO chunk first, to an endpoint that did not send of late.
    SctpCookieEcho = 11,
    /// An ICMP or ICMPv6 request: echo, timestamp or address mask.
    Echo = 12,
    /// Another IP protocol, to a host that did not send any of it of late.
    Protocol = 13,
    /// An ARP request or a neighbour solicitation.
    Neighbour = 14,
}

impl Class {
    /// How many there are.
    pub const COUNT: usize = 15;

    /// All of them, in the order of their values.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Syn,
        Self::Null,
        Self::Fin,
        Self::Xmas,
        Self::OddFlags,
        Self::StrayAck,
        Self::StrayFin,
        Self::StraySynAck,
        Self::TinyFragment,
        Self::Udp,
        Self::SctpInit,
        Self::SctpCookieEcho,
        Self::Echo,
        Self::Protocol,
        Self::Neighbour,
    ];

    /// The class that `byte` stands for, if any.
    ///
    /// ```
    /// use agent_common::Class;
    /// for class in Class::ALL {
    ///     assert_eq!(Class::from_byte(class as u8), Some(class));
    /// }
    /// assert_eq!(Class::from_byte(15), None);
    /// ```
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        if (byte as usize) < Self::COUNT {
            Some(Self::ALL[byte as usize])
        } else {
            None
        }
    }
}

/// Over what a pod initiates: with the other side's address and port it names a contact.
#[repr(u8)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Transport {
    /// TCP; ports as TCP has them.
    Tcp = 0,
    /// UDP; ports as UDP has them.
    Udp = 1,
    /// SCTP; ports as SCTP has them.
    Sctp = 2,
    /// ICMP or ICMPv6 requests; the port is 0.
    Icmp = 3,
    /// Another IP protocol; the port is its number.
    Protocol = 4,
    /// Address resolution, ARP or neighbour discovery; the port is 0.
    Neighbour = 5,
}

impl Transport {
    /// How many there are.
    pub const COUNT: usize = 6;

    /// The transport that `byte` stands for, if any.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Tcp),
            1 => Some(Self::Udp),
            2 => Some(Self::Sctp),
            3 => Some(Self::Icmp),
            4 => Some(Self::Protocol),
            5 => Some(Self::Neighbour),
            _ => None,
        }
    }
}

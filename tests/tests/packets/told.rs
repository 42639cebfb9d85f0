//! An observation in a line: what one packet counts as.

use detect::{Class, Count, Observation, Outcome, ParseFailure};

/// Classes, counts and failures by name, then contacts with their ports, then the port sets.
pub(crate) fn told(seen: &Observation) -> String {
    let mut words = Vec::new();
    let mut name = |name: &str, count: u64| match count {
        0 => {}
        1 => words.push(name.to_owned()),
        _ => words.push(format!("{count}x{name}")),
    };
    for class in Class::ALL {
        name(class.name(), seen.initiated[class as usize]);
    }
    // What is new is told by the sets.
    for count in Count::ALL.into_iter().filter(|it| *it != Count::NewPorts) {
        name(count.name(), seen.count(count));
    }
    for failure in ParseFailure::ALL {
        let failed = format!("unparsed:{}", failure.name());
        name(&failed, seen.unparsed[failure as usize]);
    }
    for contact in &seen.contacts {
        let what = match contact.outcome {
            Outcome::Sent(technique) => format!("{technique:?}"),
            Outcome::Answered => "Answered".to_owned(),
            Outcome::Refused => "Refused".to_owned(),
        };
        let over = contact.transport.name();
        words.push(format!("{what}({over} {})", contact.port));
    }
    let sets: [(&str, &[u16]); 5] = [
        ("tcp", &seen.tcp_ports),
        ("udp", &seen.udp_ports),
        ("refused", &seen.refused),
        ("probed", &seen.probed),
        ("refusing", &seen.refusing),
    ];
    for (set, ports) in sets {
        words.extend(ports.iter().map(|port| format!("{set}:{port}")));
    }
    let protocols = seen.protocols.iter();
    words.extend(protocols.map(|protocol| format!("protocol:{protocol}")));
    words.join(" ")
}

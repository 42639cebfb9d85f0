//! The techniques of MITRE ATT&CK that detectors point to, by name and tactic.

/// One of the columns of ATT&CK's matrix.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Tactic {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
}

/// A technique, or one below it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Technique {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) tactic: Tactic,
}

const RECONNAISSANCE: Tactic = Tactic {
    id: "TA0043",
    name: "Reconnaissance",
};
const CREDENTIAL_ACCESS: Tactic = Tactic {
    id: "TA0006",
    name: "Credential Access",
};
const DISCOVERY: Tactic = Tactic {
    id: "TA0007",
    name: "Discovery",
};
const LATERAL_MOVEMENT: Tactic = Tactic {
    id: "TA0008",
    name: "Lateral Movement",
};
const EXFILTRATION: Tactic = Tactic {
    id: "TA0010",
    name: "Exfiltration",
};
const COMMAND_AND_CONTROL: Tactic = Tactic {
    id: "TA0011",
    name: "Command and Control",
};
const IMPACT: Tactic = Tactic {
    id: "TA0040",
    name: "Impact",
};

/// ATT&CK for enterprises, version 17; where a technique serves several tactics, the first of them.
const TECHNIQUES: [(&str, &str, Tactic); 19] = [
    ("T1018", "Remote System Discovery", DISCOVERY),
    ("T1021", "Remote Services", LATERAL_MOVEMENT),
    ("T1029", "Scheduled Transfer", EXFILTRATION),
    ("T1041", "Exfiltration Over C2 Channel", EXFILTRATION),
    ("T1046", "Network Service Discovery", DISCOVERY),
    (
        "T1048",
        "Exfiltration Over Alternative Protocol",
        EXFILTRATION,
    ),
    ("T1071", "Application Layer Protocol", COMMAND_AND_CONTROL),
    ("T1071.004", "DNS", COMMAND_AND_CONTROL),
    (
        "T1095",
        "Non-Application Layer Protocol",
        COMMAND_AND_CONTROL,
    ),
    ("T1105", "Ingress Tool Transfer", COMMAND_AND_CONTROL),
    ("T1498", "Network Denial of Service", IMPACT),
    ("T1499", "Endpoint Denial of Service", IMPACT),
    ("T1557", "Adversary-in-the-Middle", CREDENTIAL_ACCESS),
    ("T1568", "Dynamic Resolution", COMMAND_AND_CONTROL),
    (
        "T1568.002",
        "Domain Generation Algorithms",
        COMMAND_AND_CONTROL,
    ),
    ("T1571", "Non-Standard Port", COMMAND_AND_CONTROL),
    ("T1572", "Protocol Tunneling", COMMAND_AND_CONTROL),
    ("T1590", "Gather Victim Network Information", RECONNAISSANCE),
    ("T1590.002", "DNS", RECONNAISSANCE),
];

/// None of a technique that is newer than this program.
pub(super) fn technique(id: &str) -> Option<Technique> {
    let known = TECHNIQUES.iter().find(|(known, ..)| *known == id);
    known.map(|&(id, name, tactic)| Technique { id, name, tactic })
}

/// The technique above one such as `T1071.004`; none of the others.
pub(super) fn above(id: &str) -> Option<Technique> {
    technique(id.split_once('.')?.0)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// The pages of the detectors name what they point to.
    #[test]
    fn every_technique_that_a_page_names_is_known() {
        let mut named = 0;
        for folder in ["detect/reference", "collector/reference"] {
            let folder = format!("{}/../{folder}", env!("CARGO_MANIFEST_DIR"));
            for page in fs::read_dir(folder).unwrap() {
                let text = fs::read_to_string(page.unwrap().path()).unwrap();
                let section = text.split("## ATT&CK").nth(1).unwrap();
                let words = section.split(|it: char| !it.is_ascii_alphanumeric() && it != '.');
                for id in words.map(|it| it.trim_end_matches('.')) {
                    if id.starts_with("T1") && id[1..].starts_with(|it: char| it.is_ascii_digit()) {
                        let known = technique(id).unwrap_or_else(|| panic!("{id} is not known"));
                        assert_eq!(above(id).is_some(), id.contains('.'), "{known:?}");
                        named += 1;
                    }
                }
            }
        }
        assert!(named > 20, "{named}");
        assert!(technique("T9999").is_none());
    }
}

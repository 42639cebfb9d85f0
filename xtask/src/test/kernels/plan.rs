//! What is run on which kernel, and how it must end.

/// Where our executables are in the machine.
pub(super) const BINARIES: &str = "/picket/bin";
/// The tests of the lab that run on every kernel that must do, as cargo calls them.
pub(super) const TESTS: [&str; 6] = [
    "attachment",
    "budget",
    "differential",
    "environment",
    "packets",
    "readout",
];
/// Less of the two tests that run most packets: the machine is emulated.
const LESS: &str = "PICKET_PACKETS=20000 PICKET_CONTACTS=100000";

/// Kernels by series, and whether they must do.
pub(super) const KERNELS: [(&str, bool); 5] = [
    ("5.10", false),
    ("6.1", true),
    ("6.12", true),
    ("6.18", true),
    ("7", true),
];

/// One command in the machine.
pub(super) struct Step {
    pub(super) name: &'static str,
    command: String,
    ends: Ends,
}

enum Ends {
    Well,
    /// With this exit code, and a message that has this in it.
    Refusing(i32, &'static str),
}

impl Step {
    /// Why `code` and `output` are not as they must be, if so.
    pub(super) fn fault(&self, code: Option<i32>, output: &[String]) -> Option<String> {
        match self.ends {
            Ends::Well => (code != Some(0)).then(|| format!("ended with {code:?}, not with 0")),
            Ends::Refusing(expected, _) if code != Some(expected) => {
                Some(format!("ended with {code:?}, not with {expected}"))
            }
            Ends::Refusing(_, says) => (!output.iter().any(|line| line.contains(says)))
                .then(|| format!("did not say {says:?}")),
        }
    }
}

/// The steps for a kernel that must do, or for one that must be refused.
pub(super) fn steps(must_do: bool) -> Vec<Step> {
    let agent = |name, arguments: &str, says| Step {
        name,
        command: format!("{BINARIES}/picket-agent --listen unix:/tmp/agent.sock {arguments}"),
        ends: Ends::Refusing(1, says),
    };
    if !must_do {
        return vec![agent(
            "refusal",
            "",
            "is too old: Picket needs Linux 5.15 or newer",
        )];
    }
    let test = |name, arguments: &str| Step {
        name,
        command: format!("PICKET_REQUIRE_ROOT=1 {LESS} {BINARIES}/{name} {arguments}"),
        ends: Ends::Well,
    };
    vec![
        Step {
            name: "programs",
            command: "/init programs".into(),
            ends: Ends::Well,
        },
        test("attachment", ""),
        test("packets", ""),
        test("budget", ""),
        // What depends on the kernel: each load of the programs takes seconds here.
        test(
            "environment",
            "without_btf three_capabilities too_little_memory",
        ),
        test("readout", ""),
        test("differential", ""),
        // A machine has 512 MiB.
        agent(
            "memory",
            "--slots 16384",
            "there is no memory for the BPF maps of 16384 slots",
        ),
    ]
}

/// As the machine reads them.
pub(super) fn lines(steps: &[Step]) -> String {
    let always = format!("PATH=/bin PICKET_BIN_DIR={BINARIES}");
    steps
        .iter()
        .map(|step| format!("{always} {}\n", step.command))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_ends_as_it_must_or_says_why_not() {
        let said = |text: &str| vec![text.to_owned()];
        let refused = &steps(false)[0];
        let right =
            said("error: kernel 5.10 is too old: Picket needs Linux 5.15 or newer; upgrade");
        assert_eq!(refused.fault(Some(1), &right), None);
        for (code, output, why) in [
            (Some(0), &right, "ended with Some(0)"),
            (None, &right, "ended with None"),
            (Some(1), &said("segmentation fault"), "did not say"),
        ] {
            let fault = refused.fault(code, output).unwrap();
            assert!(fault.contains(why), "{fault}");
        }
        let loads = &steps(true)[0];
        assert_eq!(loads.fault(Some(0), &[]), None);
        assert!(loads.fault(Some(101), &[]).is_some());
    }
}

//! Signed here, verified there, and everything that may be wrong in between.
#![expect(clippy::disallowed_methods, reason = "certificates are of this moment")]

use std::time::{Duration, SystemTime};

use prost::Message as _;
use tempfile::TempDir;

use super::*;
use crate::{
    certificates::{Authority, Issued, LEAF_DAYS, Purpose},
    principal::Principal,
    v1,
};

struct Stage {
    _folder: TempDir,
    authority: Authority,
    anna: Issued,
    now: SystemTime,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let now = SystemTime::now();
        let authority = Authority::create(folder.path(), 10, now).unwrap();
        let anna = authority.issue(Purpose::Client(Principal::Operator("anna")), LEAF_DAYS, now);
        Self {
            _folder: folder,
            authority,
            anna: anna.unwrap(),
            now,
        }
    }

    fn verifier(&self) -> Verifier {
        let (ca, crl) = (self.authority.certificate(), self.authority.revocations());
        Verifier::read(&ca, Some(&crl)).unwrap()
    }

    fn sign(&self, by: &Issued) -> v1::SignedCommand {
        let signer = Signer::read(&by.certificate, &by.key).unwrap();
        signer.sign(command(), self.now, LONGEST_LIFE).unwrap()
    }

    fn refused(&self, command: &v1::SignedCommand, now: SystemTime) -> String {
        let refused = self.verifier().verify(command, "n1", now);
        refused.unwrap_err().to_string()
    }
}

fn command() -> v1::Command {
    v1::Command {
        node: "n1".into(),
        namespace: "blue".into(),
        pod: "app1".into(),
        uid: "u1".into(),
        action: Some(v1::command::Action::Release(v1::Release {})),
        ..v1::Command::default()
    }
}

#[test]
fn what_an_operator_signed_is_his_and_for_its_node_alone() {
    let stage = Stage::new();
    let signed = stage.sign(&stage.anna);
    let verified = stage.verifier().verify(&signed, "n1", stage.now).unwrap();
    assert_eq!(verified.operator, "anna");
    assert_eq!(verified.command.pod, "app1");
    assert!(verified.command.sequence > 0 && !verified.command.id.is_empty());
    let other = stage.verifier().verify(&signed, "n2", stage.now);
    assert!(matches!(other, Err(VerifyError::OtherNode(node)) if node == "n1"));
}

#[test]
fn a_command_is_of_its_five_minutes() {
    let stage = Stage::new();
    let signed = stage.sign(&stage.anna);
    let after = |seconds| stage.now + Duration::from_secs(seconds);
    assert!(stage.verifier().verify(&signed, "n1", after(299)).is_ok());
    assert!(stage.refused(&signed, after(300)).contains("expired"));
    let early = stage.now - Duration::from_secs(61);
    assert!(stage.refused(&signed, early).contains("future"));

    let mut long = v1::Command::decode(&signed.command[..]).unwrap();
    long.expires_at = Some(after(301).into());
    assert!(check_alone(&long, stage.now).contains("longer than five minutes"));
    long.expires_at = None;
    assert!(check_alone(&long, stage.now).contains("no times"));
}

fn check_alone(command: &v1::Command, now: SystemTime) -> String {
    verifier::check(command, "n1", now).unwrap_err().to_string()
}

#[test]
fn nobody_else_can_command() {
    let stage = Stage::new();
    let issue = |principal| {
        let issued = stage
            .authority
            .issue(Purpose::Client(principal), LEAF_DAYS, stage.now);
        stage.sign(&issued.unwrap())
    };
    for principal in [Principal::Node("n1"), Principal::Subscriber("anna")] {
        let refused = stage.refused(&issue(principal), stage.now);
        assert!(refused.contains("picket://operator/NAME"), "{refused}");
    }
    let other = Stage::new();
    let refused = stage.refused(&other.sign(&other.anna), stage.now);
    assert!(
        refused.contains("not accepted"),
        "of another authority: {refused}"
    );
    let late = stage.now + Duration::from_secs(100 * 24 * 3600);
    let refused = stage.refused(&stage.sign(&stage.anna), late);
    assert!(refused.contains("not accepted"), "out of date: {refused}");
}

#[test]
fn who_is_revoked_commands_no_more() {
    let stage = Stage::new();
    let signed = stage.sign(&stage.anna);
    let serial = &stage.anna.serial;
    stage.authority.revoke(serial, stage.now).unwrap();
    let refused = stage.refused(&signed, stage.now);
    assert!(refused.contains("not accepted"), "{refused}");
}

#[test]
fn what_was_changed_on_the_way_is_not_obeyed() {
    let stage = Stage::new();
    let signed = stage.sign(&stage.anna);
    let mut cases: Vec<v1::SignedCommand> = Vec::new();
    let mut change = |change: &dyn Fn(&mut v1::SignedCommand)| {
        let mut changed = signed.clone();
        change(&mut changed);
        cases.push(changed);
    };
    for index in 0..signed.command.len() {
        change(&|it| it.command[index] ^= 1);
    }
    change(&|it| it.command.clear());
    change(&|it| it.signature.clear());
    change(&|it| it.certificates.clear());
    change(&|it| it.certificates = vec![it.certificates[0].clone(); 5]);
    change(&|it| it.certificates[0].truncate(40));
    for changed in cases {
        stage.refused(&changed, stage.now);
    }
}

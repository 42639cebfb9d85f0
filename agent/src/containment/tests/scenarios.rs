//! A thousand random stories of scanners, liars, storms, operators, forgers, and agents that die.
#![expect(clippy::disallowed_methods, reason = "certificates are of this moment")]

use std::time::SystemTime;

use api::{
    certificates::{Authority, Issued, LEAF_DAYS, Purpose},
    command::{LONGEST_LIFE, Signer, Verifier},
    principal::Principal,
    selector::Selector,
    v1::command::Action,
};
use detect::{Contact, Observation, Outcome, Technique, Transport};
use fastrand::Rng;

use super::{
    world::{Behind, World},
    *,
};
use crate::containment::{Deed, Order};

const SCENARIOS: u64 = 1000;
const STEPS: usize = 40;
const NODE: &str = "n1";
const VICTIM: [u8; 4] = [10, 9, 9, 9];

/// Who can sign, and who only says so.
struct Signers {
    _folder: tempfile::TempDir,
    verifier: Verifier,
    anna: Signer,
    mallory: Signer,
    now: SystemTime,
}

impl Signers {
    fn new() -> Self {
        let now = SystemTime::now();
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            let authority = Authority::create(&folder.path().join(name), 10, now).unwrap();
            let purpose = Purpose::Client(Principal::Operator("anna"));
            let Issued {
                certificate, key, ..
            } = authority.issue(purpose, LEAF_DAYS, now).unwrap();
            (authority, Signer::read(&certificate, &key).unwrap())
        };
        let (authority, anna) = make("real");
        let (_, mallory) = make("false");
        Self {
            verifier: Verifier::read(&authority.certificate(), None).unwrap(),
            anna,
            mallory,
            now,
            _folder: folder,
        }
    }

    /// A command, as an agent takes it from the wire: in most ways there are, it is nobody's.
    fn order(&self, rng: &mut Rng, pod: &v1::Pod, sequence: u64) -> Option<Order> {
        let lease = Duration::from_secs(rng.u64(0..100_000)).try_into().ok();
        let action = match rng.bool() {
            true => Action::Contain(v1::Contain { lease }),
            false => Action::Release(v1::Release {}),
        };
        let command = v1::Command {
            node: if rng.u8(..8) == 0 { "n2" } else { NODE }.into(),
            namespace: pod.namespace.clone(),
            pod: pod.name.clone(),
            uid: pod.uid.clone(),
            action: Some(action),
            ..v1::Command::default()
        };
        let signer = if rng.u8(..8) == 0 {
            &self.mallory
        } else {
            &self.anna
        };
        let mut signed = signer.sign(command, self.now, LONGEST_LIFE).unwrap();
        if rng.u8(..8) == 0 {
            let at = rng.usize(..signed.command.len());
            signed.command[at] ^= 1 << rng.u8(..8);
        }
        let late = if rng.u8(..8) == 0 { 301 } else { 1 };
        let now = self.now + Duration::from_secs(late);
        let verified = self.verifier.verify(&signed, NODE, now).ok()?;
        let deed = match verified.command.action? {
            Action::Contain(contain) => {
                Deed::Contain(contain.lease.and_then(|it| it.try_into().ok())?)
            }
            Action::Release(_) => Deed::Release,
        };
        Some(Order {
            id: format!("c{sequence}"),
            operator: verified.operator,
            sequence,
            namespace: verified.command.namespace,
            pod: verified.command.pod,
            uid: verified.command.uid,
            reason: String::new(),
            deed,
        })
    }
}

struct Story<'a> {
    rng: Rng,
    world: World,
    signers: &'a Signers,
    sequence: u64,
    orders: Vec<Order>,
    interfaces: u32,
    names: u32,
    /// Of busy pods.
    holds: u64,
}

impl Story<'_> {
    fn settings(rng: &mut Rng) -> Settings {
        let mode = [Mode::Act, Mode::Act, Mode::Act, Mode::Propose, Mode::Off];
        let protected = Selector {
            namespaces: vec!["ns2".into()],
            ..Selector::default()
        };
        Settings {
            mode: mode[rng.usize(..mode.len())],
            lease: Duration::from_secs(rng.u64(1..1200)),
            max_share_percent: rng.u32(1..=100),
            max_per_namespace: rng.u32(1..4),
            max_per_minute: rng.u32(1..4),
            protected: if rng.bool() {
                vec![protected]
            } else {
                Vec::new()
            },
            ..Settings::default()
        }
    }

    /// A pod on an interface: a new one, or one whose index is used again.
    fn appear(&mut self) {
        self.names += 1;
        self.interfaces += 1;
        let subject = Subject {
            ifindex: self.rng.u32(1..20),
            epoch: self.interfaces,
        };
        let taken = self
            .world
            .pods
            .keys()
            .find(|it| it.ifindex == subject.ifindex);
        if let Some(taken) = taken.copied() {
            self.world.remove(taken);
        }
        let namespace = ["kube-system", "ns1", "ns2", "ns3"][self.rng.usize(..4)];
        let workload = self.rng.u32(..4);
        let suffix: String = (0..5)
            .map(|_| char::from(b"bcdfg"[self.rng.usize(..5)]))
            .collect();
        let mut pod = v1::Pod {
            addresses: vec![format!("10.0.0.{}", self.rng.u32(1..10))],
            ..pod(namespace, &format!("w{workload}-5d4f7c9b8-{suffix}"))
        };
        pod.uid = match self.rng.u8(..6) {
            0 => String::new(),
            _ => format!("u{}", self.names),
        };
        if self.rng.u8(..6) == 0 {
            pod.labels.insert("k8s-app".into(), "kube-dns".into());
        }
        let is_guilty = false;
        self.world.pods.insert(subject, Behind { pod, is_guilty });
    }

    fn any(&mut self) -> Option<Subject> {
        let all: Vec<_> = self.world.pods.keys().copied().collect();
        (!all.is_empty()).then(|| all[self.rng.usize(..all.len())])
    }

    fn contact(&mut self, port: u16, outcome: Outcome, spoofs: bool) -> Contact {
        // The address in the packet may be that of any other pod.
        let pod = [10, 0, 0, self.rng.u8(1..10)].into();
        Contact {
            at: self.world.now,
            pod,
            peer: VICTIM.into(),
            transport: Transport::Tcp,
            port,
            outcome,
            spoofed: spoofs,
            contained: false,
        }
    }

    /// A scan, in the pod's own name or in those of others.
    fn scan(&mut self, subject: Subject) {
        let from = self.rng.u16(1..60_000);
        let ports: Vec<u16> = (from..from + self.rng.u16(5..60)).collect();
        let spoofs = self.rng.bool();
        let mut seen = Observation::empty(subject);
        for &port in &ports {
            let sent = self.contact(port, Outcome::Sent(Technique::Syn), spoofs);
            let refused = self.contact(port, Outcome::Refused, spoofs);
            seen.contacts.extend([sent, refused]);
        }
        seen.initiated[detect::Class::Syn as usize] = ports.len() as u64;
        seen.refused.clone_from(&ports);
        seen.tcp_ports = ports;
        if let Some(behind) = self.world.pods.get_mut(&subject) {
            behind.is_guilty = true;
        }
        let held = self.world.trip(&[subject]);
        self.world.observe(&seen);
        self.world.let_go(held);
    }

    /// What others make a pod look like: replies that it never asked for, and probes of its ports.
    fn blame(&mut self, subject: Subject) {
        let ports: Vec<u16> = (1..100).collect();
        let mut seen = Observation::empty(subject);
        // The programs tell of refusals only where the pod has probed; a handful it may have.
        let used = &ports[..self.rng.usize(..5)];
        for &port in used {
            let refused = self.contact(port, Outcome::Refused, false);
            seen.contacts.push(refused);
        }
        seen.refused = used.to_vec();
        seen.counts[detect::Count::ResetsReceived as usize] = 1000;
        seen.counts[detect::Count::Probes as usize] = 1000;
        seen.counts[detect::Count::Refusing as usize] = 1000;
        seen.probed.clone_from(&ports);
        seen.refusing = ports;
        self.world.observe(&seen);
    }

    fn command(&mut self, subject: Subject) {
        let again = self.rng.u8(..4) == 0 && !self.orders.is_empty();
        let (order, replayed) = if again {
            let index = self.rng.usize(..self.orders.len());
            (self.orders[index].clone(), true)
        } else {
            self.sequence += 1;
            let pod = self.world.pods[&subject].pod.clone();
            let made = self.signers.order(&mut self.rng, &pod, self.sequence);
            let Some(order) = made else { return };
            (order, false)
        };
        let done = self.world.obey(&order);
        assert!(
            !(replayed && done.is_ok()),
            "a replay was obeyed: {order:?}"
        );
        self.orders.push(order);
    }

    fn step(&mut self) {
        let subject = self.any();
        let Some(subject) = subject else {
            return self.appear();
        };
        match self.rng.u8(..18) {
            0 | 1 => self.appear(),
            2..=4 => self.scan(subject),
            5 => self.blame(subject),
            6 => {
                // All replicas of one workload at once.
                let workload = workload(&self.world.pods[&subject].pod);
                let pods = self.world.pods.iter();
                let same = pods.filter(|(_, it)| self::workload(&it.pod) == workload);
                let same: Vec<_> = same.map(|(subject, _)| *subject).collect();
                same.into_iter().for_each(|it| self.scan(it));
            }
            7..=9 => self.command(subject),
            10 => self.world.remove(subject),
            11 => {
                // Who is behind the interface was told wrong.
                self.names += 1;
                let uid = format!("u{}", self.names);
                let behind = self.world.pods.get_mut(&subject);
                behind
                    .into_iter()
                    .for_each(|it| it.pod.uid.clone_from(&uid));
            }
            12 => {
                let behind = self.world.pods.get_mut(&subject);
                let ended = Some(v1::Timestamp::default());
                behind.into_iter().for_each(|it| it.pod.ended_at = ended);
            }
            13 => {
                let away = Duration::from_millis(self.rng.u64(1..600_000));
                let reboots = self.rng.u8(..4) == 0;
                let is_cut = self.rng.u8(..4) == 0;
                self.world.restart(away, reboots, is_cut);
                if is_cut {
                    // Those are from before the start, which stands for the sequences then.
                    self.orders.clear();
                }
            }
            14 => {
                let settings = Self::settings(&mut self.rng);
                self.world.set(settings);
            }
            15 | 16 => {
                // Pods that are busy, and nothing worse.
                let subjects: Vec<_> = self.world.pods.keys().copied().collect();
                let busy: Vec<_> = subjects.into_iter().filter(|_| self.rng.bool()).collect();
                let held = self.world.trip(&busy);
                self.holds += held.len() as u64;
                self.world.let_go(held);
            }
            _ => self.world.now = self.world.now + Duration::from_secs(self.rng.u64(1..2000)),
        }
        self.world.now = self.world.now + Duration::from_millis(self.rng.u64(1..20_000));
        self.world.review();
    }

    /// Leases end, whether an agent is there to see it or not.
    fn end(mut self) -> [u64; 3] {
        let day = api::containment::LONGEST_LEASE;
        let latest = self.world.leases.values().max().copied();
        let bound = self.world.now + day;
        assert!(
            latest.is_none_or(|it| it <= bound),
            "a lease without an end"
        );
        if self.rng.bool() {
            self.world.restart(day, false, false);
        }
        let end = self.world.now + day + day;
        while self.world.now < end && !self.world.machine.is_idle() {
            self.world.now = self.world.now + Duration::from_secs(600);
            self.world.review();
        }
        assert!(self.world.machine.is_idle(), "{:?}", self.world.machine);
        assert!(self.world.leases.values().all(|it| *it <= self.world.now));
        [self.world.contained, self.world.ended, self.holds]
    }
}

fn workload(pod: &v1::Pod) -> String {
    format!("{}/{}", pod.namespace, api::workload::of_pod(&pod.name))
}

#[test]
fn in_a_thousand_random_stories_no_protected_pod_is_touched_and_every_lease_ends() {
    let signers = Signers::new();
    let (mut contained, mut ended, mut held) = (0, 0, 0);
    for seed in 0..SCENARIOS {
        let mut rng = Rng::with_seed(seed);
        let settings = Story::settings(&mut rng);
        let mut story = Story {
            rng,
            world: World::new(settings, at(1000)),
            signers: &signers,
            sequence: 0,
            orders: Vec::new(),
            interfaces: 0,
            names: 0,
            holds: 0,
        };
        (0..6).for_each(|_| story.appear());
        (0..STEPS).for_each(|_| story.step());
        let [opened, closed, holds] = story.end();
        contained += opened;
        ended += closed;
        held += holds;
    }
    println!("{contained} containments in {SCENARIOS} stories, {ended} ends, {held} holds in vain");
    assert_eq!(contained, ended);
    assert!(
        contained > SCENARIOS,
        "too few to show anything: {contained}"
    );
    assert!(held > SCENARIOS, "too few to show anything: {held}");
}

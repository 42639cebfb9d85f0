//! Ten thousand pods, which all become others while the API server is away, again and again.

use std::{
    fs,
    net::Ipv4Addr,
    time::{Duration, SystemTime},
};

use api::{
    pods::Pods,
    v1::{self, events_client::EventsClient, publish_response::Item},
};
use serde_json::{Value, json};

use crate::{
    agent::Agent,
    api_server::ApiServer,
    harness::{all, beginning, event},
    process::Process,
    subscriber::Subscriber,
};

const PODS: u32 = 10_000;
/// Of those, on the node of the agent.
const OWN: u32 = 100;
const GENERATIONS: u64 = 4;
/// Of the process, in kilobytes; a tenth of it is there without pods.
const MOST_MEMORY: u64 = 256 << 10;
/// When the first generation began, in seconds since 1970.
const BEGINNING: u64 = 1_699_990_000;

fn name(generation: u64, index: u32) -> String {
    format!("g{generation}-{index}")
}

fn address(index: u32) -> String {
    Ipv4Addr::from(0x0a00_0000 + index).to_string()
}

fn time(generation: u64, seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(BEGINNING + 100 * generation + seconds)
}

/// Each generation has the addresses of the one before.
fn pod(generation: u64, index: u32) -> Value {
    let node = if index < OWN { "n1" } else { "n2" };
    let at = |seconds| humantime::format_rfc3339_seconds(time(generation, seconds)).to_string();
    let name = name(generation, index);
    json!({
        "metadata": {"namespace": "default", "name": name, "uid": format!("uid-{name}"),
            "labels": {"app": "web", "pod-template-hash": "5d4f7c9b8"}},
        "spec": {"nodeName": node, "serviceAccountName": "web", "containers": [
            {"name": "web", "image": "registry.example/web:1", "ports": [{"containerPort": 8080}]}]},
        "status": {"phase": "Running", "podIP": address(index), "startTime": at(0), "containerStatuses": [
            {"name": "web", "image": "", "imageID": "", "ready": true, "restartCount": 0,
             "state": {"running": {"startedAt": at(1)}}}]},
    })
}

fn replace(server: &ApiServer, generation: u64) {
    for index in 0..PODS {
        if let Some(former) = generation.checked_sub(1) {
            server.forget("pods", &format!("default/{}", name(former, index)));
        }
        let name = format!("default/{}", name(generation, index));
        server.put("pods", &name, pod(generation, index));
    }
}

/// An event about the first pod of the generation, which its agent does not know yet.
fn unnamed(generation: u64, sequence: u64) -> v1::Event {
    let mut told = event("n1", sequence);
    told.source = Some(v1::Endpoint {
        address: address(0),
        interface: "cali1".into(),
        appeared_at: Some((time(generation, 0) + Duration::from_millis(500)).into()),
        ..v1::Endpoint::default()
    });
    told
}

/// Of the process, in kilobytes: now, and at most so far.
fn memory(process: &Process) -> [u64; 2] {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    ["VmRSS:", "VmHWM:"].map(|key| {
        let line = status.lines().find_map(|line| line.strip_prefix(key));
        let number = line.and_then(|it| it.split_whitespace().next());
        number.unwrap().parse().unwrap()
    })
}

/// Publishes without a pause until the agent knows the pods of the generation; how many events by then.
async fn publish_until_told(
    agent: &mut Agent,
    pods: &mut Pods,
    generation: u64,
    mut sequence: u64,
) -> u64 {
    let prefix = name(generation, 0);
    let prefix = prefix.trim_end_matches('0');
    let mut more = false;
    loop {
        let alive = pods.iter().filter(|pod| pod.ended_at.is_none());
        let known = alive.filter(|pod| pod.name.starts_with(prefix)).count();
        if known == OWN as usize && !more {
            return sequence;
        }
        sequence += 1;
        agent.send_batch(vec![unnamed(generation, sequence)]).await;
        loop {
            match agent.next().await.unwrap() {
                Item::Acknowledgement(acknowledgement) => {
                    assert_eq!(acknowledgement.refusals, []);
                    if acknowledgement.sequence == sequence {
                        break;
                    }
                }
                Item::Pods(table) => {
                    more = table.more;
                    *pods = Pods::from_table(table);
                }
                Item::PodChanges(changes) => {
                    more = changes.more;
                    pods.change(changes);
                }
                other => panic!("{other:?} was not asked for"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_pods_become_others_and_no_event_is_lost_in_bounded_memory() {
    let mut server = ApiServer::start().await;
    for node in ["n1", "n2"] {
        server.put(
            "nodes",
            node,
            json!({"metadata": {"name": node, "uid": node}}),
        );
    }
    replace(&server, 0);
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = folder.path().join("kubeconfig");
    server.kubeconfig(&kubeconfig);
    let kubeconfig = kubeconfig.to_str().unwrap();
    let process = Process::start_with(folder.path(), &["--kubeconfig", kubeconfig]).await;
    let mut agent = Agent::connect(process.channel().await, "n1").await.unwrap();
    assert_eq!(agent.pods.pods.len(), OWN as usize);
    let mut pods = Pods::from_table(std::mem::take(&mut agent.pods));
    let mut taken = vec![memory(&process)];
    let (mut sequence, mut ends) = (0, Vec::new());
    for generation in 1..=GENERATIONS {
        server.go_away();
        replace(&server, generation);
        server.compact(generation % 2 == 0);
        server.come_back().await;
        sequence = publish_until_told(&mut agent, &mut pods, generation, sequence).await;
        // Whoever had the address before is still remembered.
        sequence += 1;
        agent.send_batch(vec![unnamed(generation, sequence)]).await;
        agent.acknowledged().await;
        ends.push(sequence);
        taken.push(memory(&process));
    }
    let client = EventsClient::new(process.channel().await);
    let mut subscriber = Subscriber::open(client, beginning(), all()).await.unwrap();
    let mut generation = 1;
    for expected in 1..=sequence {
        let stored = subscriber.event().await;
        assert_eq!(stored.id.unwrap().sequence, expected, "none is lost");
        let source = stored.source.unwrap();
        let right = name(generation, 0);
        if ends.contains(&expected) {
            assert_eq!(source.pod, right, "all is known: {source:?}");
            generation += 1;
        }
        assert!(source.pod.is_empty() || source.pod == right, "{source:?}");
    }
    println!("{PODS} pods, {sequence} events; resident and peak, in kB: {taken:?}");
    let [_, peak] = taken[taken.len() - 1];
    assert!(peak < MOST_MEMORY, "{taken:?}");
    let [_, early] = taken[2];
    assert!(peak < early + early / 4, "it grows without end: {taken:?}");
}

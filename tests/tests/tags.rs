//! A VLAN tag that the stack keeps beside a frame hides nothing of it, on the way out either.

use std::{sync::atomic::Ordering::Relaxed, time::Duration};

use anyhow::{Context, Result, bail};
use rustix::net::{AddressFamily, SocketType, netdevice, socket};
use tests::{
    Node, Wire,
    oracle::Model,
    packet::{SYN, Tcp, from_pod, vlan},
    unpinned, wait_for, without_root,
};

const LIMIT: Duration = Duration::from_secs(5);
const TAG: usize = 4;

/// A bridge sends on what it received, and the outer tag stays beside it all the way
/// (`skb_vlan_untag`, net/core/skbuff.c).
#[test]
fn tagged_frames_are_counted_at_both_pods_of_a_bridge() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let node = Node::new("node1")?;
    // One that snoops joins a group, and tells the pods.
    node.network
        .ip("link add cni0 type bridge mcast_snooping 0\nlink set cni0 up")?;
    let app1 = node.bridged("default", "app1", "10.244.5.10/24")?;
    let app2 = node.bridged("blue", "app2", "10.244.5.11/24")?;
    for network in [&node.network, &app1.network, &app2.network] {
        // Whatever the stack itself sends would be counted too.
        network.write_sysctl("net/ipv6/conf/all/disable_ipv6", "1")?;
    }
    let wire = app1.network.enter(|| Wire::new(index("eth0")?))??;
    node.network.enter(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let _entered = runtime.enter();
        let mut datapath = unpinned(2)?;
        let sender = datapath.watch(index(&app1.interface)?)?;
        let receiver = datapath.watch(index(&app2.interface)?)?;
        let cap = datapath.settings().records_per_drain.load(Relaxed);
        let model = || Model::new(datapath.seed(), cap);
        let mut models = [(sender, model()), (receiver, model())];
        for (port, tags) in [
            (1, &[0x8100][..]),
            (2, &[0x88a8]),
            (3, &[0x88a8, 0x8100]),
            (4, &[0x8100; 3]),
            (5, &[0x8100; 4]),
        ] {
            let frame = vlan(tags, &syn(port));
            wire.send(&frame, frame.len())?;
            let seen = [&frame[..12], &frame[12 + TAG..]].concat();
            models[0].1.from_pod(&seen);
            models[1].1.to_pod(&seen);
            for (subject, model) in &models {
                let slot = datapath.slot(*subject).context("it is not watched")?;
                let agree = || Ok(model.difference(slot).is_none().then_some(()));
                if wait_for("the frame to be counted", LIMIT, agree).is_err() {
                    let difference = model.difference(slot).unwrap_or_default();
                    bail!("{tags:x?} at {subject:?}: {difference}");
                }
            }
        }
        Ok(())
    })?
}

fn syn(port: u16) -> Vec<u8> {
    from_pod(&Tcp {
        port,
        flags: SYN,
        ..Tcp::default()
    })
}

fn index(interface: &str) -> Result<u32> {
    let any = socket(AddressFamily::INET, SocketType::DGRAM, None)?;
    Ok(netdevice::name_to_index(any, interface)?)
}

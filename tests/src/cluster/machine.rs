//! A node: containerd, a kubelet and a kube-proxy, which think that they have a machine of their own.
//!
//! Its namespaces hold all that they make: when the first process ends, the kernel kills every other one, and
//! mounts, networks and pins go with them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use super::{
    addresses,
    cgroups::Cgroup,
    image::{Image, LAB},
    kubeconfig::{self, PROXY},
    programs::program,
};
use crate::{
    deadline::wait_for,
    namespace::Namespace,
    process::{Process, guarded},
};

const LIMIT: Duration = Duration::from_secs(20);
const SOCKET: &str = "/run/containerd/containerd.sock";
/// Where each node has files of its own, and so everything that it keeps.
const OWN: [&str; 3] = ["/run", "/var/lib", "/var/log"];
/// What a kubelet would set for the whole machine.
const SPARED: [&str; 3] = [
    "kernel/panic",
    "kernel/panic_on_oops",
    "vm/overcommit_memory",
];

#[derive(Debug)]
pub(super) struct Machine {
    name: String,
    index: u8,
    /// The first process of its process namespace.
    init: Pid,
    // The first of them is the parent of `init`.
    processes: Vec<Process>,
    cgroup: Cgroup,
}

/// The name of node `index`.
pub(super) fn name(index: u8) -> String {
    format!("n{index}")
}

impl Machine {
    /// Starts one that runs no pods yet, behind the bridge in `hub`.
    pub(super) fn start(hub: &Namespace, directory: &Path, index: u8) -> Result<Self> {
        let name = name(index);
        let network = connected(hub, index)?;
        let cgroup = Cgroup::create(&name)?;
        let config = directory.join(format!("{name}-containerd.toml"));
        let plugins = directory.join(format!("{name}-cni"));
        fs::write(&config, containerd(&plugins))?;
        fs::create_dir(&plugins)?;
        fs::write(plugins.join("10-pods.conflist"), conflist(index))?;

        let mut command = network.command("unshare");
        command.args(["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]);
        command.args(["sh", "-ec", &furnish()]);
        command.arg(&config);
        let process = Process::spawn(&format!("containerd of {name}"), &mut command)?;
        let children = format!("/proc/{0}/task/{0}/children", process.id());
        let init = wait_for("the first process of a node", LIMIT, || {
            let child = fs::read_to_string(&children)?;
            let child = child.split_whitespace().next();
            Ok(child.and_then(|it| Pid::from_raw(it.parse().ok()?)))
        })?;
        Ok(Self {
            name,
            index,
            init,
            processes: vec![process],
            cgroup,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn wait_until_containers_run(&mut self, limit: Duration) -> Result<()> {
        wait_for("containerd", limit, || {
            self.ensure_running()?;
            let mut ctr = self.ctr();
            let asked = ctr
                .arg("version")
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            Ok(asked.status()?.success().then_some(()))
        })
    }

    /// Where its files are.
    pub(super) fn root(&self) -> PathBuf {
        format!("/proc/{}/root", self.init.as_raw_nonzero()).into()
    }

    /// Begins to put an image here.
    pub(super) fn import(&self, image: &Image) -> Result<Process> {
        let mut ctr = self.ctr();
        ctr.args(["images", "import"]).arg(image.archive());
        Process::spawn("ctr images import", &mut ctr)
    }

    /// Starts kubelet and kube-proxy, which join the cluster.
    pub(super) fn join(&mut self, directory: &Path) -> Result<()> {
        let name = self.name.clone();
        let config = directory.join(format!("{name}-kubelet.json"));
        fs::write(&config, self.kubelet())?;
        let kubeconfig = |user: &str| kubeconfig::path(directory, user);
        let hostname = format!("--hostname-override={name}");
        let mut kubelet = self.inside(program("kubelet")?);
        kubelet
            .arg("--config")
            .arg(config)
            .arg("--kubeconfig")
            .arg(kubeconfig(&kubeconfig::kubelet(&name)))
            .arg(format!("--node-ip={}", addresses::node(self.index)))
            .args([
                &hostname,
                "--container-runtime=remote",
                "--cert-dir=/var/lib/pki",
            ])
            .args(["--volume-plugin-dir=/var/lib/kubelet/volumeplugins"])
            .arg(format!("--container-runtime-endpoint=unix://{SOCKET}"));
        let mut proxy = self.inside(program("kube-proxy")?);
        proxy
            .arg("--kubeconfig")
            .arg(kubeconfig(PROXY))
            .args([&hostname, "--proxy-mode=iptables"])
            // These are settings of the whole machine.
            .args([
                "--conntrack-max-per-core=0",
                "--conntrack-tcp-timeout-established=0",
            ])
            .arg("--conntrack-tcp-timeout-close-wait=0");
        for (program, mut command) in [("kubelet", kubelet), ("kube-proxy", proxy)] {
            let process = Process::spawn(&format!("{program} of {name}"), &mut command)?;
            self.processes.push(process);
        }
        Ok(())
    }

    pub(super) fn ensure_running(&mut self) -> Result<()> {
        for process in &mut self.processes {
            if !process.is_running()? {
                bail!("a process of node {} ended{}", self.name, process.log());
            }
        }
        Ok(())
    }

    /// What its processes said last.
    pub(super) fn log(&self) -> String {
        self.processes.iter().map(Process::log).collect()
    }

    fn ctr(&self) -> Command {
        let mut ctr = guarded("ctr");
        let socket = format!("{}{SOCKET}", self.root().display());
        ctr.args(["--address", &socket, "--namespace", "k8s.io"]);
        ctr
    }

    /// A command that runs `program` on the node.
    fn inside(&self, program: PathBuf) -> Command {
        let mut command = guarded("nsenter");
        command
            .arg(format!("--target={}", self.init.as_raw_nonzero()))
            .args(["--mount", "--pid", "--net", "--"])
            .arg(program);
        command
    }

    fn kubelet(&self) -> String {
        let config = json!({
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": addresses::node(self.index),
            "authentication": {"anonymous": {"enabled": true}, "webhook": {"enabled": false}},
            "authorization": {"mode": "AlwaysAllow"},
            "clusterDNS": [addresses::CONTROL],
            "clusterDomain": "cluster.local",
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": format!("/{}", self.cgroup.name()),
            "enforceNodeAllocatable": [],
            "failSwapOn": false,
            "syncFrequency": "2s",
            // Not before the machine itself has nothing left.
            "evictionHard": {
                "memory.available": "1Mi", "nodefs.available": "1%", "imagefs.available": "1%",
                "nodefs.inodesFree": "1%",
            },
        });
        config.to_string()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // It fails only when it has ended already. Its parent ends when all others of the node have.
        kill_process(self.init, Signal::KILL).ok();
        if let Some(parent) = self.processes.first_mut() {
            parent.wait(LIMIT).ok();
        }
    }
}

/// A network with `eth0` on the bridge in `hub`, and routes there to its pods.
fn connected(hub: &Namespace, index: u8) -> Result<Namespace> {
    let (name, own, gateway) = (name(index), addresses::node(index), addresses::CONTROL);
    let network = Namespace::new()?;
    network.write_sysctl("net/ipv4/ip_forward", "1")?;
    hub.ip(&format!(
        "link add {name} type veth peer name eth0 netns {}\n\
         link set {name} master nodes up\n\
         route add {} via {own}\n",
        network.path().display(),
        addresses::pods(index)
    ))?;
    network.ip(&format!(
        "link set eth0 up\naddr add {own}/24 dev eth0\nroute add default via {gateway}\n"
    ))?;
    Ok(network)
}

/// What the first process does before it becomes containerd.
fn furnish() -> String {
    let mut script = String::new();
    for folder in OWN {
        script += &format!("mount -t tmpfs tmpfs {folder}\n");
    }
    script += "mount -t bpf bpf /sys/fs/bpf\n";
    for setting in SPARED {
        let copy = format!("/run/{}", setting.replace('/', "-"));
        script +=
            &format!("cat /proc/sys/{setting} > {copy}\nmount --bind {copy} /proc/sys/{setting}\n");
    }
    script + "exec containerd --config \"$0\""
}

fn containerd(plugins: &Path) -> String {
    format!(
        r#"version = 2

[plugins."io.containerd.internal.v1.opt"]
path = "/var/lib/containerd-opt"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{LAB}"
disable_apparmor = true
disable_hugetlb_controller = true
# Where root may not lower it, containers would not start.
restrict_oom_score_adj = true

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "{}"
"#,
        plugins.display()
    )
}

/// Pods on a bridge, as with kubenet and flannel.
fn conflist(index: u8) -> String {
    let plugin = json!({
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": true,
        "hairpinMode": true,
        "ipam": {
            "type": "host-local",
            "ranges": [[{"subnet": addresses::pods(index)}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    });
    json!({"cniVersion": "0.4.0", "name": "pods", "plugins": [plugin]}).to_string()
}

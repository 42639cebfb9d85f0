/work/main/tests/fuzz/target/debug/deps/agent_ebpf-64071a9039bbf32f.d: /work/main/agent-ebpf/src/lib.rs /work/main/agent-ebpf/src/packet.rs /work/main/agent-ebpf/src/packet/arp.rs /work/main/agent-ebpf/src/packet/ethernet.rs /work/main/agent-ebpf/src/packet/frame.rs /work/main/agent-ebpf/src/packet/headers.rs /work/main/agent-ebpf/src/packet/icmp.rs /work/main/agent-ebpf/src/packet/ip.rs /work/main/agent-ebpf/src/packet/network.rs /work/main/agent-ebpf/src/packet/sctp.rs /work/main/agent-ebpf/src/packet/tcp.rs /work/main/agent-ebpf/src/packet/udp.rs

/work/main/tests/fuzz/target/debug/deps/libagent_ebpf-64071a9039bbf32f.rmeta: /work/main/agent-ebpf/src/lib.rs /work/main/agent-ebpf/src/packet.rs /work/main/agent-ebpf/src/packet/arp.rs /work/main/agent-ebpf/src/packet/ethernet.rs /work/main/agent-ebpf/src/packet/frame.rs /work/main/agent-ebpf/src/packet/headers.rs /work/main/agent-ebpf/src/packet/icmp.rs /work/main/agent-ebpf/src/packet/ip.rs /work/main/agent-ebpf/src/packet/network.rs /work/main/agent-ebpf/src/packet/sctp.rs /work/main/agent-ebpf/src/packet/tcp.rs /work/main/agent-ebpf/src/packet/udp.rs

/work/main/agent-ebpf/src/lib.rs:
/work/main/agent-ebpf/src/packet.rs:
/work/main/agent-ebpf/src/packet/arp.rs:
/work/main/agent-ebpf/src/packet/ethernet.rs:
/work/main/agent-ebpf/src/packet/frame.rs:
/work/main/agent-ebpf/src/packet/headers.rs:
/work/main/agent-ebpf/src/packet/icmp.rs:
/work/main/agent-ebpf/src/packet/ip.rs:
/work/main/agent-ebpf/src/packet/network.rs:
/work/main/agent-ebpf/src/packet/sctp.rs:
/work/main/agent-ebpf/src/packet/tcp.rs:
/work/main/agent-ebpf/src/packet/udp.rs:

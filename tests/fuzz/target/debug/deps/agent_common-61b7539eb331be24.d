/work/main/tests/fuzz/target/debug/deps/agent_common-61b7539eb331be24.d: /work/main/agent-common/src/lib.rs /work/main/agent-common/src/bench.rs /work/main/agent-common/src/class.rs /work/main/agent-common/src/counters.rs /work/main/agent-common/src/hash.rs /work/main/agent-common/src/heard.rs /work/main/agent-common/src/layout.rs /work/main/agent-common/src/names.rs /work/main/agent-common/src/ports.rs /work/main/agent-common/src/record.rs /work/main/agent-common/src/sample.rs /work/main/agent-common/src/settings.rs /work/main/agent-common/src/slot.rs

/work/main/tests/fuzz/target/debug/deps/libagent_common-61b7539eb331be24.rmeta: /work/main/agent-common/src/lib.rs /work/main/agent-common/src/bench.rs /work/main/agent-common/src/class.rs /work/main/agent-common/src/counters.rs /work/main/agent-common/src/hash.rs /work/main/agent-common/src/heard.rs /work/main/agent-common/src/layout.rs /work/main/agent-common/src/names.rs /work/main/agent-common/src/ports.rs /work/main/agent-common/src/record.rs /work/main/agent-common/src/sample.rs /work/main/agent-common/src/settings.rs /work/main/agent-common/src/slot.rs

/work/main/agent-common/src/lib.rs:
/work/main/agent-common/src/bench.rs:
/work/main/agent-common/src/class.rs:
/work/main/agent-common/src/counters.rs:
/work/main/agent-common/src/hash.rs:
/work/main/agent-common/src/heard.rs:
/work/main/agent-common/src/layout.rs:
/work/main/agent-common/src/names.rs:
/work/main/agent-common/src/ports.rs:
/work/main/agent-common/src/record.rs:
/work/main/agent-common/src/sample.rs:
/work/main/agent-common/src/settings.rs:
/work/main/agent-common/src/slot.rs:

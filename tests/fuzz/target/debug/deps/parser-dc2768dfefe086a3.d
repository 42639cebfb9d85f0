/work/main/tests/fuzz/target/debug/deps/parser-dc2768dfefe086a3.d: src/main.rs src/meaning.rs src/seeds.rs src/../../src/generate.rs src/../../src/generate/carried.rs src/../../src/generate/mutate.rs src/../../src/generate/network.rs src/../../src/generate/pool.rs src/../../src/oracle.rs src/../../src/oracle/differ.rs src/../../src/oracle/from_pod.rs src/../../src/oracle/model.rs src/../../src/oracle/network.rs src/../../src/oracle/outcome.rs src/../../src/oracle/packet.rs src/../../src/oracle/parse.rs src/../../src/oracle/store.rs src/../../src/oracle/to_pod.rs src/../../src/oracle/transport.rs src/../../src/packet.rs

/work/main/tests/fuzz/target/debug/deps/libparser-dc2768dfefe086a3.rmeta: src/main.rs src/meaning.rs src/seeds.rs src/../../src/generate.rs src/../../src/generate/carried.rs src/../../src/generate/mutate.rs src/../../src/generate/network.rs src/../../src/generate/pool.rs src/../../src/oracle.rs src/../../src/oracle/differ.rs src/../../src/oracle/from_pod.rs src/../../src/oracle/model.rs src/../../src/oracle/network.rs src/../../src/oracle/outcome.rs src/../../src/oracle/packet.rs src/../../src/oracle/parse.rs src/../../src/oracle/store.rs src/../../src/oracle/to_pod.rs src/../../src/oracle/transport.rs src/../../src/packet.rs

src/main.rs:
src/meaning.rs:
src/seeds.rs:
src/../../src/generate.rs:
src/../../src/generate/carried.rs:
src/../../src/generate/mutate.rs:
src/../../src/generate/network.rs:
src/../../src/generate/pool.rs:
src/../../src/oracle.rs:
src/../../src/oracle/differ.rs:
src/../../src/oracle/from_pod.rs:
src/../../src/oracle/model.rs:
src/../../src/oracle/network.rs:
src/../../src/oracle/outcome.rs:
src/../../src/oracle/packet.rs:
src/../../src/oracle/parse.rs:
src/../../src/oracle/store.rs:
src/../../src/oracle/to_pod.rs:
src/../../src/oracle/transport.rs:
src/../../src/packet.rs:

# The agent, static, and nothing beside it but its licences. From the top of the tree:
#
#   docker build --file deploy/agent.Dockerfile --tag picket-agent:0.1.0 .
#
# The build stage compiles for the machine it runs on: build once for each platform.
FROM rust:1.95 AS build
RUN apt-get update \
 && apt-get install --yes --no-install-recommends musl-tools \
 && rustup target add "$(uname -m)-unknown-linux-musl"
WORKDIR /src
COPY . .
RUN cargo xtask setup && cargo xtask build-ebpf
RUN target="$(uname -m)-unknown-linux-musl" \
 && cargo build --locked --release --target "$target" --package agent --bin picket-agent \
 && install -D "target/$target/release/picket-agent" /image/picket-agent \
 && install -D --mode 644 --target-directory /image/licenses deploy/licenses/*

FROM scratch
LABEL org.opencontainers.image.title="picket-agent" \
      org.opencontainers.image.description="Watches the pods of one node for scans" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="(Apache-2.0 OR MIT) AND (MIT OR GPL-2.0-only)"
COPY --from=build /image/ /
# Root without root's rights: it keeps the capabilities BPF, PERFMON and NET_ADMIN, and the manifests
# drop all others. Another user could only get these from file capabilities, which
# allowPrivilegeEscalation: false (no_new_privs) makes the kernel ignore.
USER 0:0
ENTRYPOINT ["/picket-agent"]

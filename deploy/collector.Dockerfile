# The collector and `picket`, static, and nothing beside them but their licences. From the top of the
# tree:
#
#   docker build --file deploy/collector.Dockerfile --tag picket-collector:0.1.0 .
#
# The build stage compiles for the machine it runs on: build once for each platform.
FROM rust:1.95 AS build
# musl-tools has the C compiler for SQLite.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends musl-tools \
 && rustup target add "$(uname -m)-unknown-linux-musl"
WORKDIR /src
COPY . .
RUN target="$(uname -m)-unknown-linux-musl" \
 && cargo build --locked --release --target "$target" \
      --package collector --bin picket-collector --package cli --bin picket \
 && install -D --target-directory /image \
      "target/$target/release/picket-collector" "target/$target/release/picket" \
 && install -D --mode 644 --target-directory /image/licenses deploy/licenses/* \
 && install -D --directory --owner 65532 --group 65532 /image/var/lib/picket

FROM scratch
LABEL org.opencontainers.image.title="picket-collector" \
      org.opencontainers.image.description="Keeps the events of all nodes and streams them" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0 OR MIT"
COPY --from=build /image/ /
# The database, picket.db, lies in the working directory: the one place that must be writable.
WORKDIR /var/lib/picket
VOLUME /var/lib/picket
USER 65532:65532
EXPOSE 7400 7402
ENTRYPOINT ["/picket-collector"]

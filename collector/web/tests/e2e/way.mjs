// A way to the collector that fails as forwarded ports do: cut, or dead without a word.
import { connect, createServer } from "node:net";

/** A port of this machine that leads to `base`. */
export async function way(base) {
  const { hostname, port } = new URL(base);
  const ends = new Set();
  const server = createServer((near) => {
    const far = connect({ host: hostname, port: Number(port) });
    const end = { near, far, isStream: false };
    ends.add(end);
    near.once("data", (first) => (end.isStream = String(first).startsWith("GET /api/v1/stream ")));
    near.pipe(far).pipe(near);
    for (const one of [near, far]) {
      one.on("error", () => {});
      one.on("close", () => {
        ends.delete(end);
        near.destroy();
        far.destroy();
      });
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    base: `http://127.0.0.1:${server.address().port}`,
    /** Ends what is open; what comes goes on. */
    cut: () => [...ends].forEach(({ near }) => near.destroy()),
    /** Nothing comes by streams that are open any more, and nobody is told. */
    freeze: () => [...ends].filter((it) => it.isStream).forEach(({ near, far }) => far.unpipe(near).pause()),
    streams: () => [...ends].filter((it) => it.isStream).length,
    close: () => {
      server.close();
      ends.forEach(({ near }) => near.destroy());
    },
  };
}

// picket.v1.Command as bytes, and what of it is signed: see api/proto/picket/v1/actions.proto.
import { bytes, integer, seconds } from "./wire";

export interface Command {
  node: string;
  namespace: string;
  pod: string;
  uid: string;
  reason: string;
  /** Null releases. */
  leaseSeconds: number | null;
}

/** How long agents obey it; five minutes are the most. */
const LIFE_NS = 300_000_000_000n;

/** Of a command that is given now; the time is its sequence too. */
export function encode(command: Command, nowNs: bigint): Uint8Array<ArrayBuffer> {
  const { leaseSeconds } = command;
  const action =
    leaseSeconds === null
      ? bytes(11, new Uint8Array(), true)
      : bytes(10, Uint8Array.from(seconds(1, BigInt(leaseSeconds) * 1_000_000_000n)), true);
  return Uint8Array.from([
    ...bytes(1, nowNs.toString(16)),
    ...integer(2, nowNs),
    ...seconds(3, nowNs),
    ...seconds(4, nowNs + LIFE_NS),
    ...bytes(5, command.node),
    ...bytes(6, command.namespace),
    ...bytes(7, command.pod),
    ...bytes(8, command.uid),
    ...bytes(9, command.reason),
    ...action,
  ]);
}

/** The name of the message, a zero byte, and the message: so that no other message's signature passes for it. */
export function toSign(command: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([...new TextEncoder().encode("picket.v1.Command"), 0, ...command]);
}

/** As a shell takes it, whatever is in it. */
export function quoted(text: string): string {
  return /^[A-Za-z0-9._/:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

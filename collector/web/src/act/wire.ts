// The few parts of protobuf's wire format that a command takes: see protobuf.dev/programming-guides/encoding.

const TEXT = new TextEncoder();

/** A field with its length before it; empty text is left out, as proto3 does. */
export function bytes(field: number, value: string | Uint8Array, always = false): number[] {
  const raw = typeof value === "string" ? TEXT.encode(value) : value;
  if (raw.length === 0 && !always) return [];
  return [...varint(BigInt((field << 3) | 2)), ...varint(BigInt(raw.length)), ...raw];
}

export function integer(field: number, value: bigint): number[] {
  return value === 0n ? [] : [...varint(BigInt(field << 3)), ...varint(value)];
}

/** google.protobuf.Timestamp, and Duration, which has the same fields. */
export function seconds(field: number, nanos: bigint): number[] {
  const body = [...integer(1, nanos / 1_000_000_000n), ...integer(2, nanos % 1_000_000_000n)];
  return bytes(field, Uint8Array.from(body), true);
}

function varint(value: bigint): number[] {
  const out: number[] = [];
  let left = value;
  while (left > 127n) {
    out.push(Number(left & 127n) | 128);
    left >>= 7n;
  }
  out.push(Number(left));
  return out;
}

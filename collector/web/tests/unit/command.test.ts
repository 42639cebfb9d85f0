// Commands: the bytes that protobuf has for them, and signatures that a verifier takes.
import { createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { describe, expect, test } from "vitest";
import { encode, quoted, toSign, type Command } from "../../src/act/command";
import { ecdsaToDer } from "../../src/act/der";
import { blocks, toBase64 } from "../../src/act/pem";
import { read, sign } from "../../src/act/sign";

const COMMAND: Command = {
  node: "node-1",
  namespace: "blue",
  pod: "app1",
  uid: "u",
  reason: "scans",
  leaseSeconds: 600,
};
const NOW = 1_780_000_000_123_000_000n;

/** What `protoc --encode=picket.v1.Command` (35.1) writes of both alike. */
const ALIKE =
  "0a103138623364343931626238366434633010c0a99bdc9b92f5d9181a0b0880cae2d00610c0a9d33a220b08accce2d00610c0a9d33a" +
  "2a066e6f64652d313204626c75653a04617070314201754a057363616e73";

test.each([
  [600, "52050a0308d804"],
  [null, "5a00"],
])("a command with a lease of %s is what protobuf makes of it", (leaseSeconds, end) => {
  expect(Buffer.from(encode({ ...COMMAND, leaseSeconds }, NOW)).toString("hex")).toBe(ALIKE + end);
});

test("what has no value is left out, as proto3 does", () => {
  const bare = encode({ ...COMMAND, reason: "", leaseSeconds: null }, NOW);
  expect(Buffer.from(bare).toString("hex")).toBe(ALIKE.slice(0, -14) + "5a00");
});

test.each([
  ["blue/app1", "blue/app1"],
  ["it's", `'it'\\''s'`],
  ["$(rm -rf /)", `'$(rm -rf /)'`],
  ["", "''"],
])("a shell takes %s as %s", (text, written) => expect(quoted(text)).toBe(written));

test.each([
  ["01".repeat(32) + "7f".repeat(32), "3044" + "0220" + "01".repeat(32) + "0220" + "7f".repeat(32)],
  ["80".repeat(32) + "00".repeat(31) + "05", "3026" + "022100" + "80".repeat(32) + "020105"],
  ["00".repeat(64), "3006" + "020100" + "020100"],
])("r and s %s are DER %s", (raw, der) => {
  expect(Buffer.from(ecdsaToDer(Buffer.from(raw, "hex"))).toString("hex")).toBe(der);
});

test("PEM files are read block by block", () => {
  const text = "x\n-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\r\nBA==\r\n-----END PRIVATE KEY-----";
  expect(blocks(text).map((it) => [it.label, toBase64(it.der)])).toEqual([
    ["CERTIFICATE", "AQID"],
    ["PRIVATE KEY", "BA=="],
  ]);
});

describe("signing", () => {
  const certificate = "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n";
  Object.assign(globalThis, { isSecureContext: true });

  test.each(["ec", "ed25519"] as const)("with a key of %s gives what its public key verifies", async (kind) => {
    const pair = kind === "ec" ? generateKeyPairSync("ec", { namedCurve: "P-256" }) : generateKeyPairSync("ed25519");
    const pem = pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    const signer = await read([new File([certificate], "op.pem"), new File([pem], "op.key")]);
    const signed = await sign(COMMAND, signer, 1_780_000_000_123);
    expect(signed.certificates).toEqual(["AQID"]);
    const message = toSign(Buffer.from(signed.command, "base64"));
    const signature = Buffer.from(signed.signature, "base64");
    const key = createPublicKey(pair.privateKey);
    expect(verify(kind === "ec" ? "sha256" : null, message, key, signature)).toBe(true);
    expect(signer.key.extractable).toBe(false);
  });

  test.each([
    [certificate, "no private key"],
    ["-----BEGIN PRIVATE KEY-----\nBA==\n-----END PRIVATE KEY-----", "no certificate"],
    [certificate + "-----BEGIN EC PRIVATE KEY-----\nBA==\n-----END EC PRIVATE KEY-----", "PKCS #8"],
    [certificate + "-----BEGIN PRIVATE KEY-----\nBA==\n-----END PRIVATE KEY-----", "neither"],
  ])("with %j says what is missing", async (text, why) => {
    await expect(read([new File([text], "it.pem")])).rejects.toThrow(why);
  });
});

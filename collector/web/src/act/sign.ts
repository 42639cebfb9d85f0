// Signs commands in the browser, with a key that never leaves the page and that not even the page can read again.
import { signal } from "@preact/signals";
import type { Signed } from "../api/client";
import { encode, toSign, type Command } from "./command";
import { ecdsaToDer } from "./der";
import { blocks, toBase64, type Block } from "./pem";

export interface Signer {
  certificates: Uint8Array[];
  key: CryptoKey;
  isEcdsa: boolean;
  /** The files it came from. */
  files: string[];
}

/** Kept while the page is open, and nowhere else. */
export const signer = signal<Signer | null>(null);

const HINT = "`picket certs operator` makes both files";

export async function read(files: File[]): Promise<Signer> {
  if (!isSecureContext) throw new Error("The browser signs only on a page that came over HTTPS, or from this machine.");
  const all: Block[] = [];
  for (const file of files) all.push(...blocks(await file.text()));
  const certificates = all.filter((it) => it.label === "CERTIFICATE").map((it) => it.der);
  const key = all.find((it) => it.label === "PRIVATE KEY");
  if (!key) {
    const other = all.find((it) => it.label.endsWith("PRIVATE KEY"));
    const why = other ? `A block \`${other.label}\` cannot be read here, only \`PRIVATE KEY\` (PKCS #8)` : "There is no private key in it";
    throw new Error(`${why}; ${HINT}.`);
  }
  if (certificates.length === 0) throw new Error(`There is no certificate in it; choose the certificate and the key together. ${HINT}.`);
  return { certificates, files: files.map((it) => it.name), ...(await imported(key.der)) };
}

async function imported(der: Uint8Array<ArrayBuffer>): Promise<{ key: CryptoKey; isEcdsa: boolean }> {
  try {
    const key = await crypto.subtle.importKey("pkcs8", der, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
    return { key, isEcdsa: true };
  } catch {
    // It may be of the other kind that agents know.
  }
  try {
    return { key: await crypto.subtle.importKey("pkcs8", der, "Ed25519", false, ["sign"]), isEcdsa: false };
  } catch {
    throw new Error(`The key is neither ECDSA P-256 nor Ed25519, or this browser does not know it; ${HINT}.`);
  }
}

export async function sign(command: Command, by: Signer, nowMs: number): Promise<Signed> {
  const message = encode(command, BigInt(nowMs) * 1_000_000n);
  const algorithm = by.isEcdsa ? { name: "ECDSA", hash: "SHA-256" } : "Ed25519";
  const raw = new Uint8Array(await crypto.subtle.sign(algorithm, by.key, toSign(message)));
  return {
    command: toBase64(message),
    certificates: by.certificates.map(toBase64),
    signature: toBase64(by.isEcdsa ? ecdsaToDer(raw) : raw),
  };
}

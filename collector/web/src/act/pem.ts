// PEM files (RFC 7468): blocks of base64 with a label.

export interface Block {
  label: string;
  der: Uint8Array<ArrayBuffer>;
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]*)-----END \1-----/g;

export function blocks(text: string): Block[] {
  return [...text.matchAll(BLOCK)].map(([, label = "", body = ""]) => ({ label, der: fromBase64(body) }));
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replaceAll(/\s+/g, "")), (it) => it.charCodeAt(0));
}

export function toBase64(data: Uint8Array): string {
  let text = "";
  for (const byte of data) text += String.fromCharCode(byte);
  return btoa(text);
}

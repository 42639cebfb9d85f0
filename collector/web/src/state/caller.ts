// Who looks at the page, and what of the cluster he may see.
import { signal } from "@preact/signals";
import { client, Failure, type Caller } from "../api/client";

export const caller = signal<Caller | null>(null);
/** Why nothing is known of it yet. */
export const unreachable = signal<string | null>(null);

export function learn(said: Caller): void {
  caller.value = said;
  unreachable.value = null;
}

export function expired(): void {
  const known = caller.value;
  if (known) caller.value = { ...known, signed_in: false, sign_in_needed: true };
}

export async function ask(): Promise<void> {
  try {
    learn(await client.caller());
  } catch (error) {
    unreachable.value = error instanceof Failure ? error.message : String(error);
    setTimeout(() => void ask(), 2000);
  }
}

export async function signIn(token: string): Promise<void> {
  await client.signIn(token);
  learn(await client.caller());
}

export async function signOut(): Promise<void> {
  await client.signOut();
  learn(await client.caller());
}

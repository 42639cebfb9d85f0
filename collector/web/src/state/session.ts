// Who looks at the page, and what of the cluster he may see.
import { signal } from "@preact/signals";
import { client, Failure, type Session } from "../api/client";

export const session = signal<Session | null>(null);
/** Why nothing is known of it yet. */
export const unreachable = signal<string | null>(null);

export function learn(said: Session): void {
  session.value = said;
  unreachable.value = null;
}

export function expired(): void {
  const known = session.value;
  if (known) session.value = { ...known, signed_in: false, sign_in_needed: true };
}

export async function ask(): Promise<void> {
  try {
    learn(await client.session());
  } catch (error) {
    unreachable.value = error instanceof Failure ? error.message : String(error);
    setTimeout(() => void ask(), 2000);
  }
}

export async function signIn(token: string): Promise<void> {
  await client.signIn(token);
  learn(await client.session());
}

export async function signOut(): Promise<void> {
  await client.signOut();
  learn(await client.session());
}

// What time it is, once a second, for whatever counts up or down.
import { signal } from "@preact/signals";

export const now = signal(Date.now());

setInterval(() => (now.value = Date.now()), 1000);

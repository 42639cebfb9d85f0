// Where the reader is: the address of the page, as a signal.
import { computed, signal } from "@preact/signals";

const address = signal(location.pathname + location.search);

addEventListener("popstate", () => (address.value = location.pathname + location.search));

const url = computed(() => new URL(address.value, location.origin));

export const path = computed(() => url.value.pathname);
export const query = computed(() => url.value.searchParams);

/** The view, and what is opened in it: `/anomalies/ID` is `["anomalies", "ID"]`; the id is percent-encoded. */
export const route = computed((): [string, string] => {
  const [, view = "", ...rest] = path.value.split("/");
  return [view === "" ? "graph" : view, decoded(rest.join("/"))];
});

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Goes there; with `replace` the way back leads past where we are. */
export function go(to: string, replace = false): void {
  if (to === address.value) return;
  if (replace) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  address.value = to;
}

/** Keeps the path and changes parts of the query; null or an empty list removes one. */
export function setQuery(changes: Record<string, string | string[] | null>, replace = false): void {
  const next = new URLSearchParams(query.value);
  for (const [key, value] of Object.entries(changes)) {
    next.delete(key);
    for (const one of value === null ? [] : [value].flat()) next.append(key, one);
  }
  go(withQuery(path.value, next), replace);
}

export function withQuery(to: string, params: URLSearchParams): string {
  const text = params.toString();
  return text === "" ? to : `${to}?${text}`;
}

/** For links: a click with no modifier stays on the page. */
export function follow(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element).closest("a");
  if (!link || link.target !== "" || link.origin !== location.origin || link.hasAttribute("download")) return;
  if (link.pathname.startsWith("/api/") || (link.hash !== "" && link.pathname === location.pathname)) return;
  event.preventDefault();
  go(link.pathname + link.search);
}

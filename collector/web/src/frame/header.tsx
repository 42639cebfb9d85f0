// The head of the page: the views, the connection, light or dark, who looks.
import { useEffect } from "preact/hooks";
import { open as openCount, followCount } from "../state/open";
import { link } from "../state/live";
import { route } from "../state/router";
import { caller, signOut } from "../state/caller";
import { helpShown, VIEWS } from "../state/shortcuts";
import { nextTheme, theme } from "../state/theme";
import { number } from "../words/names";

const LINKS = { connecting: "connecting", live: "live", lost: "not connected" } as const;

export function Header() {
  useEffect(followCount, []);
  const [here] = route.value;
  const known = caller.value;
  const open = openCount.value;
  document.title = `${open ? `(${number(open)}) ` : ""}${titleOf(here)} · Picket`;
  return (
    <header class="head">
      <a class="brand" href="/" aria-label="Picket">
        <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">
          <path d="M7 24V11l3-4 3 4v13M19 24V11l3-4 3 4v13M5 15h22M5 20h22" />
        </svg>
        <span>Picket</span>
      </a>
      <nav aria-label="Views">
        {VIEWS.map(([key, view, name]) => (
          <a key={view} href={`/${view}`} aria-current={here === view ? "page" : undefined} aria-keyshortcuts={key}>
            {name}
            {view === "anomalies" && !!open && (
              <>
                {" "}
                <span class="count">
                  {number(open)}
                  <span class="unseen"> open</span>
                </span>
              </>
            )}
          </a>
        ))}
      </nav>
      <div class="tools">
        <span class={`link ${link.value}`} role="status">
          {LINKS[link.value]}
        </span>
        <button type="button" class="quiet" onClick={nextTheme} aria-label={`Colours: ${theme.value}`} title="Colours (t)">
          {{ system: "◐", light: "☀", dark: "☾" }[theme.value]}
        </button>
        <button
          type="button"
          class="quiet"
          onClick={() => (helpShown.value = true)}
          aria-label="Keys and help"
          title="Keys and help (?)"
        >
          ?
        </button>
        {known?.signed_in && known.sign_in_needed && (
          <button type="button" class="quiet" onClick={() => void signOut()} title={`Signed in as ${known.principal}`}>
            Sign out
          </button>
        )}
      </div>
    </header>
  );
}

function titleOf(view: string): string {
  return VIEWS.find(([, it]) => it === view)?.[2] ?? "Page";
}

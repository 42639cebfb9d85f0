// What is said where nothing is to be shown: always why.
import type { ComponentChildren } from "preact";

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <svg viewBox="0 0 48 32" width="72" height="48" aria-hidden="true">
        <path d="M8 30V12l5-6 5 6v18M30 30V12l5-6 5 6v18M3 16h42M3 24h42" />
      </svg>
      <h2>{title}</h2>
      {children && <div>{children}</div>}
    </div>
  );
}

export function Problem({ text }: { text: string | null }) {
  return (
    <div role="alert" class={text ? "problem" : ""}>
      {text}
    </div>
  );
}

export function Waiting({ what }: { what: string }) {
  return (
    <p class="waiting" role="status">
      Asking the collector for {what} …
    </p>
  );
}

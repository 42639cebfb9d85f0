// Which keys do what.
import { Dialog } from "../parts/dialog";
import { caller } from "../state/caller";
import { helpShown, VIEWS } from "../state/shortcuts";
import { visible } from "../words/visible";

const KEYS: [string, string][] = [
  ["/", "write a filter"],
  ["j, k", "next and previous in a list"],
  ["Enter", "open it"],
  ["Escape", "close it, or leave a field"],
  ["+, −, 0", "closer, farther, all: on the graph and the strip of ports"],
  ["arrows", "move: on the graph and the strip of ports"],
  ["t", "colours: of the system, light, dark"],
  ["?", "this help"],
];

export function Help() {
  if (!helpShown.value) return null;
  const known = caller.value;
  return (
    <Dialog title="Keys" close={() => (helpShown.value = false)}>
      <dl class="keys">
        {VIEWS.map(([key, , name]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{name}</dd>
          </div>
        ))}
        {KEYS.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      {known && (
        <p class="dim">
          Collector {visible(known.version)}.{" "}
          {known.principal !== "" && `You are ${visible(known.principal)}. `}
          {known.namespaces === "all"
            ? "You see all namespaces."
            : `You see the namespaces ${known.namespaces.map((it) => visible(it)).join(", ")}.`}
        </p>
      )}
    </Dialog>
  );
}

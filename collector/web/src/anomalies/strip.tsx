// The 65,536 ports as a strip: contacted, answered, refused; closer with the keys or the wheel.
import { useSignal } from "@preact/signals";
import { useEffect, useId, useMemo, useRef } from "preact/hooks";
import type { PortCounts } from "../api/event";
import { theme } from "../state/theme";
import { number } from "../words/names";
import { listed, PORTS, size, sound, within } from "../words/ports";
import { draw, HEIGHT } from "./strip_draw";

/** How near it goes: each port is then as wide as a finger. */
const NEAREST = 64;

export function PortStrip({ counts }: { counts: PortCounts }) {
  const sets = useMemo(() => {
    const [contacted, refused, answered] = [counts.distinct_set, counts.refused_set, counts.answered_set].map(sound);
    return { contacted: contacted ?? [], refused: refused ?? [], answered: answered ?? [] };
  }, [counts]);
  const view = useSignal<readonly [number, number]>([0, PORTS - 1]);
  const canvas = useRef<HTMLCanvasElement>(null);
  const about = useId();
  const [from, to] = view.value;

  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const paint = () => draw(element, sets, from, to);
    paint();
    const observer = new ResizeObserver(paint);
    observer.observe(element);
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", paint);
    return () => {
      observer.disconnect();
      scheme.removeEventListener("change", paint);
    };
  }, [sets, from, to, theme.value]);

  function zoom(by: number, at = (from + to) / 2): void {
    const width = Math.min(PORTS, Math.max(NEAREST, Math.round((to - from + 1) * by)));
    const share = (at - from) / (to - from + 1);
    place(Math.round(at - share * width), width);
  }

  function place(start: number, width: number): void {
    const first = Math.max(0, Math.min(PORTS - width, start));
    view.value = [first, first + width - 1];
  }

  const step = Math.max(1, Math.round((to - from + 1) / 8));
  const KEYS: Record<string, () => void> = {
    "+": () => zoom(0.5),
    "=": () => zoom(0.5),
    "-": () => zoom(2),
    "0": () => place(0, PORTS),
    ArrowLeft: () => place(from - step, to - from + 1),
    ArrowRight: () => place(from + step, to - from + 1),
    Home: () => place(0, to - from + 1),
    End: () => place(PORTS, to - from + 1),
  };

  if (size(sets.contacted) + size(sets.refused) + size(sets.answered) === 0) return null;
  return (
    <section class="block">
      <h3>The 65,536 ports</h3>
      <div class="strip">
        <canvas
          ref={canvas}
          height={HEIGHT}
          tabIndex={0}
          role="img"
          aria-label="Strip of ports; plus and minus zoom, arrows move, 0 shows all"
          aria-describedby={about}
          aria-keyshortcuts="+ - 0 ArrowLeft ArrowRight Home End"
          onKeyDown={(event) => {
            const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : KEYS[event.key];
            if (!act) return;
            event.preventDefault();
            act();
          }}
          onDblClick={(event) => {
            const box = event.currentTarget.getBoundingClientRect();
            zoom(0.25, from + ((event.clientX - box.left) / box.width) * (to - from + 1));
          }}
        />
        <div class="strip-tools">
          <ul class="plain legend">
            <li class="answered">answered {number(within(sets.answered, from, to))}</li>
            <li class="refused">refused {number(within(sets.refused, from, to))}</li>
            <li class="contacted">contacted {number(within(sets.contacted, from, to))}</li>
          </ul>
          <output class="mono">
            {from}–{to}
          </output>
          <button type="button" class="quiet" aria-label="Closer" onClick={() => zoom(0.5)}>
            +
          </button>
          <button type="button" class="quiet" aria-label="Farther" onClick={() => zoom(2)}>
            −
          </button>
          <button type="button" class="quiet" onClick={() => place(0, PORTS)}>
            All
          </button>
        </div>
        <dl class="facts said" id={about}>
          <div>
            <dt>answered</dt>
            <dd>{listed(sets.answered, 24)}</dd>
          </div>
          <div>
            <dt>refused</dt>
            <dd>{listed(sets.refused)}</dd>
          </div>
          <div>
            <dt>contacted</dt>
            <dd>{listed(sets.contacted)}</dd>
          </div>
        </dl>
      </div>
    </section>
  );
}

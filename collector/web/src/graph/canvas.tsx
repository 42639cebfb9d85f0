// The graph as a picture: boxes are buttons, links and dots are lines of one drawing under them.
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { effect, useSignal } from "@preact/signals";
import { vertex as nameOf } from "../words/names";
import { visible } from "../words/visible";
import { BoxOf } from "./box";
import { camera, fit, fitUnlessChosen, move, place, reveal, zoom } from "./camera";
import { dotAt, layout, type Layout } from "./layout";
import { Lines } from "./lines";
import type { Model } from "./model";
import { select, selected } from "./state";
import { Legend } from "./legend";

let last: Layout | null = null;

export function Canvas({ model }: { model: Model }) {
  const room = useRef<HTMLDivElement>(null);
  const world = useRef<HTMLDivElement>(null);
  const hover = useSignal<{ id: string; x: number; y: number } | null>(null);
  const placed = useMemo(() => (last = layout(model, last)), [model]);
  const size = () => ({ width: room.current?.clientWidth ?? 0, height: room.current?.clientHeight ?? 0 });
  const centre = () => ({ x: size().width / 2, y: size().height / 2 });

  // Past the components: whatever moves is not drawn again by them.
  useLayoutEffect(() => effect(() => place(world.current, camera.value)), []);
  useLayoutEffect(() => fitUnlessChosen(placed.width, placed.height, size()), [placed]);
  useEffect(() => {
    const element = room.current;
    if (!element) return;
    const observer = new ResizeObserver(() => fitUnlessChosen(placed.width, placed.height, size()));
    observer.observe(element);
    // Not passive: the page must not scroll with it.
    const wheel = (event: WheelEvent) => {
      event.preventDefault();
      const box = element.getBoundingClientRect();
      zoom(2 ** (-event.deltaY / 400), { x: event.clientX - box.left, y: event.clientY - box.top });
    };
    element.addEventListener("wheel", wheel, { passive: false });
    return () => {
      observer.disconnect();
      element.removeEventListener("wheel", wheel);
    };
  }, [placed]);

  const whole = () => fit(placed.width, placed.height, size());
  const KEYS: Record<string, () => void> = {
    "+": () => zoom(1.3, centre()),
    "=": () => zoom(1.3, centre()),
    "-": () => zoom(1 / 1.3, centre()),
    "0": whole,
    ArrowLeft: () => move(60, 0),
    ArrowRight: () => move(-60, 0),
    ArrowUp: () => move(0, 60),
    ArrowDown: () => move(0, -60),
  };

  /** The dot under the pointer, if any. */
  function under(event: MouseEvent): string | undefined {
    const element = room.current;
    if (!element || placed.dense.size === 0) return undefined;
    const box = element.getBoundingClientRect();
    const { scale, x, y } = camera.peek();
    const at = { x: (event.clientX - box.left - x) / scale, y: (event.clientY - box.top - y) / scale };
    for (const it of model.boxes) {
      const rect = placed.rects.get(it.key);
      if (!rect || !placed.dense.has(it.key)) continue;
      const isIn = at.x >= rect.x && at.x <= rect.x + rect.width && at.y >= rect.y && at.y <= rect.y + rect.height;
      if (isIn) return dotAt(it.items.map((item) => item.id), rect, at.x, at.y);
    }
    return undefined;
  }

  const drag = useRef<{ x: number; y: number; far: boolean } | null>(null);
  const hovered = hover.value && model.shown.get(hover.value.id);
  return (
    <div class="canvas-frame">
      <div
        ref={room}
        class="canvas"
        tabIndex={0}
        role="group"
        aria-label="Graph; plus and minus zoom, arrows move, 0 shows all. The table shows the same."
        onKeyDown={(event) => {
          const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : KEYS[event.key];
          if (!act) return;
          event.preventDefault();
          act();
        }}
        onPointerDown={(event) => {
          if (event.button === 0) drag.current = { x: event.clientX, y: event.clientY, far: false };
        }}
        onPointerMove={(event) => {
          const from = drag.current;
          if (!from) {
            const id = under(event);
            if (id !== undefined || hover.value !== null) {
              hover.value = id === undefined ? null : { id, x: event.offsetX, y: event.offsetY };
            }
            return;
          }
          const [dx, dy] = [event.clientX - from.x, event.clientY - from.y];
          if (!from.far && Math.hypot(dx, dy) < 4) return;
          if (!from.far) event.currentTarget.setPointerCapture(event.pointerId);
          drag.current = { x: event.clientX, y: event.clientY, far: true };
          move(dx, dy);
        }}
        onPointerUp={(event) => {
          const from = drag.current;
          drag.current = null;
          if (from?.far || (event.target as Element).closest("button")) return;
          const id = under(event);
          select(id ?? null);
        }}
        onPointerLeave={() => (hover.value = null)}
        onFocusIn={(event) => {
          const key = (event.target as HTMLElement).dataset["key"];
          const rect = key === undefined ? undefined : placed.rects.get(key);
          if (rect && (event.target as HTMLElement).matches(":focus-visible")) reveal(rect, size());
          // The browser scrolls to what is focused; the camera has done that already.
          event.currentTarget.scrollTo(0, 0);
        }}
      >
        <div class="world" ref={world}>
          <Lines model={model} placed={placed} selected={selected.value} />
          {model.boxes.map((it) => (
            <BoxOf key={it.key} box={it} placed={placed} selected={selected.value} />
          ))}
        </div>
        {hovered && hover.value && (
          <div class="tooltip" aria-hidden="true">
            <bdi dir="ltr">{visible(nameOf(hovered.vertex))}</bdi>
          </div>
        )}
      </div>
      <div class="canvas-tools">
        <button type="button" aria-label="Nearer" onClick={() => zoom(1.3, centre())}>
          +
        </button>
        <button type="button" aria-label="Farther" onClick={() => zoom(1 / 1.3, centre())}>
          −
        </button>
        <button type="button" onClick={whole}>
          All
        </button>
      </div>
      <Legend />
    </div>
  );
}

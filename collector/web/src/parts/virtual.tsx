// A long list of which only what is seen is in the document; rows have one height.
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { px } from "./px";

interface Props {
  label: string;
  count: number;
  rowHeight: number;
  /** The row at an index; it may be a stand-in while it is asked for. */
  row: (index: number) => ComponentChildren;
  /** Called when other rows are seen. */
  onSeen?: (first: number, last: number) => void;
  /** The row to bring into view, and a number that changes when it is to be brought again. */
  show?: readonly [index: number, again: number] | null;
  role?: "list" | "rowgroup";
  class?: string;
}

const BEYOND = 6;

export function VirtualList({ label, count, rowHeight, row, onSeen, show, role = "list", class: extra = "" }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 800 });
  const first = Math.max(0, Math.floor(view.top / rowHeight) - BEYOND);
  const last = Math.min(count - 1, Math.ceil((view.top + view.height) / rowHeight) + BEYOND);

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const measure = () => setView({ top: element.scrollTop, height: element.clientHeight });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener("scroll", measure, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", measure);
    };
  }, []);

  useLayoutEffect(() => {
    const element = box.current;
    if (!element || !show) return;
    const top = show[0] * rowHeight;
    if (top < element.scrollTop) element.scrollTop = top;
    const bottom = top + rowHeight - element.clientHeight;
    if (bottom > element.scrollTop) element.scrollTop = bottom;
  }, [show?.[0], show?.[1]]);

  useLayoutEffect(() => {
    if (count > 0) onSeen?.(first, Math.max(first, last));
  }, [first, last, count, onSeen]);

  const rows = [];
  for (let index = first; index <= last; index += 1) {
    rows.push(
      <div key={index} class="virtual-row" style={px({ top: index * rowHeight, height: rowHeight })} role="presentation">
        {row(index)}
      </div>,
    );
  }
  return (
    <div ref={box} class={`virtual ${extra}`}>
      <div class="virtual-whole" style={px({ height: count * rowHeight })} role={role} aria-label={label}>
        {rows}
      </div>
    </div>
  );
}

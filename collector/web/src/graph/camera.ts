// What part of the graph is seen, and how near.
import { signal } from "@preact/signals";

export interface Camera {
  scale: number;
  x: number;
  y: number;
}

export const camera = signal<Camera>({ scale: 1, x: 0, y: 0 });

/** The reader has chosen it himself: it stays when the graph changes. */
let isChosen = false;

const LEAST = 0.08;
const MOST = 2.5;
const MARGIN = 24;

export function fit(width: number, height: number, room: { width: number; height: number }): void {
  const free = { width: room.width - 2 * MARGIN, height: room.height - 2 * MARGIN };
  const scale = clamp(Math.min(free.width / Math.max(1, width), free.height / Math.max(1, height), 1.4));
  camera.value = { scale, x: (room.width - width * scale) / 2, y: (room.height - height * scale) / 2 };
  isChosen = false;
}

export function fitUnlessChosen(width: number, height: number, room: { width: number; height: number }): void {
  if (!isChosen) fit(width, height, room);
}

const REST_MS = 250;
let rest: ReturnType<typeof setTimeout> | undefined;

/** Puts the world where the camera sees it. While it moves it is a picture that is moved; at rest it is drawn sharp. */
export function place(world: HTMLElement | null, { scale, x, y }: Camera): void {
  if (!world) return;
  world.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
  world.classList.add("moving");
  clearTimeout(rest);
  rest = setTimeout(() => world.classList.remove("moving"), REST_MS);
}

/** Nearer or farther, around a place of the screen. */
export function zoom(by: number, at: { x: number; y: number }): void {
  const { scale, x, y } = camera.peek();
  const next = clamp(scale * by);
  camera.value = { scale: next, x: at.x - ((at.x - x) * next) / scale, y: at.y - ((at.y - y) * next) / scale };
  isChosen = true;
}

export function move(dx: number, dy: number): void {
  const { scale, x, y } = camera.peek();
  camera.value = { scale, x: x + dx, y: y + dy };
  isChosen = true;
}

/** Moves just so far that a part of the graph is within the room. */
export function reveal(
  rect: { x: number; y: number; width: number; height: number },
  room: { width: number; height: number },
): void {
  const { scale, x, y } = camera.peek();
  const dx = shift(rect.x * scale + x, rect.width * scale, room.width);
  const dy = shift(rect.y * scale + y, rect.height * scale, room.height);
  if (dx !== 0 || dy !== 0) move(dx, dy);
}

function shift(start: number, size: number, room: number): number {
  if (start < MARGIN) return MARGIN - start;
  return start + size > room - MARGIN ? Math.max(room - MARGIN - start - size, MARGIN - start) : 0;
}

function clamp(scale: number): number {
  return Math.min(MOST, Math.max(LEAST, scale));
}

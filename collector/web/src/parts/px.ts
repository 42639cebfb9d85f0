// Lengths for styles: numbers have no unit of their own.

/** Every number of it in pixels. */
export function px<K extends string>(lengths: Record<K, number>): Record<K, string> {
  const written = Object.entries<number>(lengths).map(([name, length]) => [name, `${length}px`]);
  return Object.fromEntries(written) as Record<K, string>;
}

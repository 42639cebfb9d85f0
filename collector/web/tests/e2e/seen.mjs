// When something was painted, by the page's own clock: from the start of the navigation.

/** Before the page is opened: notes when each selector first finds something, and it was painted. */
export async function watch(page, selectors) {
  await page.addInitScript((wanted) => {
    globalThis.seen = {};
    const look = () => {
      for (const selector of wanted) {
        if (selector in globalThis.seen || !document.querySelector(selector)) continue;
        globalThis.seen[selector] = null;
        requestAnimationFrame(() => setTimeout(() => (globalThis.seen[selector] = performance.now())));
      }
    };
    new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true });
  }, selectors);
}

/** Milliseconds until all of them were painted. */
export async function painted(page, selectors) {
  await page.waitForFunction((wanted) => wanted.every((it) => globalThis.seen?.[it]), selectors);
  const times = await page.evaluate(() => globalThis.seen);
  return Math.max(...selectors.map((it) => times[it]));
}

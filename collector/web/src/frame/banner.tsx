// What concerns the whole page: the connection is lost, or the collector is another one than before.
import { now } from "../state/clock";
import { link, lostAt, otherVersion } from "../state/live";
import { caller } from "../state/caller";
import { visible } from "../words/visible";
import { span } from "../words/time";

export function Banner() {
  const since = lostAt.value;
  const lost = link.value === "lost" && since !== null;
  return (
    <>
      <div role="status" class={lost ? "banner lost" : "unseen"}>
        {lost && "The connection to the collector is lost. What is shown is from before; it goes on by itself. "}
        {lost && <span aria-hidden="true">({span((now.value - since) / 1000)})</span>}
      </div>
      {otherVersion.value !== null && (
        <div role="status" class="banner">
          The collector is now version {visible(otherVersion.value)}; this page is of{" "}
          {visible(caller.value?.version ?? "another")}.{" "}
          <button type="button" onClick={() => location.reload()}>
            Reload the page
          </button>
        </div>
      )}
    </>
  );
}

// A time, as how long ago it was; exact on hover.
import type { Time } from "../api/event";
import { now } from "../state/clock";
import { ago, exact } from "../words/time";

export function Ago({ time }: { time: Time | undefined }) {
  if (!time) return <span>never</span>;
  return (
    <time dateTime={time} title={`${exact(time)} UTC`}>
      {ago(time, now.value)}
    </time>
  );
}

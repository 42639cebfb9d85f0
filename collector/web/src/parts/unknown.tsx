// A view of which nothing is known yet, or nothing may be known.
import { Problem, Waiting } from "./empty";

export function Unknown({ title, what, failure }: { title: string; what: string; failure: string | null }) {
  return (
    <div class="wide-view">
      <h1>{title}</h1>
      {failure === null ? <Waiting what={what} /> : <Problem text={failure} />}
    </div>
  );
}

// Asks for a subscriber's token; the collector keeps it in a cookie that no script can read.
import { useSignal } from "@preact/signals";
import { Problem } from "../parts/empty";
import { signIn } from "../state/caller";

export function SignIn() {
  const token = useSignal("");
  const problem = useSignal<string | null>(null);
  async function submit(event: SubmitEvent) {
    event.preventDefault();
    try {
      await signIn(token.value.trim());
    } catch (error) {
      problem.value = error instanceof Error ? error.message : String(error);
    }
  }
  return (
    <form class="sign-in card" onSubmit={(event) => void submit(event)}>
      <h1>Sign in</h1>
      <p>
        The collector shows events to its subscribers. Give the token of one: the text of the file that{" "}
        <code>picket --token-file</code> takes.
      </p>
      <label>
        Token
        <input
          type="password"
          autocomplete="current-password"
          required
          value={token.value}
          onInput={(event) => (token.value = event.currentTarget.value)}
        />
      </label>
      <Problem text={problem.value} />
      <button type="submit" class="main">
        Sign in
      </button>
    </form>
  );
}

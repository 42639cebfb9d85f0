// The operator's certificate and key: picked as files, kept in the page's memory.
import { useSignal } from "@preact/signals";
import { Problem } from "../parts/empty";
import { visible } from "../words/visible";
import { read, signer } from "./sign";

export function KeyChoice() {
  const problem = useSignal<string | null>(null);
  const known = signer.value;
  async function choose(files: File[]) {
    if (files.length === 0) return;
    try {
      signer.value = await read(files);
      problem.value = null;
    } catch (error) {
      signer.value = null;
      problem.value = error instanceof Error ? error.message : String(error);
    }
  }
  return (
    <div class="key-choice">
      <label>
        <span>
          Your certificate and key, as <code>picket certs operator</code> made them
        </span>
        <input
          type="file"
          multiple
          accept=".pem,.crt,.key"
          onChange={(event) => void choose([...(event.currentTarget.files ?? [])])}
        />
      </label>
      <p class="dim">
        {known
          ? `Signing as ${known.files.map((it) => visible(it)).join(" and ")}. `
          : "The command is signed here; the key never leaves this page. Choose both files at once. "}
        {known && (
          <button type="button" class="quiet" onClick={() => (signer.value = null)}>
            Forget the key
          </button>
        )}
      </p>
      <Problem text={problem.value} />
    </div>
  );
}

// A name somebody else chose: never markup, never out of its line, whole on hover and for screen readers.
import { follow } from "../state/router";
import { visible } from "../words/visible";

export function Name({ text, class: extra = "" }: { text: string; class?: string }) {
  const shown = visible(text);
  return (
    <bdi dir="ltr" class={`name ${extra}`} title={shown}>
      {shown}
    </bdi>
  );
}

export function NameLink({ text, to, class: extra = "" }: { text: string; to: string; class?: string }) {
  return (
    <a class={`name-link ${extra}`} href={to} onClick={follow}>
      <Name text={text} />
    </a>
  );
}

// Text of others with what is unseen made seen: control characters, and what turns the direction of writing.

const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** Each such character as `written` has it: `\u{202e}`, as Rust's `escape_unicode` does, unless told otherwise. */
export function visible(text: string, written = (code: string) => `\\u{${code}}`): string {
  return text.replace(HIDDEN, (it) => written(it.charCodeAt(0).toString(16)));
}

// Two forms of a name. The key: its bytes on the wire, lower-cased, one character per byte, so that it can be cut from
// a packet and looked up directly. The text: labels and dots, without the trailing dot; the root is ''.

const MAX_LABEL_BYTES = 63;
const MAX_NAME_BYTES = 255;

/** The key of a name, or undefined when it cannot be encoded. A trailing dot is allowed. */
export function keyOf(text: string): string | undefined {
  const labels = text.replace(/\.$/, '').toLowerCase().split('.');
  if (text === '' || text === '.') return '\0';
  if (labels.some((label) => label === '' || label.length > MAX_LABEL_BYTES)) return undefined;
  const key = `${labels.map((label) => String.fromCharCode(label.length) + label).join('')}\0`;
  // eslint-disable-next-line no-control-regex
  return key.length > MAX_NAME_BYTES || /[^\0-\u00ff]/.test(key) ? undefined : key;
}

/** The labels of a key, without the root. */
export function labelsOf(key: string): string[] {
  const labels: string[] = [];
  let at = 0;
  for (let length = key.charCodeAt(0); length > 0; length = key.charCodeAt(at)) {
    labels.push(key.slice(at + 1, at + 1 + length));
    at += 1 + length;
  }
  return labels;
}

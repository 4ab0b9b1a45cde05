/** The few parts of DER (X.690) that a certificate needs. Each function returns one encoded value. */

function lengthOf(bytes: number): Buffer {
  if (bytes < 128) return Buffer.from([bytes]);
  const digits = Buffer.from(bytes.toString(16).padStart(bytes > 255 ? 4 : 2, '0'), 'hex');
  return Buffer.concat([Buffer.from([0x80 | digits.length]), digits]);
}

export function tagged(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag]), lengthOf(content.length), content]);
}

export const sequence = (...parts: readonly Uint8Array[]) => tagged(0x30, ...parts);
export const set = (...parts: readonly Uint8Array[]) => tagged(0x31, ...parts);
/** `content` must begin with a byte below 128. */
export const integer = (content: Uint8Array) => tagged(0x02, content);
export const bitString = (content: Uint8Array) => tagged(0x03, Buffer.from([0]), content);
export const octetString = (content: Uint8Array) => tagged(0x04, content);
export const utf8String = (text: string) => tagged(0x0c, Buffer.from(text));
export const TRUE = tagged(0x01, Buffer.from([0xff]));

export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = rest.flatMap((value) => {
    const digits = [value % 128];
    for (let left = Math.floor(value / 128); left > 0; left = Math.floor(left / 128)) {
      digits.unshift(128 + (left % 128));
    }
    return digits;
  });
  return tagged(0x06, Buffer.from([first * 40 + second, ...bytes]));
}

/** GeneralizedTime, to the second. */
export function time(date: Date): Buffer {
  const digits = date.toISOString().replaceAll(/\.\d+|[-:T]/g, '');
  return tagged(0x18, Buffer.from(digits));
}

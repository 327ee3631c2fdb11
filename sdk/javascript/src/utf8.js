/** Text to bytes and back: the engine inside the sandbox has no TextEncoder. */

export function encode(text) {
  const escaped = encodeURIComponent(text.toWellFormed?.() ?? text);
  const bytes = [];
  for (let at = 0; at < escaped.length; at++) {
    if (escaped[at] === "%") {
      bytes.push(parseInt(escaped.slice(at + 1, at + 3), 16));
      at += 2;
    } else {
      bytes.push(escaped.charCodeAt(at));
    }
  }
  return Uint8Array.from(bytes);
}

/** Throws a URIError where the bytes are not UTF-8. */
export function decode(bytes) {
  const parts = [];
  for (const byte of bytes) parts.push(byte < 0x80 && byte !== 0x25 ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, "0")}`);
  return decodeURIComponent(parts.join(""));
}

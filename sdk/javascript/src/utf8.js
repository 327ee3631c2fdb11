/**
 * Text to bytes and back: the engine inside the sandbox has neither TextEncoder nor TextDecoder. `escape` and `unescape` turn bytes, as
 * a text of one character each, into what decodeURIComponent reads, and back, in the engine's own code: a loop in JavaScript takes
 * many times as long for each byte.
 */

export function encode(text) {
  const bytes = unescape(encodeURIComponent(text.toWellFormed?.() ?? text));
  const encoded = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at++) encoded[at] = bytes.charCodeAt(at);
  return encoded;
}

/** Throws a URIError where the bytes are not UTF-8. */
export function decode(bytes) {
  const parts = [];
  for (let at = 0; at < bytes.length; at += 4096) parts.push(String.fromCharCode.apply(null, bytes.subarray(at, at + 4096)));
  const text = parts.join("");
  return /[^\x00-\x7f]/.test(text) ? decodeURIComponent(escape(text)) : text;
}

/** Bytes that are not UTF-8 become U+FFFD, as in a TextDecoder. */
export function decodeLossy(bytes) {
  try {
    return decode(bytes);
  } catch (error) {
    if (error instanceof URIError) return repair(bytes);
    throw error;
  }
}

function repair(bytes) {
  const parts = [];
  let points = [];
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at];
    // How many bytes follow the first, and what the second may be, so that nothing is spelled longer than it need be.
    let more = first < 0x80 ? 0 : first < 0xc2 ? -1 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : first < 0xf5 ? 3 : -1;
    let least = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
    let most = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
    let point = more <= 0 ? first : first & (0x3f >> more);
    let end = at + 1;
    for (; more > 0 && bytes[end] >= least && bytes[end] <= most; more--) {
      point = (point << 6) | (bytes[end++] & 0x3f);
      [least, most] = [0x80, 0xbf];
    }
    points.push(more === 0 ? point : 0xfffd);
    at = end;
    if (points.length === 4096) {
      parts.push(String.fromCodePoint(...points));
      points = [];
    }
  }
  parts.push(String.fromCodePoint(...points));
  return parts.join("");
}

/** Text to bytes and back: the engine inside the sandbox has neither TextEncoder nor TextDecoder. */

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
export const decode = (bytes) =>
  read(bytes, (at) => {
    throw new URIError(`the bytes are not UTF-8 from byte ${at} on`);
  });

/** Bytes that are not UTF-8 become U+FFFD, as in a TextDecoder. */
export const decodeLossy = (bytes) => read(bytes, () => 0xfffd);

function read(bytes, wrong) {
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
    points.push(more === 0 ? point : wrong(at));
    at = end;
    if (points.length === 4096) {
      parts.push(String.fromCodePoint(...points));
      points = [];
    }
  }
  parts.push(String.fromCodePoint(...points));
  return parts.join("");
}

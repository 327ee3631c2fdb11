/** TextEncoder and TextDecoder for UTF-8 in one piece, as far as a job needs them where the engine has none. */
import { decode, decodeLossy, encode } from "./utf8.js";

export class TextEncoder {
  get encoding() {
    return "utf-8";
  }

  encode(text = "") {
    return encode(String(text));
  }
}

export class TextDecoder {
  constructor(label = "utf-8", { fatal = false, ignoreBOM = false } = {}) {
    if (!/^\s*(unicode-1-1-)?utf-?8\s*$/i.test(label)) throw new RangeError(`there is no decoder for ${label}, only for utf-8`);
    this.encoding = "utf-8";
    this.fatal = Boolean(fatal);
    this.ignoreBOM = Boolean(ignoreBOM);
  }

  decode(input = new Uint8Array(), { stream = false } = {}) {
    if (stream) throw new TypeError("a stream is not decoded piece by piece here: join the bytes first");
    const text = this.fatal ? strict(bytesOf(input)) : decodeLossy(bytesOf(input));
    return !this.ignoreBOM && text.startsWith("\ufeff") ? text.slice(1) : text;
  }
}

function bytesOf(input) {
  if (input instanceof Uint8Array) return input;
  if (ArrayBuffer.isView(input)) return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  if (input instanceof ArrayBuffer) return new Uint8Array(input);
  throw new TypeError("only bytes are decoded: an ArrayBuffer or a view of one");
}

function strict(bytes) {
  try {
    return decode(bytes);
  } catch (error) {
    throw new TypeError("the bytes are not UTF-8", { cause: error });
  }
}

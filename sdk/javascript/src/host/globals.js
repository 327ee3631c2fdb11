// What the engine inside the sandbox lacks and a job expects.
import "./console.js";
import { TextDecoder, TextEncoder } from "../text-coding.js";

globalThis.TextEncoder ??= TextEncoder;
globalThis.TextDecoder ??= TextDecoder;

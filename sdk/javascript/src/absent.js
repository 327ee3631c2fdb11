/** What Node.js has and the engine inside the sandbox has not. */
const ABSENT = [
  "AbortController", "AbortSignal", "Atomics", "Blob", "BroadcastChannel", "Buffer", "CompressionStream", "CustomEvent",
  "DecompressionStream", "Event", "EventSource", "EventTarget", "File", "FormData", "Headers", "Intl", "MessageChannel", "ReadableStream",
  "Request", "Response", "TransformStream", "URL", "URLSearchParams", "WebAssembly", "WebSocket", "WritableStream", "clearInterval",
  "clearTimeout", "crypto", "fetch", "global", "navigator", "process", "setImmediate", "setInterval", "setTimeout", "structuredClone",
]; // prettier-ignore

/** What to say beside an error for which one of them is the reason. */
export function advice(error) {
  const name = error instanceof ReferenceError ? ABSENT.find((each) => new RegExp(`\\b${each}\\b`).test(error.message)) : undefined;
  if (name === undefined) return "";
  return name === "fetch" ? "; the sandbox has none: `http` of clockbox-sdk asks the web" : "; the sandbox has none: see The engine in clockbox-sdk/README.md";
}

let hidden = [];

/** Calls a function with the globals that the sandbox has. */
export function without(run) {
  const before = hidden;
  for (const name of ABSENT) {
    const descriptor = Object.getOwnPropertyDescriptor(globalThis, name);
    if (descriptor?.configurable && delete globalThis[name]) hidden = [...hidden, [name, descriptor]];
  }
  try {
    return run();
  } finally {
    for (const [name, descriptor] of hidden.slice(before.length)) Object.defineProperty(globalThis, name, descriptor);
    hidden = before;
  }
}

/** Calls a function of the test, which is Node's own, in the middle of a job. */
export function withAll(run) {
  const before = hidden;
  for (const [name, descriptor] of before) Object.defineProperty(globalThis, name, descriptor);
  hidden = [];
  try {
    return run();
  } finally {
    for (const [name] of before) delete globalThis[name];
    hidden = before;
  }
}

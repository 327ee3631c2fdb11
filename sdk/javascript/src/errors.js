/** Why a run failed, and what that means for another attempt: throw one of these. */

/** `(code, message, options)`; a text alone is the message, and its code is the word for the kind of failure. */
function told(kind, code, message, options) {
  if (typeof message === "string") return [kind, code ?? kind, message, options];
  // What is no text is the options, as of any Error.
  if (message === undefined || (typeof message === "object" && message !== null)) return [kind, kind, code ?? "no reason was given", message ?? options];
  return [kind, code ?? kind, String(message), options];
}

/** A failure: a code that programs can tell apart, and a message for people. */
export class Failure extends Error {
  constructor(tag, code, message, options) {
    super(message, options);
    this.name = this.constructor.name;
    this.tag = tag;
    this.code = String(code);
  }

  /** The case of the contract's `job-error`. */
  toJobError() {
    return { tag: this.tag, val: { code: this.code, message: this.message } };
  }
}

/** The arguments do not fit the job. Never tried again. */
export class InvalidArgs extends Failure {
  constructor(message = "no reason was given", options) {
    super("invalid-args", "invalid-args", message, options);
  }
}

/** It may work the next time: tried again as the job's retry policy says. */
export class Retry extends Failure {
  constructor(code, message, options) {
    super(...told("retry", code, message, options));
  }
}

/** Likewise, but not before so many milliseconds have passed. */
export class RetryAfter extends Failure {
  constructor(delayMs, code, message, options) {
    if (!(delayMs >= 0)) throw new RangeError(`a delay of ${delayMs} ms lies in the past`);
    super(...told("retry-after", code, message, options));
    this.delayMs = Math.min(Math.round(delayMs), Number.MAX_SAFE_INTEGER);
  }

  toJobError() {
    return { tag: this.tag, val: { failure: { code: this.code, message: this.message }, delayMs: this.delayMs } };
  }
}

/** It will not work the next time either. Never tried again. */
export class Fatal extends Failure {
  constructor(code, message, options) {
    super(...told("fatal", code, message, options));
  }
}

/** The job noticed that it is to stop, and stopped. Never tried again. */
export class Cancelled extends Failure {
  constructor(message = "the host asked the run to stop", options) {
    super("cancelled", "cancelled", message, options);
  }
}

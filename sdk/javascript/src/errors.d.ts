/** A failure: a code that programs can tell apart, and a message for people. */
export abstract class Failure extends Error {
  readonly code: string;
}
/** The arguments do not fit the job. Never tried again. */
export class InvalidArgs extends Failure {
  constructor(message: string, options?: ErrorOptions);
}
/** It may work the next time: tried again as the job's retry policy says. */
export class Retry extends Failure {
  constructor(code: string, message: string, options?: ErrorOptions);
  /** The code is `retry`. */
  constructor(message: string, options?: ErrorOptions);
}
/** Likewise, but not before so many milliseconds have passed. */
export class RetryAfter extends Failure {
  constructor(delayMs: number, code: string, message: string, options?: ErrorOptions);
  /** The code is `retry-after`. */
  constructor(delayMs: number, message: string, options?: ErrorOptions);
  readonly delayMs: number;
}
/** It will not work the next time either. Never tried again. */
export class Fatal extends Failure {
  constructor(code: string, message: string, options?: ErrorOptions);
  /** The code is `fatal`. */
  constructor(message: string, options?: ErrorOptions);
}
/** The job noticed that it is to stop, and stopped. Never tried again. */
export class Cancelled extends Failure {
  constructor(message?: string, options?: ErrorOptions);
}

/** A type of argument: it checks a value, and says where it does not fit. */
export interface Type<T> {
  read(value: unknown, path: string): T;
}

/** What a type reads: `args.Read<typeof page>`. */
export type Read<A> = A extends Type<infer T> ? T : A extends Fields ? { [K in keyof A]: Read<A[K]> } : never;
export type Fields = { [name: string]: Type<unknown> };

interface Options<T> {
  /** What it is where it is left out. */
  default?: T;
}

export function string(options?: Options<string>): Type<string>;
export function number(options?: Options<number>): Type<number>;
export function integer(options?: Options<number>): Type<number>;
export function boolean(options?: Options<boolean>): Type<boolean>;
export function any(options?: Options<unknown>): Type<unknown>;
export function choice<const T extends string | number | boolean>(values: readonly T[], options?: Options<NoInfer<T>>): Type<T>;
export function optional<T>(type: Type<T>): Type<T | undefined>;
export function list<T>(item: Type<T>, options?: Options<T[]>): Type<T[]>;
export function object<F extends Fields>(fields: F): Type<{ [K in keyof F]: Read<F[K]> }>;
export function record<T>(item: Type<T>): Type<Record<string, T>>;

/**
 * The platform's types of fetch, in projects that declare them and in others.
 *
 * @module
 */

/** The type of the platform's `fetch`. */
export type Fetch = typeof globalThis extends { fetch: infer F } ? F
  // deno-lint-ignore no-explicit-any
  : (input: any, init?: any) => Promise<any>;

/** The arguments of the platform's `fetch`. */
export type FetchArguments = Fetch extends (...args: infer A) => unknown ? A : never;

/** The type of the platform's `Response`. */
export type FetchResponse = typeof globalThis extends { Response: { prototype: infer R } }
  ? R
  // deno-lint-ignore no-explicit-any
  : any;

/** The type of the platform's `Headers`. */
export type FetchHeaders = typeof globalThis extends
  { Response: { prototype: { headers: infer H } } } ? H
  : HeadersLike;

/** Headers as an object with a method `get`. */
export interface HeadersLike {
  /** The value of a header; `null` if it is absent. */
  get(name: string): string | null;
}

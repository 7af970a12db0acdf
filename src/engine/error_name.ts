/**
 * The name of an error class.
 *
 * @module
 */

/**
 * Puts a name on the prototype of an error class, so that the first line of the stack has it
 * too. It is defined and not assigned, because `Error.prototype` may be frozen.
 *
 * @param errorClass The class.
 * @param value The name.
 */
export function named(errorClass: { prototype: Error }, value: string): void {
  Object.defineProperty(errorClass.prototype, "name", {
    value,
    configurable: true,
    writable: true,
  });
}

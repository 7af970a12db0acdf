/**
 * A value as messages show it.
 *
 * @module
 */

/**
 * Describes a value in a few words for a message. It never throws, whatever the value is.
 *
 * @param value Any value.
 * @returns A few words by which a person recognises the value.
 */
export function describe(value: unknown): string {
  try {
    if (typeof value === "string") return truncated(JSON.stringify(value));
    if (typeof value === "bigint") return `${value}n`;
    if (typeof value === "function") return truncated(`function ${value.name}`.trimEnd());
    if (Array.isArray(value)) return `an array of ${value.length}`;
    if (typeof value !== "object" || value === null) return String(value);
    return `an object (${value.constructor?.name ?? "no prototype"})`;
  } catch {
    return "a value that cannot be described";
  }
}

function truncated(text: string): string {
  return text.length > 100 ? `${text.slice(0, 97)}...` : text;
}

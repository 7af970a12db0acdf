/**
 * The words of a drawing: errors in a few words, and text that fits its place.
 *
 * @module
 */

/** The number of characters of an error that are kept. */
const MAX_ERROR = 100;

/**
 * Describes an error in a few words. It never throws, whatever the error is.
 *
 * @param error Any value that was thrown.
 * @returns At most 100 printable characters, in one line.
 */
export function wordsOf(error: unknown): string {
  // Only the beginning is read, because a message may be very long.
  const beginning = textOf(error).slice(0, 10 * MAX_ERROR);
  return [...printable(beginning)].slice(0, MAX_ERROR).join("");
}

function textOf(error: unknown): string {
  try {
    return String(error);
  } catch {
    return "an error that cannot be described";
  }
}

/** Replaces characters that could control a terminal, or that XML does not allow. */
function printable(text: string): string {
  return text.replace(/\s+/g, " ").replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "\u{fffd}");
}

/**
 * Measures text. A character that a terminal may draw at double width counts as two columns.
 *
 * @param text Printable characters.
 * @returns The number of columns that the text takes at most.
 */
export function widthOf(text: string): number {
  return [...text].reduce((sum, character) => sum + (isNarrow(character) ? 1 : 2), 0);
}

const isNarrow = (character: string) => character < "\u{1100}" || character === "…";

/**
 * Truncates text to a number of columns.
 *
 * @param text Printable characters.
 * @param width The number of columns that it may take: an integer >= 1.
 * @returns The text. If it is too wide, its beginning and an ellipsis.
 */
export function truncate(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let beginning = "";
  let left = width - 1; // for the ellipsis
  for (const character of text) {
    left -= widthOf(character);
    if (left < 0) break;
    beginning += character;
  }
  return `${beginning}…`;
}

/**
 * Escapes text for the content of an XML element.
 *
 * @param text Printable characters.
 * @returns The text as XML source.
 */
export function escapeXML(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

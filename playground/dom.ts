/// <reference no-default-lib="true" />
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/// <reference lib="esnext" />
/**
 * Elements of the page.
 *
 * @module
 */

/**
 * Finds an element of the page.
 *
 * @param id Its id.
 * @param type Its class.
 * @returns The element.
 * @throws {Error} If the page has none of that class.
 */
export function byId<T extends HTMLElement>(id: string, type: new () => T): T {
  const element = document.getElementById(id);
  if (element instanceof type) return element;
  throw new Error(`Cannot find an element: '${id}' must be in index.html`);
}

/** Attributes of an element that is made. */
type Attributes = Readonly<Record<string, string>>;

/**
 * Makes an element. Texts become text nodes, so nothing that a user writes becomes HTML.
 *
 * @param tag Its tag.
 * @param attributes Its attributes.
 * @param children Its content.
 * @returns The element.
 */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

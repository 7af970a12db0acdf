/**
 * The form of a policy: a field for each option.
 *
 * @module
 */

import { byId, make } from "./dom.ts";
import { parseExpression } from "./notation/parse.ts";
import { fieldOf, GROUPS, NAMES, type OptionName } from "./options.ts";
import type { OptionTexts } from "./policy.ts";

/** The form of a policy. */
export class Form {
  readonly #inputs = new Map<OptionName, HTMLInputElement>();
  readonly #errors = new Map<OptionName, HTMLElement>();
  readonly #changed: () => void;

  /**
   * Makes the fields.
   *
   * @param changed Called when a field has been changed, and is well-formed.
   */
  constructor(changed: () => void) {
    this.#changed = changed;
    const form = byId("form", HTMLFormElement);
    form.addEventListener("submit", (event) => event.preventDefault());
    const isWide = matchMedia("(min-width: 901px)").matches;
    for (const [index, { title, names }] of GROUPS.entries()) {
      const fields = names.map((name) => this.#makeField(name));
      const isOpen = index === 0 && isWide;
      form.append(make(
        "details",
        isOpen ? { open: "" } : {},
        make("summary", {}, title),
        make("fieldset", { "aria-label": title }, ...fields),
      ));
    }
  }

  /** The texts of the fields that are not empty. */
  get texts(): OptionTexts {
    const texts: { [name in OptionName]?: string } = {};
    for (const name of NAMES) {
      const text = this.#inputs.get(name)?.value.trim() ?? "";
      if (text !== "") texts[name] = text;
    }
    return texts;
  }

  /**
   * Shows the options of a policy.
   *
   * @param texts The texts of its options.
   */
  show(texts: OptionTexts): void {
    for (const [name, input] of this.#inputs) {
      const text = texts[name] ?? "";
      if (input !== document.activeElement) input.value = text;
      this.#showError(name, "");
    }
  }

  #makeField(name: OptionName): HTMLElement {
    const { label, doc, unit, placeholder, choices, given } = fieldOf(name);
    const id = `option-${name}`;
    const isNumber = unit !== undefined || name === "maxTries";
    const input = make("input", {
      id,
      placeholder,
      autocomplete: "off",
      spellcheck: "false",
      "aria-describedby": `${id}-doc ${id}-error`,
      ...(isNumber ? { inputmode: "numeric" } : {}),
      ...(given === undefined ? {} : { disabled: "" }),
    });
    const error = make("p", { class: "error", id: `${id}-error`, role: "status" });
    if (given === undefined) {
      this.#inputs.set(name, input);
      this.#errors.set(name, error);
      input.addEventListener("input", () => this.#check(name));
    }
    const controls = make("div", { class: "controls" }, input);
    if (unit !== undefined) controls.append(make("span", { class: "unit" }, unit));
    if (choices !== undefined) {
      controls.append(this.#makeChoices(name, label, choices, input));
    }
    return make(
      "div",
      { class: "field" },
      make(
        "div",
        { class: "row" },
        make("label", { for: id }, label, " ", make("code", {}, name)),
        controls,
      ),
      make("p", { id: `${id}-doc` }, given === undefined ? doc : `${doc} ${given}`),
      error,
    );
  }

  #makeChoices(
    name: OptionName,
    label: string,
    choices: readonly (readonly [string, string])[],
    input: HTMLInputElement,
  ): HTMLSelectElement {
    const select = make(
      "select",
      { id: `choices-${name}`, "aria-label": `Examples of ${label.toLowerCase()}` },
      make("option", { value: "", disabled: "", selected: "" }, "examples"),
      ...choices.map(([title], index) => make("option", { value: `${index}` }, title)),
    );
    select.addEventListener("change", () => {
      input.value = choices[Number(select.value)]?.[1] ?? "";
      select.selectedIndex = 0;
      this.#check(name);
    });
    return select;
  }

  #check(name: OptionName): void {
    const text = this.#inputs.get(name)?.value.trim() ?? "";
    try {
      if (text !== "") parseExpression(text);
      this.#showError(name, "");
      this.#changed();
    } catch (error) {
      this.#showError(name, error instanceof Error ? error.message : String(error));
    }
  }

  #showError(name: OptionName, message: string): void {
    const [input, error] = [this.#inputs.get(name), this.#errors.get(name)];
    if (error !== undefined && error.textContent !== message) error.textContent = message;
    input?.setAttribute("aria-invalid", `${message !== ""}`);
  }
}

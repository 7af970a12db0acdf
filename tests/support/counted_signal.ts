// A signal that counts its listeners, in every runtime.

/** The controller of a signal, and the number of listeners on the signal now. */
export class CountedSignal {
  readonly #controller = new AbortController();
  readonly #listeners = new Set<unknown>();

  constructor() {
    const { signal } = this;
    const { addEventListener, removeEventListener } = signal;
    Object.assign(signal, {
      addEventListener: (type: "abort", listener: () => void) => {
        this.#listeners.add(listener);
        addEventListener.call(signal, type, listener);
      },
      removeEventListener: (type: "abort", listener: () => void) => {
        this.#listeners.delete(listener);
        removeEventListener.call(signal, type, listener);
      },
    });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  abort(reason?: unknown): void {
    this.#controller.abort(reason);
  }
}

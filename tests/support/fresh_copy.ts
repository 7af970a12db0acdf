// Copies of the library's modules, loaded when a test asks for them, on a platform that it has
// changed.

let copies = 0;

/** Loads a module of the library anew: from its sources, or from the package if that is tested. */
export function loadCopy<M>(name: string): Promise<M> {
  const entry = new URL(import.meta.resolve("@asyncbackoff/asyncbackoff/testing"));
  const extension = entry.pathname.slice(entry.pathname.lastIndexOf("."));
  // By its path: one runtime takes URLs that differ in their query for the same module.
  const { pathname } = new URL(`./${name}${extension}`, entry);
  return import(`${pathname}?copy=${++copies}`);
}

/** Replaces globals; the function returned puts the former ones back. */
export function replaceGlobals(values: Record<string, unknown>): () => void {
  const saved = Object.keys(values).map((name) =>
    [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const
  );
  for (const [name, value] of Object.entries(values)) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
  return () => {
    for (const [name, old] of saved) {
      if (old !== undefined) Object.defineProperty(globalThis, name, old);
      else Reflect.deleteProperty(globalThis, name); // a worker inherits it
    }
  };
}

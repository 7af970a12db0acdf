// Copies of the library's modules, loaded when a test asks for them.

let copies = 0;

/** Loads a module of the library anew: from its sources, or from the package if that is tested. */
export function loadCopy<M>(name: string): Promise<M> {
  const entry = new URL(import.meta.resolve("@asyncbackoff/asyncbackoff/testing"));
  const extension = entry.pathname.slice(entry.pathname.lastIndexOf("."));
  // By its path: one runtime takes URLs that differ in their query for the same module.
  const { pathname } = new URL(`./${name}${extension}`, entry);
  return import(`${pathname}?copy=${++copies}`);
}

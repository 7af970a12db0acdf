// What the tests use of node:vm, in a page: another realm, which is that of a frame.

/** Makes another realm. */
export function createContext() {
  return document.body.appendChild(document.createElement("iframe")).contentWindow;
}

/** Runs code in it, and tells its value. */
export function runInContext(code, realm) {
  return realm.eval(code);
}

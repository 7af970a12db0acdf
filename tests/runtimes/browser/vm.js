// The part of node:vm that the tests use, for a page: a frame is another realm.

/** Makes another realm. */
export function createContext() {
  return document.body.appendChild(document.createElement("iframe")).contentWindow;
}

/** Runs code in a realm, and returns its value. */
export function runInContext(code, realm) {
  return realm.eval(code);
}

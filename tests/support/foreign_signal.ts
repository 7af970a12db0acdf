// A signal of another realm.

/** A signal that is not an instance of AbortSignal here, such as one of another realm. */
export class ForeignSignal extends EventTarget {
  aborted = false;
  reason: unknown = undefined;

  abort(reason: unknown) {
    this.aborted = true;
    this.reason = reason;
    this.dispatchEvent(new Event("abort"));
  }
}

// An incremental parser of event streams, by the rules of the HTML standard, section 9.2.6.

/** An event of a stream. */
export interface ServerEvent {
  /** The id that the event itself has; `null` without one. */
  readonly id: string | null;
  readonly type: string;
  readonly data: string;
}

/** Parses the bytes of one response. An event that is cut off is never returned. */
export class EventStreamParser {
  /** Milliseconds to wait before a reconnection, if the server has named them. */
  retry: number | null = null;
  /** Keeps the bytes of a character that is split between two chunks. Skips a byte order mark. */
  readonly #decoder = new TextDecoder();
  #rest = "";
  #endsWithReturn = false;
  #id: string | null = null;
  #type = "";
  #data: string[] = [];

  /** Takes the next chunk, and returns the events that it completes. */
  push(bytes: Uint8Array): ServerEvent[] {
    let text = this.#decoder.decode(bytes, { stream: true });
    if (text === "") return [];
    // A line may end with two characters, of which the first has ended it already.
    if (this.#endsWithReturn && text.startsWith("\n")) text = text.slice(1);
    this.#endsWithReturn = text.endsWith("\r");
    const lines = (this.#rest + text).split(/\r\n|\n|\r/);
    this.#rest = lines.pop() as string;
    return lines.flatMap((line) => line === "" ? this.#dispatch() : this.#field(line));
  }

  #field(line: string): ServerEvent[] {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") this.#data.push(value);
    if (name === "event") this.#type = value;
    if (name === "id" && !value.includes("\0")) this.#id = value;
    if (name === "retry" && /^\d+$/.test(value)) this.retry = Number(value);
    return []; // a comment, or a field that nobody knows
  }

  #dispatch(): ServerEvent[] {
    const event = {
      id: this.#id,
      type: this.#type || "message",
      data: this.#data.join("\n"),
    };
    const isEmpty = this.#data.length === 0;
    this.#id = null;
    this.#type = "";
    this.#data = [];
    return isEmpty ? [] : [event];
  }
}

/**
 * A number of a JSON text. It keeps its spelling, because a double would lose digits: `evt.time` in nanoseconds
 * is beyond 2^53, and a number such as `1e400` is beyond a double altogether.
 */
export class JsonNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** A JSON object as read from an alert. A Map, so that a key such as `__proto__` is a key like any other. */
export type JsonObject = ReadonlyMap<string, JsonValue>;

/** Any JSON value, as {@link decodeEvent} reads it. */
export type JsonValue = string | boolean | null | JsonNumber | readonly JsonValue[] | JsonObject;

/** Why the server does not start, or rules are not taken up. The message is the `error` of the closing log line. */
export class Refused extends Error {
  /** The name of that line. */
  readonly tag: string;

  constructor(tag: string, reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.name = 'Refused';
    this.tag = tag;
  }
}

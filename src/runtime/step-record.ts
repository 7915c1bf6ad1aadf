/** The answer that an effect door gave, as its adapter gave it: plain data. */
export interface RecordedAnswer {
  readonly answer: unknown;
}

/**
 * What is known of the effects of one step, over all its tries and over restarts of the server: an effect whose answer is
 * recorded is never made again. Calls are told apart by a digest of the door and its resolved arguments; the same call may
 * be made several times in a step, then its answers are given in their order.
 */
export interface StepRecord {
  /** Takes the next recorded answer for this call, or undefined: then the effect is to be made. */
  take(call: string): RecordedAnswer | undefined;
  /** An effect is about to be made. Where it must not be made twice this resolves once that is on disk. */
  begins(call: string, door: string): Promise<void>;
  /** The effect was made; resolves once that is on disk, and only then may the plug-in learn of it. */
  answers(call: string, door: string, answer: unknown): Promise<void>;
  /** The effect failed, or it is not known whether it was made. */
  fails(call: string, door: string, error: unknown): Promise<void>;
}

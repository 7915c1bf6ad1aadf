/** The answer that a door gave, as its adapter gave it: plain data. */
export interface RecordedAnswer {
  readonly answer: unknown;
}

/**
 * What is known of the calls of one step, over all its tries and over restarts of the server: an effect whose answer is
 * recorded is never made again, and a step that has had effects finds what it looked up before them as it was. Calls are told
 * apart by a digest of the door and its resolved arguments; the same call may be made several times in a step, then its
 * answers are given in their order.
 */
export interface StepRecord {
  /** Takes the next recorded answer for this call, or undefined: then the door is to be opened. */
  take(call: string): RecordedAnswer | undefined;
  /** Something was looked up. It is recorded with the next effect, and not at all without one. */
  reads(call: string, door: string, answer: unknown): void;
  /**
   * An effect is about to be made. Where it must not be made twice, or ends what it is made on, this resolves once that is on
   * disk. Returns whether the same effect was under way before and nobody knows whether it was made.
   */
  begins(call: string, door: string, ends: boolean): Promise<boolean>;
  /** The effect was made; resolves once that is on disk, and only then may the plug-in learn of it. */
  answers(call: string, door: string, answer: unknown): Promise<void>;
  /** The effect failed, or it is not known whether it was made. */
  fails(call: string, door: string, error: unknown): Promise<void>;
}

/** For what may be done again from its beginning, and keeps nothing: storing an artifact, sending a notice. */
export const unrecorded: StepRecord = {
  take: () => undefined,
  reads: () => undefined,
  begins: async () => false,
  answers: async () => undefined,
  fails: async () => undefined,
};

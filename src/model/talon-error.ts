/** Who can mend it: the code tells what went wrong at start-up or at the edge; never reused. */
export type TalonErrorCode = 'config' | 'rules' | 'bundle' | 'actionners' | 'outputs' | 'http' | 'journal' | 'usage';

/**
 * A fault of the deployment or of ours, thrown only at start-up, at the HTTP edge, or for a bug. What the author of rules
 * can mend is a Diagnostic, what an action ends with is an Outcome. The message is for people and holds no secret.
 */
export class TalonError extends Error {
  readonly code: TalonErrorCode;
  constructor(code: TalonErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.name = 'TalonError';
  }
}

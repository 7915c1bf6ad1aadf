import type { Diagnostic } from '../model/diagnostic.ts';
import { TalonError } from '../model/talon-error.ts';

/**
 * What stops a command, as a finding like any other, for the formats that programs read: their output is whole in every
 * case. Throws what is no TalonError, since that is a bug.
 */
export function faultDiagnostic(error: unknown): Diagnostic {
  if (!(error instanceof TalonError)) throw error;
  return { code: 'T1006', severity: 'error', message: error.message };
}

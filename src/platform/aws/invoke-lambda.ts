import { GetFunctionCommand, InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { Invocation, Invoked } from '../../model/capability.ts';
import { DoorError } from '../../model/door-error.ts';
import type { FunctionTarget } from '../../model/targets.ts';
import { cutText } from '../cut-text.ts';
import { sdkFailure, sdkStatus } from '../s3/sdk-failure.ts';
import { traceParent } from '../trace-parent.ts';

/** A name, or an ARN with what may stand behind it. */
const NAME = /^[A-Za-z0-9:_$-]+(?:\.[A-Za-z0-9:_$-]+)*$/;
const QUALIFIER = /^(?:\$LATEST|[A-Za-z0-9_-]{1,128})$/;
const LONGEST_NAME = 256;

/**
 * Calls a function with the payload of its target.
 *
 * @throws DoorError
 */
export async function invokeLambda(
  client: LambdaClient,
  called: FunctionTarget,
  { qualifier, type }: Invocation,
  signal: AbortSignal,
): Promise<Invoked> {
  checkName(called.name);
  if (!QUALIFIER.test(qualifier)) {
    throw new DoorError('refused', `'${qualifier}' is not an alias or a version of a function`);
  }
  const command = new InvokeCommand({
    FunctionName: called.name,
    InvocationType: type,
    Qualifier: qualifier,
    Payload: Buffer.from(called.payload),
    ...clientContext(called),
  });
  try {
    const {
      StatusCode: status = 0,
      Payload,
      FunctionError: error,
    } = await client.send(command, { abortSignal: signal });
    return { status, body: cutText(Payload ?? new Uint8Array()), ...(error !== undefined && { error }) };
  } catch (thrown) {
    throw invocationFailure(thrown, signal);
  }
}

/** The trace of the alert, where a function finds what its client says beside the payload. */
function clientContext({ traceId }: FunctionTarget): { readonly ClientContext?: string } {
  const traceparent = traceParent(traceId);
  if (!traceparent) return {};
  return { ClientContext: Buffer.from(JSON.stringify({ custom: { traceparent } })).toString('base64') };
}

/** After a failure of the service itself nobody knows whether the function ran, which `busy` would deny. */
function invocationFailure(thrown: unknown, signal: AbortSignal): DoorError {
  const failure = sdkFailure(thrown, signal);
  const unclear = sdkStatus(thrown) === 500 || sdkStatus(thrown) === 504;
  return unclear ? new DoorError('unreachable', failure.message, { cause: thrown }) : failure;
}

/** Milliseconds for which it is not asked again whether a function is there. */
const KNOWN_FOR = 60_000;

/** Remembers which functions were there a moment ago. */
export class LambdaPresence {
  readonly #known = new Map<string, number>();

  /**
   * Resolves for a function that is there, and where nobody may ask.
   *
   * @throws DoorError
   */
  async check(client: LambdaClient, { name }: FunctionTarget, signal: AbortSignal): Promise<void> {
    checkName(name);
    if ((this.#known.get(name) ?? 0) > Date.now()) return;
    try {
      await client.send(new GetFunctionCommand({ FunctionName: name }), { abortSignal: signal });
    } catch (thrown) {
      const denied = (thrown as Error).name.startsWith('AccessDenied');
      if (!(denied && sdkStatus(thrown) === 403)) throw sdkFailure(thrown, signal);
    }
    this.#known.set(name, Date.now() + KNOWN_FOR);
  }
}

function checkName(name: string): void {
  if (NAME.test(name) && name.length <= LONGEST_NAME) return;
  throw new DoorError('refused', `'${name.slice(0, 100)}' is not the name of a function`);
}

import { pipeline, Readable, Transform } from 'node:stream';

/** Bytes of one answer. The longest is that of a function, which AWS limits to 6 MiB. */
const MOST_BYTES = 16 * 2 ** 20;

interface Handled {
  readonly response: unknown;
}

type Send = (given: unknown) => Promise<Handled>;

/** What the stacks of all clients have in common; each has types of its own service. */
interface MiddlewareStack {
  add(
    middleware: (next: Send) => Send,
    options: { readonly step: 'deserialize'; readonly priority: 'low'; readonly name: string },
  ): void;
}

/** Has a client of the SDK, which reads answers into memory whatever their length, break off those that are too long. */
export function boundAnswers<C extends { readonly middlewareStack: object }>(client: C, most = MOST_BYTES): C {
  boundStack(client.middlewareStack, most);
  return client;
}

/** The same for a client that somebody else makes. */
export function boundStack(stack: object, most = MOST_BYTES): void {
  (stack as MiddlewareStack).add(
    (next) => async (given) => {
      const handled = await next(given);
      const response = handled.response as { body?: unknown };
      if (response.body instanceof Readable) response.body = bounded(response.body, most);
      return handled;
    },
    { step: 'deserialize', priority: 'low', name: 'boundAnswers' },
  );
}

function bounded(body: Readable, most: number): Readable {
  let left = most;
  const limit = new Transform({
    transform(chunk: Uint8Array, _, done) {
      left -= chunk.length;
      if (left < 0) done(new AnswerTooLong(most));
      else done(null, chunk);
    },
  });
  // Whoever reads it is told of errors; the connection ends with it.
  return pipeline(body, limit, () => undefined);
}

class AnswerTooLong extends Error {
  override readonly name = 'AnswerTooLong';
  constructor(most: number) {
    super(`more than ${most} bytes`);
  }
}

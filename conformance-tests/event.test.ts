import { afterAll } from 'vitest';
import { catalog } from '../src/cli/plugins/catalog.ts';
import { eventJson } from '../src/model/event-json.ts';
import type { FalcoEvent } from '../src/model/falco-event.ts';
import type { JsonValue } from '../src/model/json-value.ts';
import { textForms } from '../src/model/text-form.ts';
import type { Telemetry } from '../src/model/transition.ts';
import { Apis } from '../src/runtime/apis.ts';
import { DedupWindow } from '../src/runtime/dedup.ts';
import { openRules } from '../src/runtime/engine/open-bundle.ts';
import type { Guard } from '../src/runtime/guards/guard.ts';
import { Health } from '../src/runtime/health.ts';
import { Intake } from '../src/runtime/intake.ts';
import { Lanes } from '../src/runtime/lanes.ts';
import { MemoryJournal } from '../src/runtime/memory-journal.ts';
import { Pipeline } from '../src/runtime/pipeline.ts';
import { Server } from '../src/runtime/server.ts';
import { deviations } from './deviations.ts';
import { conformance } from './harness.ts';
import { exchange, type RawResponse } from './raw-http.ts';
import { ruleForEverything } from './rule-for-everything.ts';

/** The window of the recordings, in seconds. */
const WINDOW = 1;

interface Request {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly wait_ms?: number;
}

interface Response {
  readonly status: number;
  readonly body: string;
  readonly content_type: string;
  readonly delivered: boolean;
  readonly event_json?: string;
  readonly trace_id?: string;
  readonly consumed?: boolean;
  readonly fields_text?: Readonly<Record<string, string>>;
  readonly tags_text?: readonly string[];
  readonly consumer_error?: string;
}

type Recorded = Response | { readonly responses: readonly Response[] };
type Sent = { readonly request: Request } | { readonly requests: readonly Request[] };

/** What went past the guard: an alert that reached its plan. */
interface Delivered {
  readonly event: FalcoEvent;
  readonly traceId: string;
}

const engine = openRules(ruleForEverything());
let intake: Intake;
const health = new Health(() => undefined);
health.set('ok');
const server = new Server({
  intake: { receive: (...given) => intake.receive(...given) },
  limits: { bodyBytes: 1 << 20, connections: 16 },
  telemetry: { emit: () => undefined, accepted: () => undefined },
  metrics: { contentType: 'text/plain', page: async () => '' },
  health,
  entrance: { bearerTokens: [], basicUsers: [], secretPaths: [], ratePerSecond: 0 },
});
const port = await server.listen('127.0.0.1', 0);
afterAll(() => server.close());

conformance<Recorded, Sent>({
  category: 'event',
  recorded: () => ({}),
  ours: async (sent) => {
    const handler = newHandler();
    const recorded = 'responses' in sent.expected ? sent.expected.responses : [sent.expected];
    const found: unknown[] = [];
    const compared: unknown[] = [];
    for (const [index, request] of requestsOf(sent).entries()) {
      found.push(comparable(await handler(request), request));
      compared.push(comparable(recorded[index] as Response, request));
    }
    return deviations(compared, found);
  },
});

function requestsOf(sent: Sent): readonly Request[] {
  return 'request' in sent ? [sent.request] : sent.requests;
}

/** The recordings asked the handler itself; over HTTP an answer to HEAD has no body. Texts of Go's decoder are its own. */
function comparable({ consumer_error: _, ...response }: Response, { method }: Request): object {
  return method === 'HEAD' ? { ...response, body: '' } : response;
}

/** A server as after its start, but for the clock, which goes on when a request says so. */
function newHandler(): (request: Request) => Promise<Response> {
  let now = 0;
  const delivered: Delivered[] = [];
  const lanes = new Lanes({ tasks: 10, bytes: 1 << 22, perLane: 10, running: 10 });
  const telemetry: Telemetry = { emit: () => undefined, accepted: () => undefined };
  const never = new AbortController().signal;
  const nothing = () => Promise.reject(new Error('nothing is run here'));
  const pipeline = new Pipeline({
    actionners: catalog.actionners,
    executor: { missing: () => undefined, run: nothing, check: nothing, store: nothing },
    outputs: catalog.outputs,
    artifacts: { has: () => false, discard: () => undefined },
    contexts: { of: nothing },
    apis: new Apis(() => undefined),
    notices: { of: () => [], post: () => undefined },
    dedup: new DedupWindow(WINDOW, () => now),
    lanes,
    journal: new MemoryJournal(),
    telemetry,
    logsEvents: false,
    dryRun: false,
    actionTimeout: 0,
    retry: { attempts: 1, backoff_milliseconds: 1, unreachable_seconds: 0 },
    onFull: () => undefined,
    policyOf: async () => undefined,
    now: () => now,
    stopping: never,
    signal: never,
  });
  const guard: Guard = async ({ step: { event, head } }) => {
    delivered.push({ event, traceId: head.alert.trace_id });
    return { kind: 'dry_run' };
  };
  const policy = { revision: engine.revision, rules: engine.rules, guard };
  intake = new Intake({
    active: { scanner: engine.evaluator, policy },
    pipeline,
    telemetry,
    printAllEvents: false,
  });
  return async (request) => {
    now += request.wait_ms ?? 0;
    const answer = await send(request);
    await lanes.idle();
    return { ...answer, ...describeDelivery(delivered.splice(0), request) };
  };
}

function describeDelivery(
  delivered: readonly Delivered[],
  { headers }: Request,
): Omit<Response, 'status' | 'body' | 'content_type'> {
  const [first, second] = delivered;
  if (second) throw new Error('one request was delivered twice');
  if (!first) return { delivered: false };
  const { event } = first;
  const traceId = headers.traceparent?.includes(first.traceId) ? first.traceId : '*';
  return {
    delivered: true,
    event_json: eventJson(event, traceId, null),
    trace_id: traceId,
    consumed: true,
    fields_text: Object.fromEntries([...(event.output_fields ?? [])].map(([key, value]) => [key, recordedText(value)])),
    tags_text: (event.tags ?? []).map(recordedText),
  };
}

/** Of the texts that a value counts as, the one that Falco Talon has. */
function recordedText(value: JsonValue): string {
  return textForms(value).at(-1) as string;
}

function send({ method, path, headers, body }: Request): Promise<RawResponse> {
  const length: Record<string, string> = body === null ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
  const all = Object.entries({ Host: 'talon', ...length, ...headers });
  return exchange(port, { method, path, headers: all, body: body ?? '' });
}

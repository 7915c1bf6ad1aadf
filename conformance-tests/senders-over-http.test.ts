import { afterAll, describe, expect, test } from 'vitest';
import type { AlertHead, Telemetry } from '../src/model/transition.ts';
import { openRules } from '../src/runtime/engine/open-bundle.ts';
import { Health } from '../src/runtime/health.ts';
import { Intake } from '../src/runtime/intake.ts';
import { Server } from '../src/runtime/server.ts';
import { exchange } from './raw-http.ts';
import { ruleForEverything } from './rule-for-everything.ts';
import { senderRequests } from './senders/sender-requests.ts';

const seen: AlertHead[] = [];
const telemetry: Telemetry = {
  emit: (transition) => {
    if (transition.kind === 'event') seen.push(transition.alert);
  },
  accepted: () => undefined,
};
const { evaluator, revision, rules } = openRules(ruleForEverything());
const server = new Server({
  intake: new Intake({
    active: { scanner: evaluator, policy: { revision, rules, guard: () => Promise.reject(new Error('not asked')) } },
    pipeline: { admit: (_, decided) => decided('accepted') },
    telemetry,
    printAllEvents: true,
  }),
  limits: { bodyBytes: 1 << 20, connections: 16 },
  telemetry,
  metrics: { contentType: 'text/plain', page: async () => '' },
  health: new Health(() => undefined),
  entrance: { bearerTokens: [], basicUsers: [], secretPaths: [], ratePerSecond: 0 },
});
const port = await server.listen('127.0.0.1', 0);
afterAll(() => server.close());

describe('the server answers', () => {
  test.each(senderRequests())('$id', async ({ status, alert, ...request }) => {
    seen.length = 0;
    expect(await exchange(port, request)).toMatchObject({
      status,
      ...(status === 200 && { body: '', content_type: '' }),
    });
    const { rule, priority, source, output } = alert ?? {};
    expect(seen.map(({ trace_id: _, ...head }) => head)).toEqual(alert ? [{ rule, priority, source, output }] : []);
  });
});

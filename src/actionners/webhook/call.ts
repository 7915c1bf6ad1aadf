import * as z from 'zod';
import type { StatusRange } from '../../model/capability.ts';
import { defineActionner, targetOf } from '../../model/definition.ts';
import { headerProblem } from '../../model/http-header.ts';
import { HTTP_URL, isHttpUrl } from '../../model/http-url.ts';
import { integer, oneOf, text } from '../../model/parameters.ts';
import type { EndpointRef } from '../../model/references.ts';

/** Calls an HTTP endpoint, with values of the alert in a body of JSON. */
export const call = defineActionner({
  id: 'webhook:call',
  description: 'Call an HTTP endpoint',
  sources: ['any'],
  continue: true,
  usesContext: true,
  artifact: 'optional',
  requires: [],
  parameters: z
    .object({
      url: z
        .string()
        .min(1, { abort: true })
        .regex(HTTP_URL, { error: `parameter 'url' must be an http or https URL`, abort: true })
        .refine(isHttpUrl, { error: `parameter 'url' must be an http or https URL` })
        .meta({ description: 'address of the endpoint' }),
      method: oneOf('method of the request', ['POST', 'PUT', 'PATCH', 'DELETE', 'GET'], 'POST'),
      headers: headerMap('further headers, by name', headerProblem),
      secret_headers: headerMap(
        'headers whose value is secret: by name, the environment variable of the server that has it; it begins with `TALON_SECRET_`',
        variableProblem,
      ),
      body: jsonText('JSON to send; tokens in the texts of it stand for values of the alert, whatever these are'),
      content_type: text('type that a body is declared as', { fallback: 'application/json; charset=utf-8' }),
      expected_status: statusRanges(
        'statuses that count as success: `204`, or codes and ranges as in `200-299, 404`',
        '200-299',
      ),
      timeout: integer('seconds to wait for the answer', { min: 1, max: 3_600, fallback: 10 }),
    })
    .superRefine(({ content_type }, context) => {
      const message = headerProblem('Content-Type', content_type);
      if (message !== undefined) context.addIssue({ code: 'custom', path: ['content_type'], message });
    }),
  example: `- action: Open a ticket
  actionner: webhook:call
  parameters:
    url: https://tickets.example.org/api/issues
    secret_headers:
      Authorization: TALON_SECRET_TICKETS
    body: '{"title": "Shell in \${K8S_POD_NAME}", "labels": ["falco"]}'
    expected_status: "201"
  output:
    target: local:file
    parameters:
      destination: /var/lib/falco-talon/tickets
`,
  behaviour: {
    // Whoever knows that the endpoint takes the same twice says so by `on_interrupt: retry` in the rule.
    idempotent: false,
    uses: ['http.send'],
    deadline: 60,
    lasts: ({ timeout }) => timeout + 20,
    writes: () => [],
    reach: ({ url, headers, secret_headers: headersFrom }) => ({ endpoint: { url, headers, headersFrom } }),
    async run({ parameters, targets, keeps, use }) {
      const { method, body, content_type, expected_status: expected, timeout } = parameters;
      const endpoint = targetOf<'endpoint', EndpointRef>(targets, 'endpoint');
      const json = body && { headers: { 'Content-Type': content_type }, body: JSON.stringify(body.value) };
      // Nobody asks for what it says, and it would be kept with what the action did.
      const request = { method, ...json, timeoutMs: timeout * 1000, wantedBytes: 0, expected };
      const { status, statusLine, artifact } = await use['http.send'](endpoint, request, keeps);
      return {
        status: 'success',
        output: `the endpoint '${endpoint.name}' answered ${statusLine}`,
        objects: { endpoint: endpoint.name, status: String(status) },
        ...(artifact && { artifact }),
      };
    },
  },
});

/** Why such a header cannot be sent; undefined when it can. */
type Problem = (name: string, value: string) => string | undefined;

function variableProblem(name: string, variable: string): string | undefined {
  if (/^TALON_SECRET_[A-Z0-9_]+$/.test(variable)) return headerProblem(name, '');
  return 'a header must name an environment variable that begins with TALON_SECRET_';
}

/** A map of headers that may be left out. */
function headerMap(description: string, problemOf: Problem) {
  return z
    .record(
      z.string(),
      z.union([z.string(), z.boolean(), z.number()]).transform((value) => String(value)),
    )
    .superRefine((headers, context) => {
      for (const [name, value] of Object.entries(headers)) {
        const message = problemOf(name, value);
        if (message !== undefined) context.addIssue({ code: 'custom', path: [name], message });
      }
    })
    .nullish()
    .transform((headers) => headers ?? {})
    .meta({ description, default: {}, spelled: true });
}

/**
 * A text of JSON, read when the rule is. Only what stands in its texts is expanded later, so that no value of an alert can add
 * to it or end it. Undefined when left out.
 */
function jsonText(description: string) {
  return z
    .string()
    .transform((given, context) => {
      if (given.trim() === '') return undefined;
      try {
        return { value: JSON.parse(given) as unknown };
      } catch (error) {
        const reason = error instanceof Error ? error.message : '';
        context.addIssue({ code: 'custom', message: `parameter 'body' must be JSON: ${reason}` });
        return z.NEVER;
      }
    })
    .nullish()
    .transform((body) => body ?? undefined)
    .meta({ description, default: '', expands: 'text' });
}

function statusRanges(description: string, fallback: string) {
  const problem = `parameter 'expected_status' must be codes and ranges of them, such as 200-299, 404`;
  return z
    .union([z.string(), z.int()], { error: () => problem })
    .nullish()
    .transform((given, context): readonly StatusRange[] => {
      const ranges = String(given || fallback)
        .split(',')
        .map(statusRange);
      const known = ranges.filter((range) => range !== undefined);
      if (known.length < ranges.length) context.addIssue({ code: 'custom', message: problem });
      return known;
    })
    .meta({ description, default: fallback });
}

function statusRange(text: string): StatusRange | undefined {
  const [, least, most = least] = /^\s*([1-5]\d\d)(?:\s*-\s*([1-5]\d\d))?\s*$/.exec(text) ?? [];
  return least !== undefined && Number(least) <= Number(most) ? [Number(least), Number(most)] : undefined;
}

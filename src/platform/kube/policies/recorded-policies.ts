import type { ServerResponse } from 'node:http';
import { expect } from 'vitest';
import type { WorkloadTarget } from '../../../model/targets.ts';
import { type RecordingApi, type Seen, statusOf, type WholeAnswer } from '../recording-api.ts';
import type { PolicyObject } from './network-policy.ts';

const WRITING = '?fieldManager=falco-talon&fieldValidation=Strict';

/** What a test may store. */
export interface StoredPolicy {
  readonly metadata: { readonly name: string } & Partial<PolicyObject['metadata']>;
  readonly spec?: PolicyObject['spec'];
}

export const workload: WorkloadTarget = {
  kind: 'workload',
  name: 'web',
  namespace: 'shop',
  labels: { app: 'web', 'app.kubernetes.io/name': 'x' },
};

/** The least that says that a policy is Talon's. */
export const managed = { name: 'web', labels: { 'app.k8s.io/managed-by': 'falco-talon' } };

/** What the doors answer. */
export const created = { name: 'web', change: 'created' };
export const updated = { name: 'web', change: 'updated' };

/** The metadata of a policy of that workload, but for its version. */
export const metadata = {
  name: 'web',
  namespace: 'shop',
  labels: { app: 'web', 'app.kubernetes.io/name': 'x', 'app.k8s.io/managed-by': 'falco-talon' },
  annotations: { 'falco-talon/rules': expect.stringMatching(/^([0-9a-f]{32}(,|$))*$/) },
};

/** For tests: a collection of policies behind a RecordingApi, with versions that conflict as those of the real thing. */
export class RecordedPolicies {
  readonly stored = new Map<string, PolicyObject>();
  readonly #api: RecordingApi;
  readonly #path: string;
  #version = 0;
  /** Called before each write, once read: the time for somebody else to write. */
  interfere: () => void = () => undefined;

  /** @param group such as `networking.k8s.io/v1` @param names those that may be asked for */
  constructor(api: RecordingApi, group: string, plural: string, names: readonly string[] = ['web', 'web-falco-talon']) {
    this.#api = api;
    this.#path = `/apis/${group}/namespaces/shop/${plural}`;
    this.#answer(`POST ${this.#path}${WRITING}`, (seen) => this.#create(seen));
    for (const name of names) {
      this.#answer(`GET ${this.#path}/${name}`, () => this.#found(name));
      this.#answer(`PUT ${this.#path}/${name}${WRITING}`, (seen) => this.#replace(name, seen));
    }
  }

  /** Stores a policy as somebody else would. */
  put(policy: StoredPolicy): void {
    const resourceVersion = String(++this.#version);
    const stored = { ...policy, metadata: { namespace: 'shop', ...policy.metadata, resourceVersion } };
    this.stored.set(policy.metadata.name, stored as PolicyObject);
  }

  /** The policy of that name, without its version. */
  policy(name = 'web'): PolicyObject | undefined {
    const found = this.stored.get(name);
    if (!found) return undefined;
    const { resourceVersion: _, ...metadata } = found.metadata;
    return { ...found, metadata };
  }

  /** How often the verb was used. */
  count(verb: 'GET' | 'POST' | 'PUT'): number {
    return this.#api.seen.filter(({ line }) => line.startsWith(`${verb} ${this.#path}`)).length;
  }

  #answer(line: string, answer: (seen: Seen) => WholeAnswer): void {
    this.#api.answers.set(line, (stream: ServerResponse) => {
      const { status, body } = answer(this.#api.seen.findLast((seen) => seen.line === line) as Seen);
      stream.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  }

  #found(name: string): WholeAnswer {
    const found = this.stored.get(name);
    return found ? { status: 200, body: found } : statusOf(404, 'NotFound', `"${name}" not found`);
  }

  #create({ body }: Seen): WholeAnswer {
    this.interfere();
    const policy = body as PolicyObject;
    const { name } = policy.metadata;
    if (this.stored.has(name)) return statusOf(409, 'AlreadyExists', `"${name}" already exists`);
    this.put(policy as StoredPolicy);
    return { status: 201, body: this.stored.get(name) };
  }

  #replace(name: string, { body }: Seen): WholeAnswer {
    this.interfere();
    const policy = body as PolicyObject;
    const version = this.stored.get(name)?.metadata.resourceVersion;
    if (policy.metadata.resourceVersion !== version) return statusOf(409, 'Conflict', `"${name}" has been modified`);
    this.put(policy as StoredPolicy);
    return { status: 200, body: this.stored.get(name) };
  }
}

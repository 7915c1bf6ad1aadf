import * as z from 'zod';
import type { Door } from '../capability.ts';
import { asFound, type DoorRows, nothing, withArtifact } from '../door-row.ts';
import type { CloudGrant } from '../grant.ts';

const aws = (permission: string): CloudGrant => ({ cloud: 'aws', permission });
const gcp = (permission: string): CloudGrant => ({ cloud: 'gcp', permission });

const invocation = z.strictObject({
  qualifier: z.string().max(128),
  type: z.enum(['RequestResponse', 'Event', 'DryRun']),
});
const LONGEST_BODY = 1 << 20;
const texts = z.record(z.string().max(256), z.string().max(8_192));
const request = z.strictObject({
  method: z.string().regex(/^[A-Z]{1,20}$/),
  path: z.string().max(4_096).startsWith('/').optional(),
  headers: texts.optional(),
  body: z.string().max(LONGEST_BODY).optional(),
  timeoutMs: z.int().min(1).max(3_600_000).optional(),
  wantedBytes: z.int().min(0).max(262_144).optional(),
  expected: z
    .array(z.tuple([z.int(), z.int()]))
    .max(100)
    .optional(),
});
const mail = z.strictObject({
  subject: z.string().max(998),
  text: z.string().max(LONGEST_BODY),
  html: z.string().max(LONGEST_BODY).optional(),
});

/** The doors to clouds, to endpoints and to stores of artifacts. */
export const OUTSIDE_DOORS = {
  'lambda.invoke': {
    api: 'aws',
    effect: true,
    price: [aws('lambda:InvokeFunction'), aws('lambda:GetFunction')],
    decode: (given) => [given.target(0, 'function'), given.value(1, invocation)],
    answer: asFound,
  },
  'functions.call': {
    api: 'gcp',
    effect: true,
    price: [gcp('cloudfunctions.functions.get'), gcp('run.routes.invoke')],
    decode: (given) => [given.target(0, 'function'), given.integer(1)],
    answer: asFound,
  },
  'http.send': {
    api: 'network',
    effect: true,
    price: [{ reaches: 'the endpoint that the rule or the configuration names' }],
    decode: (given) => [given.target(0, 'endpoint'), given.value(1, request), given.flag(2)],
    answer: withArtifact,
  },
  'mail.send': {
    api: 'network',
    effect: true,
    price: [{ reaches: 'the mail server of the configuration' }],
    decode: (given) => [given.target(0, 'mailbox'), given.value(1, mail)],
    answer: nothing,
  },
  'stores.check': {
    api: 'network',
    effect: false,
    price: [{ reaches: 'the store; a right to ask for it is used where it is there, and not needed' }],
    decode: (given) => [given.target(0, 'store')],
    answer: nothing,
  },
  'files.put': {
    api: 'files',
    effect: true,
    price: [{ reaches: 'the folder of the rule, to write in it' }],
    decode: (given) => [given.target(0, 'store'), given.target(1, 'artifact'), given.text(2)],
    answer: (file) => file,
  },
  's3.put': {
    api: 'aws',
    effect: true,
    price: [aws('s3:PutObject')],
    decode: (given) => [
      ...([given.target(0, 'store'), given.target(1, 'artifact')] as const),
      ...([given.text(2), given.value(3, texts)] as const),
    ],
    answer: nothing,
  },
  'minio.put': {
    api: 'minio',
    effect: true,
    price: [{ reaches: 'the MinIO server, with the right to put objects into the bucket' }],
    decode: (given) => [
      ...([given.target(0, 'store'), given.target(1, 'artifact')] as const),
      ...([given.text(2), given.value(3, texts)] as const),
    ],
    answer: nothing,
  },
  'gcs.put': {
    api: 'gcp',
    effect: true,
    price: [gcp('storage.objects.create')],
    decode: (given) => [
      ...([given.target(0, 'store'), given.target(1, 'artifact')] as const),
      ...([given.text(2), given.value(3, texts)] as const),
    ],
    answer: nothing,
  },
} satisfies DoorRows<
  Extract<Door, `${'lambda' | 'functions' | 'http' | 'mail' | 'stores' | 'files' | 's3' | 'minio' | 'gcs'}.${string}`>
>;

import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { objectMetadata } from './object-metadata.ts';
import { testArtifact } from './test-artifact.ts';

const artifact = testArtifact('x');
const { sha256 } = artifact;

it('has the sum, and the facts in a form that all stores take', () => {
  const facts = { rule: 'Shell in 100% of ☠', trace_id: 'abc', 'Pod UID': ' u ', node: '', sha256: 'forged' };
  expect(objectMetadata(facts, artifact)).toEqual({
    sha256,
    rule: 'Shell in 100%25 of %E2%98%A0',
    'trace-id': 'abc',
    'pod-uid': 'u',
  });
});

it('leaves out what does not fit', () => {
  const facts = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`fact${index}`, 'v'.repeat(1_000_000)]));
  const metadata = objectMetadata(facts, artifact);
  expect(metadata.fact0).toBe('v'.repeat(200));
  expect(Object.keys(metadata).length).toBeLessThan(12);
});

it('is always short and printable', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.string({ unit: 'binary', maxLength: 400 })), (facts) => {
      const entries = Object.entries(objectMetadata(facts, artifact));
      for (const [name, value] of entries) {
        expect(name).toMatch(/^[a-z0-9-]+$/);
        expect(value).toMatch(/^[ -~]+$/);
      }
      expect(entries.flat().join('').length).toBeLessThanOrEqual(2_048);
    }),
  );
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { junitXml } from './junit.ts';
import type { CaseResult, FileResult } from './run-tests.ts';

function result(name: string, problems: readonly string[], path = 'a.test.yaml'): CaseResult {
  const place = { file: path, line: 3, column: 5, length: 1 };
  return { test: { name, place, expect: {} }, problems, milliseconds: 12 };
}

test('a suite per file, a case per test, failures and files that could not be run', () => {
  const files: FileResult[] = [
    { path: 'a.test.yaml', cases: [result('good', []), result('bad <&> "quoted"', ['one', 'two\nlines'])] },
    { path: 'b.test.yaml', cases: [], fault: 'no rules' },
  ];
  expect(junitXml(files)).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="talon" tests="3" failures="1" errors="1">
  <testsuite name="a.test.yaml" tests="2" failures="1" errors="0" time="0.024">
    <testcase classname="a.test.yaml" name="good" file="a.test.yaml" line="3" time="0.012"/>
    <testcase classname="a.test.yaml" name="bad &lt;&amp;&gt; &quot;quoted&quot;" file="a.test.yaml" line="3" time="0.012">
      <failure message="one">one&#10;two&#10;lines</failure>
    </testcase>
  </testsuite>
  <testsuite name="b.test.yaml" tests="1" failures="0" errors="1" time="0.000">
    <testcase classname="b.test.yaml" name="(file)" time="0.000"><error message="the test file cannot be used">no rules</error></testcase>
  </testsuite>
</testsuites>
`);
});

test('whatever a test is called, the XML stays well-formed', () => {
  const anyText = fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)) });
  fc.assert(
    fc.property(anyText, anyText, (name, problem) => {
      const xml = junitXml([{ path: name, cases: [result(name, [problem], name)] }]);
      // Inside of quotes and between tags there is no character that ends either, and none that XML cannot have.
      const withoutTags = xml.replace(
        /<[?/]?[a-z]+(?: [a-z]+="[^"<&]*(?:&(?:amp|lt|gt|quot|apos|#\d+);[^"<&]*)*")*[/?]?>/g,
        '',
      );
      expect(withoutTags).not.toMatch(/[<>]|&(?!(?:amp|lt|gt|quot|apos|#\d+);)/);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones that XML cannot have
      expect(xml).not.toMatch(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Surrogate}/u);
    }),
  );
});

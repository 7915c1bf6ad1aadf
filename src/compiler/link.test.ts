import { describe, expect, test } from 'vitest';
import { atLeast, ModuleDoors, terms } from '../../conformance-tests/module-doors.ts';
import { ruleWith } from '../../conformance-tests/rule-with.ts';
import type { PolicyRule } from '../model/rule.ts';
import { link } from './link.ts';

/** What one rule says about bodies, through both doors. */
async function verdicts(rule: PolicyRule, bodies: Readonly<Record<string, boolean>>): Promise<void> {
  const doors = await ModuleDoors.open([rule]);
  const found = Object.keys(bodies).map((body) => [body, doors.matches(body)]);
  expect(found).toEqual(Object.entries(bodies).map(([body, matches]) => [body, matches ? [0] : []]));
}

function fields(json: string): string {
  return `{"output_fields":${json}}`;
}

function withField(item: string): PolicyRule {
  return ruleWith({ output_fields: [terms(item)] });
}

describe('criteria', () => {
  test('names are any of the list, exactly', () =>
    verdicts(ruleWith({ rules: ['A', 'Été "x"'] }), {
      '{"rule":"A"}': true,
      '{"rule":"\\u0041"}': true,
      '{"rule":"Été \\"x\\""}': true,
      '{"rule":"a"}': false,
      '{"rule":"A "}': false,
      '{}': false,
    }));

  test('the empty name is that of an alert without one', () =>
    verdicts(ruleWith({ rules: [''] }), {
      '{}': true,
      '{"rule":null}': true,
      '{"rule":""}': true,
      '{"rule":"a"}': false,
    }));

  test('priorities in any case, Info is Informational', () =>
    verdicts(ruleWith({ priority: atLeast('Informational') }), {
      '{"priority":"Debug"}': false,
      '{"priority":"info"}': true,
      '{"priority":"INFORMATIONAL"}': true,
      '{"priority":"Notice"}': true,
      '{"priority":"warning"}': true,
      '{"priority":"eRROR"}': true,
      '{"priority":"Critical"}': true,
      '{"priority":"alert"}': true,
      '{"priority":"Emergency"}': true,
      '{"priority":"Emergencies"}': false,
      '{"priority":"infos"}': false,
      '{}': false,
    }));

  test('an unknown priority is below all', () =>
    verdicts(ruleWith({ priority: { text: '<Debug', accepts: 1 } }), {
      '{"priority":"x"}': true,
      '{}': true,
      '{"priority":"Debug"}': false,
    }));

  test('an absent or empty source is syscall', () =>
    verdicts(ruleWith({ source: 'syscall' }), {
      '{}': true,
      '{"source":""}': true,
      '{"source":"syscall"}': true,
      '{"source":"k8s_audit"}': false,
      '{"source":"k8s_audit","source":null}': false,
      '{"source":"k8s_audit","source":""}': true,
    }));

  test('tags are sets of texts, the last list counts', () =>
    verdicts(ruleWith({ tags: [['a', 'b'], ['5']] }), {
      '{"tags":["b","x","a"]}': true,
      '{"tags":["a","a"]}': false,
      '{"tags":["5"]}': true,
      '{"tags":[5]}': false,
      '{"tags":[["5"],{"5":"5"}]}': false,
      '{"tags":["5"],"tags":["a"]}': false,
      '{"tags":["5"],"tags":null}': false,
      '{"tags":["a"],"tags":["b"]}': false,
    }));

  test('all criteria must hold', () =>
    verdicts(
      ruleWith({ rules: ['A'], source: 's', tags: [['t']], output_fields: [terms('k=v')], priority: atLeast('Error') }),
      {
        '{"rule":"A","source":"s","tags":["t"],"output_fields":{"k":"v"},"priority":"Error"}': true,
        '{"rule":"B","source":"s","tags":["t"],"output_fields":{"k":"v"},"priority":"Error"}': false,
        '{"rule":"A","source":"x","tags":["t"],"output_fields":{"k":"v"},"priority":"Error"}': false,
        '{"rule":"A","source":"s","tags":["u"],"output_fields":{"k":"v"},"priority":"Error"}': false,
        '{"rule":"A","source":"s","tags":["t"],"output_fields":{"k":"w"},"priority":"Error"}': false,
        '{"rule":"A","source":"s","tags":["t"],"output_fields":{"k":"v"},"priority":"Debug"}': false,
      },
    ));
});

describe('output fields', () => {
  test('= needs the field, != does not', () =>
    verdicts(withField('a=x, b!=y'), {
      [fields('{"a":"x"}')]: true,
      [fields('{"a":"x","b":"z"}')]: true,
      [fields('{"a":"x","b":"y"}')]: false,
      [fields('{"A":"x"}')]: false,
      [fields('null')]: false,
    }));

  test('words are compared as texts', async () => {
    await verdicts(withField('a=<nil>'), {
      [fields('{"a":null}')]: true,
      [fields('{"a":"<nil>"}')]: true,
      '{}': false,
    });
    await verdicts(withField('a=true'), { [fields('{"a":true}')]: true, [fields('{"a":"true"}')]: true });
    await verdicts(withField('a!=false'), { [fields('{"a":false}')]: false, [fields('{"a":0}')]: true });
  });

  test('several output_fields are merged, null empties them', () =>
    verdicts(withField('a=x, b=y'), {
      '{"output_fields":{"a":"x"},"output_fields":{"b":"y"}}': true,
      '{"output_fields":{"a":"x","b":"z"},"output_fields":{"b":"y"}}': true,
      '{"output_fields":{"a":"x","b":"y"},"output_fields":{"b":"z"}}': false,
      '{"output_fields":{"a":"x"},"output_fields":null,"output_fields":{"b":"y"}}': false,
      [fields('{"b":"y","a":"w","a":"x"}')]: true,
    }));

  test.each([
    ['443', ['443', '443.0', '4.43e2', '"443"'], ['444', '443.1', '"443.0"']],
    ['1000000', ['1000000', '1e6', '1E+6'], ['1000001']],
    ['1e+06', ['1000000', '1e6', '1000000.0'], ['1000001', '100000']],
    ['4194304', ['4194304'], ['4194305']],
    ['4.194304e+06', ['4194304', '4194304.0'], ['4194305']],
    ['0.00001', ['1e-5', '0.00001'], ['0']],
    ['1e-05', ['1e-5', '0.00001'], ['1e-6']],
    ['-0', ['-0', '-0.0', '-0e5'], ['0']],
    ['0', ['0', '0.0', '0e9'], ['-0', '-0.0']],
    ['1700000000123456789', ['1700000000123456789'], ['1700000000123456788', '1700000000123456789.0']],
    ['1700000000123456800', ['1700000000123456789.0', '1700000000123456800'], ['1700000000123456789']],
    ['1.7000000001234568e+18', ['1700000000123456789', '1700000000123456790'], ['1700000000123457289']],
    ['123456789012345678901234567890', ['123456789012345678901234567890'], ['123456789012345678901234567891']],
    ['1e400', ['1e400', '"1e400"'], ['1e401', '1E400', '10e399']],
    ['0.1', ['0.1', '0.10', '1e-1', '0.1000000000000000055511151231257827'], ['0.10000000000000002']],
    ['5e-324', ['5e-324', '4e-324', '2.4703282292062328e-324'], ['0', '2.4703282292062327e-324']],
    [
      '1.7976931348623157e+308',
      ['1.7976931348623157e308', '1.7976931348623158e308'],
      ['1e308', '1.7976931348623159e308'],
    ],
    ['9007199254740993', ['9007199254740993'], ['9007199254740992', '9007199254740993.0']],
    ['1.0', ['"1.0"'], ['1.0', '1']],
    ['01', ['"01"'], ['1']],
  ])('the text %s', async (text, equal, different) => {
    const bodies = [...equal.map((value) => [value, true]), ...different.map((value) => [value, false])] as const;
    const asFields = bodies.map(([value, matches]): [string, boolean] => [
      fields(`{"a":${value}}`),
      matches as boolean,
    ]);
    await verdicts(withField(`a=${text}`), Object.fromEntries(asFields));
    await verdicts(withField(`a!=${text}`), Object.fromEntries(asFields.map(([body, matches]) => [body, !matches])));
  });

  test.each([
    ['[a 1]', ['["a",1]', '["a 1"]', '["a","1"]', '[ "a" , 1.0 ]', '"[a 1]"'], ['["a",1,""]', '["a",2]', '[["a",1]]']],
    ['[]', ['[]', '[ ]', '[""]'], ['[[]]', '["",""]', '{}']],
    ['[<nil> true false]', ['[null,true,false]'], ['[null,true]']],
    ['map[]', ['{}', '{ }'], ['[]']],
    [
      'map[a:1 b:<nil>]',
      ['{"b":null,"a":1}', '{"a":2,"b":null,"a":1}', '{"a":"1 b:<nil>"}'],
      ['{"a":1}', '{"a":1,"b":2}'],
    ],
    ['map[a:[1 map[b:2]]]', ['{"a":[1,{"b":2}]}'], ['{"a":[1,{"b":[2]}]}', '{"a":[1,{"b":2,"c":3}]}']],
    ['[1e+06 1]', ['[1000000,1]', '[1e6,"1"]'], ['[1000001,1]']],
    ['[1000000 1]', ['[1000000,1]'], ['[1000001,1]']],
    ['[1000000 1e+06]', ['["1000000",1000000]', '[1000000,"1e+06"]'], ['[1000000,1000000]']],
    ['[1700000000123456789]', ['[1700000000123456789]'], ['[1700000000123456788]']],
    ['[1e400 0.5]', ['[1e400,5e-1]'], ['[1e401,0.5]']],
    [
      'map[a:1 z:3 é:2 🚀:4]',
      ['{"🚀":4,"z":3,"é":2,"a":1}', '{"\\ud83d\\ude80":4,"z":3,"\\u00e9":2,"a":1}'],
      ['{"a":1}'],
    ],
    ['map[:]', ['{"":""}'], ['{}']],
  ])('the nested text %s', async (text, equal, different) => {
    const bodies = [...equal.map((value) => [value, true]), ...different.map((value) => [value, false])] as const;
    await verdicts(
      withField(`a=${text}`),
      Object.fromEntries(bodies.map(([value, matches]) => [fields(`{"a":${value}}`), matches as boolean])),
    );
  });
});

describe('the order of rules', () => {
  test('is that of the list, cut after a match that does not continue', async () => {
    const doors = await ModuleDoors.open([
      withField('k=v'),
      ruleWith({ rules: ['A'] }),
      ruleWith({ rules: ['stop'] }, { continue: false }),
      ruleWith({}),
    ]);
    expect(doors.matches('{"rule":"A","output_fields":{"k":"v"}}')).toEqual([0, 1, 3]);
    expect(doors.matches('{"rule":"stop","output_fields":{"k":"v"}}')).toEqual([0, 2]);
    expect(doors.matches('{}')).toEqual([3]);
  });

  test('holds across ten thousand rules that all match', async () => {
    const rules = Array.from({ length: 10_000 }, (_, index) =>
      index % 3 ? withField(`k${index % 7}!=v`) : ruleWith({}),
    );
    const doors = await ModuleDoors.open(rules);
    expect(doors.matches('{"output_fields":{}}')).toEqual(rules.map((_, index) => index));
  });

  test('no rules match nothing', async () => {
    expect((await ModuleDoors.open([])).matches('{"rule":"A"}')).toEqual([]);
  });
});

describe('linking', () => {
  test('gives the same bytes for the same rules', () => {
    const rules = [withField('k=443, j!=x'), ruleWith({ condition: 'event.rule.startsWith("x")' })];
    expect(link(rules, 'rev')).toEqual(link(rules, 'rev'));
  });

  test('refuses a criterion without terms, which would match everything', () => {
    expect(() => link([ruleWith({ tags: [[]] })], '')).toThrow('has an empty criterion');
    expect(() => link([ruleWith({ output_fields: [terms('a=b'), []] })], '')).toThrow('has an empty criterion');
  });

  test('refuses a value nested beyond what the module may follow', () => {
    expect(() => link([withField(`a=${'['.repeat(501)}${']'.repeat(501)}`)], '')).toThrow(
      'more than 500 opening brackets',
    );
  });
});

import { describe, expect, it } from 'vitest';
import { decodeEvent } from '../../model/decode-event.ts';
import type { FalcoEvent } from '../../model/falco-event.ts';
import type { PlannedAction, PlannedRule } from '../../model/rule.ts';
import { talonContext } from '../context.ts';
import { eventTokens } from './tokens.ts';

describe('talonContext', () => {
  it('shows the settings that the rules file gives, under the usual and the documented names', () => {
    const action = {
      action: 'Mark',
      actionner: 'kubernetes:label',
      parameters: { labels: { b: '<x>', a: 1.5 }, list: [true, null] },
      written: { ignore_errors: true },
    } as unknown as PlannedAction;
    const rule = { rule: 'R', written: { dry_run: false } } as unknown as PlannedRule;
    expect(Object.fromEntries(talonContext(rule, action))).toEqual({
      'falco-talon.rule': 'R',
      'falco-talon.rule.dry_run': 'false',
      'falco-talon.rule.dryrun': 'false',
      'falco-talon.action': 'Mark',
      'falco-talon.rule.action': 'Mark',
      'falco-talon.actionner': 'kubernetes:label',
      'falco-talon.rule.actionner': 'kubernetes:label',
      'falco-talon.action.ignore_errors': 'true',
      'falco-talon.rule.action.ignore_errors': 'true',
      'falco-talon.action.parameters': '{"labels":{"a":1.5,"b":"\\u003cx\\u003e"},"list":[true,null]}',
      'falco-talon.rule.action.parameters': '{"labels":{"a":1.5,"b":"\\u003cx\\u003e"},"list":[true,null]}',
    });
  });

  it('has what additional contexts brought, once more where the documentation spells it otherwise', () => {
    const rule = { rule: 'R', written: {} } as unknown as PlannedRule;
    const action = { action: 'A', actionner: 'x:y', parameters: null, written: {} } as unknown as PlannedAction;
    const context = talonContext(rule, action, new Map([['node.spec.providerid', 'aws:///a/i-1']]));
    expect([context.get('node.spec.providerid'), context.get('node.spec.providedid')]).toEqual([
      'aws:///a/i-1',
      'aws:///a/i-1',
    ]);
  });

  it('says null for no parameters', () => {
    const context = talonContext(
      { rule: 'R', written: {} } as unknown as PlannedRule,
      { action: 'A', actionner: 'x:y', parameters: null, written: {} } as unknown as PlannedAction,
    );
    expect(context.get('falco-talon.action.parameters')).toBe('null');
  });
});

describe('eventTokens', () => {
  it('names and renders fields, context and the parts of the alert', () => {
    const alert = event(
      '{"priority":"Notice","rule":"Shell","hostname":"n1","tags":["a",1,null,{"k":1}],' +
        '"output_fields":{"fd.name":"/etc/x","proc.args[0]":"-l","proc.pid":1234567,"evt.time":1717000000000000001,' +
        '"n":null,"b":true,"l":["a",1.0],"o":{"z":1,"a":"<"},"straße":"s","ⓐé":"c","rule":"shadowed"}}',
    );
    expect(Object.fromEntries(eventTokens(alert, new Map([['falco-talon.rule', 'R']])))).toEqual({
      FD_NAME: '/etc/x',
      PROC_ARGS_0: '-l',
      PROC_PID: '1234567',
      EVT_TIME: '1717000000000000001',
      N: '',
      B: 'true',
      L: '["a",1.0]',
      O: '{"a":"<","z":1}',
      STRAßE: 's',
      'ⒶÉ': 'c',
      'FALCO-TALON_RULE': 'R',
      PRIORITY: 'Notice',
      HOSTNAME: 'n1',
      RULE: 'Shell',
      SOURCE: 'syscall',
      TAGS: 'a,1,,{"k":1}',
    });
  });

  it('takes nothing from the environment or from an earlier alert', () => {
    eventTokens(event('{"output_fields":{"fd.name":"/etc/shadow"}}'), new Map());
    const tokens = eventTokens(event('{}'), new Map());
    expect([...tokens.keys()]).toEqual(['PRIORITY', 'HOSTNAME', 'RULE', 'SOURCE', 'TAGS']);
  });
});

function event(body: string): FalcoEvent {
  const decoded = decodeEvent(Buffer.from(body));
  if (!decoded.ok) throw new Error(`error ${decoded.code}`);
  return decoded.event;
}

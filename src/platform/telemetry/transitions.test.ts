import { describe, expect, it } from 'vitest';
import type { Notice } from '../../model/notice.ts';
import type { StepHead, Transition } from '../../model/transition.ts';
import { transitionCount } from './transition-count.ts';
import { logTransition } from './transition-log.ts';

const alert = { rule: 'Shell', priority: 'Notice', source: 'syscall', output: 'A shell', trace_id: 't' };
const step: StepHead = { alert, rule: 'Quarantine', action: 'Mark', actionner: 'kubernetes:label' };
const action = { rule: 'Quarantine', event: 'A shell', action: 'Mark', actionner: 'kubernetes:label', trace_id: 't' };
const labels = { rule: 'Quarantine', event: 'Shell', action: 'Mark', actionner: 'kubernetes:label' };
const alertLabels = { event: 'Shell', priority: 'Notice', source: 'syscall' };

const notice: Notice = {
  time: '2026-01-01T10:15:02.000Z',
  ...{ trace_id: 't', rule: 'Quarantine', event: 'A shell', message: 'action', output: 'marked' },
  ...{ actionner: 'kubernetes:label', action: 'Mark', status: 'success' },
};
const stored: Notice = { ...notice, message: 'output', output_target: 'aws:s3', category: 'aws' };
const notification = {
  ...{ rule: 'Quarantine', action: 'Mark', actionner: 'kubernetes:label', trace_id: 't' },
  ...{ notifier: 'slack', stage: 'action' },
};
const ofNotifier = { rule: 'Quarantine', action: 'Mark', actionner: 'kubernetes:label', notifier: 'slack' };

describe('one record makes log line and metric', () => {
  it.each<[string, Transition, object | undefined, readonly unknown[] | undefined]>([
    [
      'event',
      { kind: 'event', alert },
      { level: 'info', message: 'event', fields: { ...alertLabels, output: 'A shell', trace_id: 't' } },
      undefined,
    ],
    [
      'match',
      { kind: 'match', alert, rule: 'Quarantine' },
      {
        level: 'info',
        message: 'match',
        fields: { ...alertLabels, rule: 'Quarantine', output: 'A shell', trace_id: 't' },
      },
      ['matches', { rule: 'Quarantine', ...alertLabels }],
    ],
    [
      'sent notification',
      { kind: 'notified', notifier: 'slack', notice, outcome: 'sent', attempt: 2 },
      { level: 'info', message: 'notification', fields: { ...notification, status: 'success' } },
      ['notifications', { ...ofNotifier, status: 'success', target: '' }],
    ],
    [
      'dead notification about an output',
      { kind: 'notified', notifier: 'slack', notice: stored, outcome: 'dead', attempt: 12, error: 'no answer' },
      {
        level: 'error',
        message: 'notification',
        fields: { ...notification, stage: 'output', output_target: 'aws:s3', status: 'failure', error: 'no answer' },
      },
      ['notifications', { ...ofNotifier, status: 'failure', target: 'aws:s3' }],
    ],
    [
      'notification that is tried again',
      { kind: 'notified', notifier: 'slack', notice, outcome: 'retrying', attempt: 1, error: 'busy', wait: 990.4 },
      {
        level: 'warn',
        message: 'notification',
        fields: {
          ...notification,
          ...{ status: 'retrying', result: 'try 1 failed, the next one follows in 990 ms', error: 'busy' },
        },
      },
      ['notification_retries', { notifier: 'slack' }],
    ],
    [
      'dropped notification',
      { kind: 'notified', notifier: 'slack', notice, outcome: 'dropped', attempt: 0, error: 'dropped: too many' },
      {
        level: 'error',
        message: 'notification',
        fields: { ...notification, status: 'failure', error: 'dropped: too many' },
      },
      ['dropped_notifications', { notifier: 'slack' }],
    ],
    ['duplicate', { kind: 'duplicate', alert }, undefined, ['duplicate_events', alertLabels]],
    [
      'dry run',
      { kind: 'dry_run', step },
      { level: 'info', message: 'action', fields: { ...action, output: 'no action, dry-run is enabled' } },
      ['dry_runs', labels],
    ],
    [
      'denied',
      { kind: 'denied', step, policy: 'P', reason: 'off limits', objects: {} },
      {
        level: 'error',
        message: 'action',
        fields: { ...action, status: 'denied', result: 'P: off limits' },
        objects: {},
      },
      ['denied_actions', { ...labels, policy: 'P' }],
    ],
    [
      'parked',
      { kind: 'parked', step, policy: 'P', reason: 'budget spent', objects: { pod: 'web' } },
      {
        level: 'error',
        message: 'action',
        fields: { ...action, status: 'parked', result: 'P: budget spent' },
        objects: { pod: 'web' },
      },
      ['parked_actions', { ...labels, policy: 'P' }],
    ],
    [
      'monitored',
      { kind: 'monitored', step, policy: 'P', reason: 'off limits', objects: {} },
      {
        level: 'warn',
        message: 'action',
        fields: { ...action, status: 'monitored', result: 'P: off limits' },
        objects: {},
      },
      ['monitored_actions', { ...labels, policy: 'P' }],
    ],
    [
      'retry',
      { kind: 'retrying', step, attempt: 2, error: 'busy', wait: 250.4 },
      {
        level: 'warn',
        message: 'action',
        fields: {
          ...action,
          status: 'retrying',
          result: 'try 2 failed, the next one follows in 250 ms',
          error: 'busy',
        },
      },
      ['retries', labels],
    ],
    [
      'resumption',
      { kind: 'resumed', alert, id: 7 },
      { level: 'info', message: 'journal', fields: { event: 'Shell', result: 'the plan 7 goes on', trace_id: 't' } },
      ['resumed_plans', alertLabels],
    ],
    [
      'end of a plan',
      { kind: 'closed', alert, id: 7, state: 'parked', reason: 'P: budget spent' },
      {
        level: 'warn',
        message: 'journal',
        fields: { event: 'Shell', result: 'the plan 7 is parked: P: budget spent', trace_id: 't' },
      },
      ['closed_plans', { state: 'parked' }],
    ],
    [
      'open breaker',
      { kind: 'breaker', api: 'kubernetes', open: true },
      {
        level: 'error',
        message: 'api',
        fields: { category: 'kubernetes', error: 'no answer: actions wait for it' },
      },
      ['breaker_openings', { api: 'kubernetes' }],
    ],
    [
      'closed breaker',
      { kind: 'breaker', api: 'kubernetes', open: false },
      { level: 'info', message: 'api', fields: { category: 'kubernetes', result: 'answers again' } },
      undefined,
    ],
    [
      'reload',
      { kind: 'reloaded', ok: true, result: '3 rules' },
      { level: 'info', message: 'rules', fields: { result: '3 rules' } },
      ['reloads', { status: 'success' }],
    ],
    [
      'refused reload',
      { kind: 'reloaded', ok: false, result: 'invalid rules' },
      { level: 'error', message: 'rules', fields: { error: 'invalid rules' } },
      ['reloads', { status: 'failure' }],
    ],
    [
      'degradation',
      { kind: 'degraded', part: 'journal', reason: 'the disk is full' },
      { level: 'error', message: 'journal', fields: { status: 'degraded', error: 'the disk is full' } },
      undefined,
    ],
    [
      'end of a degradation',
      { kind: 'degraded', part: 'journal', reason: '' },
      { level: 'info', message: 'journal', fields: { status: 'success', result: 'works again' } },
      undefined,
    ],
    [
      'check failed',
      { kind: 'check_failed', step, error: 'missing pod name', objects: {} },
      {
        level: 'error',
        message: 'action',
        fields: { ...action, status: 'failure', error: 'missing pod name' },
        objects: {},
      },
      ['failed_checks', labels],
    ],
    [
      'started',
      { kind: 'started', step },
      { level: 'info', message: 'action', fields: { ...action, status: 'in_progress' } },
      undefined,
    ],
    [
      'success',
      { kind: 'ended', step, outcome: { status: 'success', output: 'labeled', objects: { Pod: 'web', File: '/x' } } },
      {
        level: 'info',
        message: 'action',
        fields: { ...action, status: 'success', output: 'labeled' },
        objects: { Pod: 'web', File: '/x' },
      },
      ['actions', { ...labels, status: 'success', pod: 'web' }],
    ],
    [
      'ignored',
      { kind: 'ended', step, outcome: { status: 'ignored', result: 'standalone', objects: {} } },
      { level: 'info', message: 'action', fields: { ...action, status: 'ignored', result: 'standalone' }, objects: {} },
      ['actions', { ...labels, status: 'ignored' }],
    ],
    [
      'failure',
      {
        kind: 'ended',
        step,
        outcome: { status: 'failure', code: 'refused', error: 'no', objects: { namespace: 'shop' } },
      },
      {
        level: 'error',
        message: 'action',
        fields: { ...action, status: 'failure', error: 'no' },
        objects: { namespace: 'shop' },
      },
      ['actions', { ...labels, status: 'failure', namespace: 'shop' }],
    ],
    [
      'crash',
      { kind: 'crashed', alert, error: 'a defect', rule: 'Quarantine' },
      {
        level: 'error',
        message: 'recovered from panic while processing event',
        fields: { rule: 'Quarantine', event: 'Shell', trace_id: 't', error: 'a defect' },
      },
      ['crashes', alertLabels],
    ],
    ['refusal', { kind: 'refused', reason: 'too_large' }, undefined, ['refused_requests', { reason: 'too_large' }]],
    [
      'fault',
      { kind: 'fault', error: 'a defect' },
      { level: 'error', message: 'http', fields: { error: 'a defect' } },
      ['crashes', {}],
    ],
  ])('%s', (_, transition, line, count) => {
    expect(logTransition(transition)).toEqual(line);
    expect(transitionCount(transition)).toEqual(count);
  });
});

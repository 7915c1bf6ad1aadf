import { describe, expect, it } from 'vitest';
import { Counters, OVERFLOW, SERIES_LIMIT } from './counters.ts';
import { createMetricsPage } from './metrics-page.ts';

const SCOPE_LABELS = 'otel_scope_name="github.com/falcosecurity/falco-talon",otel_scope_version="1.2.3"';

describe('createMetricsPage', () => {
  it('shows names, help and labels of Falco Talon', async () => {
    const counters = new Counters();
    counters.addEvent('Terminal shell', 'Notice', 'syscall');
    counters.addEvent('Terminal shell', 'Notice', 'syscall');
    counters.add('matches', { rule: 'R', event: 'Terminal shell', priority: 'Notice', source: 'syscall' });
    const lines = (await page(counters)).split('\n');
    expect(lines).toContain('# HELP falcosecurity_falco_talon_events_total number of received events');
    expect(lines).toContain('# TYPE falcosecurity_falco_talon_events_total counter');
    expect(lines).toContain(
      `falcosecurity_falco_talon_events_total{event="Terminal shell",priority="Notice",source="syscall",${SCOPE_LABELS}} 2`,
    );
    expect(lines).toContain(
      `falcosecurity_falco_talon_matches_total{rule="R",event="Terminal shell",priority="Notice",source="syscall",${SCOPE_LABELS}} 1`,
    );
    expect(lines).toContain('target_info{service_name="falco-talon",service_version="1.2.3"} 1');
  });

  it('follows the counters from page to page', async () => {
    const counters = new Counters();
    const render = createMetricsPage({ counters, version: '1.2.3', revision: () => 'r' });
    expect(await render()).not.toContain('events_total{');
    counters.addEvent('', '', 'syscall');
    expect(await render()).toContain(`falcosecurity_falco_talon_events_total{source="syscall",${SCOPE_LABELS}} 1\n`);
    counters.addEvent('', '', 'syscall');
    expect(await render()).toContain(`falcosecurity_falco_talon_events_total{source="syscall",${SCOPE_LABELS}} 2\n`);
  });

  it('is rendered once for all who wait, and anew for who comes later', async () => {
    const counters = new Counters();
    const render = createMetricsPage({ counters, version: '1.2.3', revision: () => 'r' });
    const first = render();
    expect(render()).toBe(first);
    await Promise.resolve();
    await Promise.resolve();
    const second = render();
    expect(second).not.toBe(first);
    expect(render()).toBe(second);
    counters.addEvent('', '', 'syscall');
    expect(await second).toContain(`falcosecurity_falco_talon_events_total{source="syscall",${SCOPE_LABELS}} 1\n`);
  });

  it('shows gauges as they stand', async () => {
    let pending = 3;
    const render = createMetricsPage({
      counters: new Counters(),
      gauges: () => [
        ['pending_events', pending],
        ['breaker_open', 1, { api: 'kubernetes' }],
      ],
      version: '1.2.3',
      revision: () => 'r',
    });
    expect(await render()).toContain(`falcosecurity_falco_talon_pending_events{${SCOPE_LABELS}} 3\n`);
    pending = 0;
    const text = await render();
    expect(text).toContain(`falcosecurity_falco_talon_pending_events{${SCOPE_LABELS}} 0\n`);
    expect(text).toContain(`falcosecurity_falco_talon_breaker_open{api="kubernetes",${SCOPE_LABELS}} 1\n`);
  });

  it('tells about the process and what it serves', async () => {
    const text = await page(new Counters());
    expect(text).toMatch(/build_info\{version="1\.2\.3",revision="r",node="v[\d.]+",/);
    expect(text).toMatch(/process_resident_memory_bytes\{.*\} \d{7,}\n/);
    expect(text).toMatch(/process_cpu_seconds_total\{.*\} \d/);
  });

  it('holds all series up to the limit, and one for the rest', async () => {
    const counters = new Counters();
    for (let index = 0; index < SERIES_LIMIT + 30; index++) counters.addEvent(`rule ${index}`, 'Notice', 'syscall');
    const lines = (await page(counters))
      .split('\n')
      .filter((line) => line.startsWith('falcosecurity_falco_talon_events_total{'));
    expect(lines).toHaveLength(SERIES_LIMIT + 1);
    expect(lines.filter((line) => line.includes(`event="${OVERFLOW}"`)).map((line) => line.split(' ').at(-1))).toEqual([
      '30',
    ]);
    expect(lines.some((line) => line.includes('otel_metric_overflow'))).toBe(false);
  });

  it('escapes what an alert put into a label', async () => {
    const counters = new Counters();
    counters.addEvent('a"} 1\nforged_total{x="', 'back\\slash', 's');
    const text = await page(counters);
    expect(text).toContain('event="a\\"} 1\\\\nforged_total{x=\\"",priority="back\\\\slash"');
    expect(text).not.toMatch(/^forged_total/m);
  });
});

function page(counters: Counters): Promise<string> {
  return createMetricsPage({ counters, version: '1.2.3', revision: () => 'r' })();
}

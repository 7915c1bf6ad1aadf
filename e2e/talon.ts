import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { EndSignal, KeptProcess, KeptProcessOptions } from './cluster/kept-process.ts';
import { waitUntil } from './cluster/wait-until.ts';
import { parseMetrics, type Sample } from './metrics.ts';

/** One line of the log in its JSON form. */
export type LogLine = Readonly<Record<string, string>>;

/** A server that has been started. */
export class Talon {
  readonly url: string;
  /** Every line that it has logged so far. */
  readonly lines: LogLine[] = [];
  /** Whatever else it has printed. */
  readonly stray: string[] = [];
  readonly #process: KeptProcess;

  /** @param start starts its process, which gives its output to the function */
  static watch(url: string, start: (onLine: NonNullable<KeptProcessOptions['onLine']>) => KeptProcess): Talon {
    return new Talon(url, start);
  }

  private constructor(url: string, start: (onLine: NonNullable<KeptProcessOptions['onLine']>) => KeptProcess) {
    this.url = url;
    this.#process = start((line, stream) => {
      const parsed = stream === 'stdout' ? parseLogLine(line) : undefined;
      if (parsed) this.lines.push(parsed);
      else this.stray.push(line);
    });
  }

  /** Waits until it answers. Throws with its output when it ends instead. */
  async untilHealthy(): Promise<void> {
    const output = () => [...this.lines.map((line) => JSON.stringify(line)), ...this.stray].join('\n');
    await waitUntil(
      'the server to be healthy',
      async () => {
        if (!this.#process.running()) throw new Error(`the server ended with ${await this.exited}:\n${output()}`);
        return this.isHealthy().catch(() => false);
      },
      { describe: output, timeout: 30_000, interval: 10 },
    );
  }

  /** Sends an alert that must be accepted; returns its trace id, by which its log lines are found. */
  async post(body: string): Promise<string> {
    const traceId = randomBytes(16).toString('hex');
    const { status, text } = await sendAlert(this.url, body, traceId);
    if (status !== 200) throw new Error(`the alert was answered with ${status}: ${text}`);
    return traceId;
  }

  /** Sends an alert and waits for the results of that many actions; returns all lines about the alert, in order. */
  async handle(body: string, { results = 1, timeout = 15_000 } = {}): Promise<readonly LogLine[]> {
    const traceId = await this.post(body);
    await waitUntil(`the results of ${results} actions`, () => this.about(traceId).filter(isResult).length >= results, {
      timeout,
      describe: () => this.#tail(),
    });
    return this.about(traceId);
  }

  /** Sends an alert and returns the line with the result of its only action. */
  async result(body: string, options: { readonly timeout?: number } = {}): Promise<LogLine> {
    const [result] = (await this.handle(body, options)).filter(isResult);
    return result!;
  }

  /** The lines about one alert, in order. */
  about(traceId: string): readonly LogLine[] {
    return this.lines.filter((line) => line.trace_id === traceId);
  }

  /** Waits for a line that has these values. */
  line(wanted: Readonly<Record<string, string | RegExp>>, { timeout = 15_000 } = {}): Promise<LogLine> {
    const fits = (line: LogLine) =>
      Object.entries(wanted).every(([key, value]) =>
        value instanceof RegExp ? value.test(line[key] ?? '') : line[key] === value,
      );
    return waitUntil(`a line with ${Object.values(wanted).join(', ')}`, () => this.lines.find(fits), {
      timeout,
      describe: () => this.#tail(),
    });
  }

  /** The samples of one metric that carry all the given labels. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<readonly Sample[]> {
    const response = await fetch(`${this.url}/metrics`);
    const text = await response.text();
    if (response.status !== 200) throw new Error(`/metrics was answered with ${response.status}: ${text}`);
    const wanted = Object.entries(labels);
    return parseMetrics(text).filter(
      (sample) => sample.name === name && wanted.every(([key, value]) => sample.labels[key] === value),
    );
  }

  async isHealthy(): Promise<boolean> {
    const response = await fetch(`${this.url}/healthz`);
    return response.status === 200;
  }

  /** The answer of `/readyz`. */
  async readiness(): Promise<{ readonly status: number; readonly text: string }> {
    const response = await fetch(`${this.url}/readyz`);
    return { status: response.status, text: await response.text() };
  }

  /** The id of its process, while there is one. */
  pid(): number | undefined {
    return this.#process.pid();
  }

  /** Bytes of memory that the whole process occupies now. */
  residentBytes(): number {
    const [, kibibytes] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${this.#process.pid()}/status`, 'utf8')) ?? [];
    if (kibibytes === undefined) throw new Error('the server has no memory any more');
    return Number(kibibytes) * 1024;
  }

  /** Its exit code, once it has ended. */
  get exited(): Promise<number> {
    return this.#process.exited;
  }

  /** Sends a signal and does not wait for what comes of it. */
  signal(signal: EndSignal | 'HUP'): void {
    this.#process.signal(signal);
  }

  /** Ends the server, as an orchestrator does, and returns its exit code. */
  stop(signal: EndSignal = 'TERM'): Promise<number> {
    return this.#process.stop(signal);
  }

  #tail(): string {
    return `last lines of the server:\n${this.lines
      .slice(-15)
      .map((line) => JSON.stringify(line))
      .join('\n')}`;
  }
}

/** Sends an alert to whatever listens there. Rejects when there is no answer. */
export async function sendAlert(
  url: string,
  body: string,
  traceId: string,
): Promise<{ readonly status: number; readonly text: string }> {
  const headers = {
    'content-type': 'application/json',
    traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01`,
  };
  const response = await fetch(url, { method: 'POST', headers, body });
  return { status: response.status, text: await response.text() };
}

/** Whether the line tells how an action ended. A dry run has no status, but is an end too. */
export function isResult({ message, status }: LogLine): boolean {
  return message === 'action' && status !== 'in_progress' && status !== 'retrying';
}

function parseLogLine(line: string): LogLine | undefined {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return undefined;
  }
}

/** What the commits of a server were like while it was under load. */
export interface CommitFigures {
  readonly alertsPerCommit: number;
  /** Alerts, progress and ends of plans. */
  readonly recordsPerCommit: number;
  /** Milliseconds from handing a batch over to its answer: the median of the means of short intervals. */
  readonly commit: number;
}

interface Sums {
  readonly commits: number;
  readonly records: number;
  readonly seconds: number;
}

/** Milliseconds between two looks at the metrics. */
const EVERY = 250;

/** Watches the metrics of the journal of a server while it is under load. */
export class CommitProbe {
  readonly #port: number;
  readonly #sums: Sums[] = [];
  #isOver = false;
  #watching: Promise<void> = Promise.resolve();

  private constructor(port: number) {
    this.#port = port;
  }

  static async start(port: number): Promise<CommitProbe> {
    const probe = new CommitProbe(port);
    await probe.#look();
    probe.#watching = probe.#watch();
    return probe;
  }

  async end(): Promise<CommitFigures> {
    this.#isOver = true;
    await this.#watching;
    await this.#look();
    const first = this.#sums[0] as Sums;
    const last = this.#sums.at(-1) as Sums;
    const commits = last.commits - first.commits;
    const records = last.records - first.records;
    const means = this.#sums.slice(1).flatMap((sums, index) => {
      const before = this.#sums[index] as Sums;
      const made = sums.commits - before.commits;
      return made > 0 ? [(1e3 * (sums.seconds - before.seconds)) / made] : [];
    });
    means.sort((a, b) => a - b);
    return {
      // An alert with one step is three records: itself, the end of the step, that of the plan.
      alertsPerCommit: records / commits / 3,
      recordsPerCommit: records / commits,
      commit: means[Math.floor(means.length / 2)] ?? Number.NaN,
    };
  }

  async #watch(): Promise<void> {
    while (!this.#isOver) {
      await new Promise((resolve) => setTimeout(resolve, EVERY));
      await this.#look();
    }
  }

  async #look(): Promise<void> {
    const page = await (await fetch(`http://127.0.0.1:${this.#port}/metrics`)).text();
    const sumOf = (name: string) =>
      [...page.matchAll(new RegExp(`^\\w*journal_${name}\\w*(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))].reduce(
        (sum, match) => sum + Number(match[1]),
        0,
      );
    this.#sums.push({ commits: sumOf('commits'), records: sumOf('records'), seconds: sumOf('commit_seconds') });
  }
}

/** What a benchmark needs of an alert. */
export interface BenchAlert {
  readonly uuid: string;
  readonly output: string;
  readonly priority: string;
  readonly rule: string;
  readonly time: string;
  readonly source: string;
  readonly output_fields: Readonly<Record<string, string | number | null>>;
  readonly hostname: string;
  readonly tags: readonly string[];
}

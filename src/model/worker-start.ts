/** What `new Worker(script, { eval })` gets, so that those who start a thread need not know where its code lies. */
export interface WorkerStart {
  readonly script: URL | string;
  readonly eval: boolean;
}

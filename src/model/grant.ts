/** One rule of a ClusterRole. */
export interface KubeGrant {
  /** Empty for the core group. */
  readonly group: string;
  readonly resource: string;
  readonly verbs: readonly string[];
}

/** A permission that a cloud must give. */
export interface CloudGrant {
  readonly cloud: 'aws' | 'gcp';
  /** As the cloud spells it: `lambda:InvokeFunction`. */
  readonly permission: string;
}

/** What must be reached or written, in words: no system hands out a right for it. */
export interface ReachGrant {
  readonly reaches: string;
}
export type Grant = KubeGrant | CloudGrant | ReachGrant;

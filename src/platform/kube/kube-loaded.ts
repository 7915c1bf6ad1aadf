/** All that needs the client of Kubernetes, to be imported when it is first needed: loading it takes a while, and memory. */
export { openKubeClient } from './kube-client.ts';
export { ownPod } from './kube-config.ts';
export { kubeDoors } from './kube-doors.ts';
export { nodeSource } from './node-context.ts';
export { policyProblem } from './policies/policy-presence.ts';
export { createTargetLookups } from './target-lookups.ts';

/** A rule whose only action succeeds, so that there is something to tell notifiers of. */
export const MARK_RULES = `
- rule: Mark on shell
  match: {rules: [mark]}
  actions:
    - action: Mark the pod
      actionner: kubernetes:label
      parameters: {labels: {suspicious: "true"}}
`;

import { leastRights, type Rights } from '../model/rights.ts';
import type { Engine } from '../runtime/engine/open-bundle.ts';
import { clusterRole, clusterRoleObject } from './cluster-role.ts';
import { jsonDocument } from './json-document.ts';
import { catalog } from './plugins/catalog.ts';
import { openPolicy } from './policy-source.ts';
import { loadSettings } from './settings/settings.ts';
import type { CommandContext } from './talon-command.ts';

export interface RbacFlags {
  readonly format: 'text' | 'json';
  /** Name of the role. */
  readonly name: string;
}

/**
 * `rbac`: the least rights for a bundle, or for the rules files: the ClusterRole as YAML, with what clouds must allow and what must
 * be reached as comments before it. Ends with 1 if the rules are refused.
 */
export async function rbac(context: CommandContext, bundle: string | undefined, flags: RbacFlags): Promise<number> {
  const engine = await openPolicy(context, bundle);
  if (!engine) return 1;
  const rights = leastRights({ ...engine, notifiers: defaultNotifiers(context) }, catalog);
  context.terminal.out(flags.format === 'json' ? asJson(rights, flags.name) : asText(rights, engine, flags.name));
  return 0;
}

/** Of the configuration where one is named: it may tell somebody of every action. */
function defaultNotifiers({ terminal: { env }, globals }: CommandContext): readonly string[] {
  if (globals.config === undefined && !env.DEFAULT_NOTIFIERS) return [];
  return loadSettings({ configFile: globals.config, rulesFlags: [], env }).default_notifiers;
}

function asJson({ kubernetes, aws, gcp, reaches }: Rights, name: string): string {
  return jsonDocument({ cluster_role: clusterRoleObject(kubernetes, name), aws, gcp, reaches });
}

function asText({ kubernetes, aws, gcp, reaches }: Rights, { revision }: Engine, name: string): string {
  const comments = [
    `The least rights for the rules of revision ${revision}.`,
    ...(kubernetes.length === 0 ? ['They need none in the cluster.'] : []),
    ...aws.map((permission) => `AWS must allow: ${permission}`),
    ...gcp.map((permission) => `Google Cloud must allow: ${permission}`),
    ...reaches.map((what) => `To be reached: ${what}`),
  ];
  return `${comments.map((line) => `# ${line}\n`).join('')}${clusterRole(kubernetes, name)}`;
}

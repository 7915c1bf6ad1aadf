/**
 * The command `server` with the plug-ins of the tests beside the shipped ones, from source: what the built program cannot be
 * given. Takes the flags that the tests use.
 */
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { catalog } from '../src/cli/plugins/catalog.ts';
import { pluginScripts } from '../src/cli/plugins/plugin-scripts.gen.ts';
import { runServer } from '../src/cli/server/server.ts';
import type { Actionner, Catalog } from '../src/model/definition.ts';
import { buildPluginScript } from '../tools/generate/plugin-scripts.ts';
import { freeze } from './plugins/freeze.ts';
import { once } from './plugins/once.ts';

const PLUGINS: Readonly<Record<string, Actionner>> = { freeze, once };

const { values } = parseArgs({
  allowPositionals: true,
  options: {
    config: { type: 'string', short: 'c' },
    rules: { type: 'string', short: 'r', multiple: true, default: [] },
    policies: { type: 'string', short: 'p', multiple: true, default: [] },
  },
});

const scripts = new Map(pluginScripts);
for (const [name, { id }] of Object.entries(PLUGINS)) {
  scripts.set(id, await buildPluginScript(join(import.meta.dirname, 'plugins', `${name}.ts`), name));
}
const withPlugins: Catalog = {
  ...catalog,
  actionners: new Map([...catalog.actionners, ...Object.values(PLUGINS).map((plugin) => [plugin.id, plugin] as const)]),
};

process.exitCode = await runServer({
  configFile: values.config,
  rulesFlags: values.rules,
  policiesFlags: values.policies,
  env: process.env,
  err: (text) => process.stderr.write(text),
  color: false,
  catalog: withPlugins,
  scripts,
});

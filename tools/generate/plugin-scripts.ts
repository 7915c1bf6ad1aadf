import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import type { Catalog } from '../../src/model/definition.ts';
import { codeOnly, cutPlugins, withoutTypes } from '../plugin-source.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** A script for QuickJS: one file, readable names, since stack traces show them. */
const SCRIPT: BuildOptions = {
  absWorkingDir: ROOT,
  bundle: true,
  write: false,
  format: 'iife',
  platform: 'neutral',
  target: 'es2022',
  minifyWhitespace: true,
  minifySyntax: true,
  logLevel: 'warning',
};

/** What begins the code of a plug-in, by the folder that it is in. */
const CALLS = {
  actionners: 'plugin.behaviour.run',
  outputs: 'plugin.behaviour.store',
  // A notice that was taken says nothing.
  notifiers: `(given) => plugin.behaviour.send(given).then(() => ({ status: 'success', output: '', objects: {} }))`,
};
type PluginFolder = keyof typeof CALLS;

/** The code of one plug-in as the sandbox runs it. The file is absolute or from the root of the project. */
export async function buildPluginScript(
  file: string,
  exportName: string,
  folder: PluginFolder = 'actionners',
): Promise<string> {
  const absolute = path.resolve(ROOT, file);
  const code = codeOnly(await withoutTypes(absolute)).replace(/^import .*$/gm, '');
  const looksAtAlert = folder === 'actionners' && /\bevent\b/.test(code);
  const given = looksAtAlert ? '{ ...given, event: readEvent(given.event) }' : 'given';
  const contents = `import { ${exportName} as plugin } from ${JSON.stringify(absolute)};
import { readEvent } from './src/runtime/sandbox/read-event.ts';
const call = ${CALLS[folder]};
__define((given) => call(${given}));`;
  const exactly = new RegExp(`^${absolute.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`);
  return buildScript({
    stdin: { contents, resolveDir: ROOT },
    plugins: [await emptyZod(), unusedFilesGo(), cutPlugins(exactly, codeOnly)],
  });
}

/** The program that stands in every context before the plug-in. */
export async function guestRunner(): Promise<{ readonly path: string; readonly text: string }> {
  const script = await buildScript({ entryPoints: ['src/runtime/sandbox/guest-runner.ts'] });
  const text = `${HEADER}export const GUEST_RUNNER = ${JSON.stringify(script)};\n`;
  return { path: 'src/runtime/sandbox/guest-runner.gen.ts', text };
}

/** The scripts of all plug-ins. */
export async function pluginScripts(catalog: Catalog): Promise<{ readonly path: string; readonly text: string }> {
  const entries = await Promise.all(
    (['actionners', 'outputs', 'notifiers'] as const).flatMap((folder) =>
      [...catalog[folder].values()].map((plugin) => scriptEntry(folder, plugin)),
    ),
  );
  const text = `${HEADER}import type { PluginScripts } from '../../runtime/plugins/execute.ts';

export const pluginScripts: PluginScripts = new Map([\n${entries.join('')}]);\n`;
  return { path: 'src/cli/plugins/plugin-scripts.gen.ts', text };
}

async function scriptEntry(folder: PluginFolder, plugin: { readonly id: string }): Promise<string> {
  const file = `src/${folder}/${plugin.id.replace(':', '/')}.ts`;
  const exported = Object.entries(await import(pathToFileURL(path.join(ROOT, file)).href));
  const name = exported.find(([, value]) => value === plugin)?.[0];
  if (name === undefined) throw new Error(`${file} does not export the plug-in ${plugin.id}`);
  return `  [${JSON.stringify(plugin.id)}, ${JSON.stringify(await buildPluginScript(file, name, folder))}],\n`;
}

const HEADER = '// Made by `npm run generate`. Do not edit.\n';

async function buildScript(options: BuildOptions): Promise<string> {
  const { outputFiles } = await build({ ...SCRIPT, ...options });
  return outputFiles?.[0]?.text ?? '';
}

/** Parameters come to the sandbox decoded, so that the schemas, and with them all of zod, can be anything. */
async function emptyZod(): Promise<Plugin> {
  const names = Object.keys(await import('zod'));
  const contents = `const anything = /* @__PURE__ */ new Proxy(function () {}, { get: () => anything, apply: () => anything });
export { ${names.map((name) => `anything as ${name}`).join(', ')} };`;
  return {
    name: 'empty-zod',
    setup: ({ onResolve, onLoad }) => {
      onResolve({ filter: /^zod$/ }, ({ path: name }) => ({ path: name, namespace: 'empty', sideEffects: false }));
      onLoad({ filter: /.*/, namespace: 'empty' }, () => ({ contents, loader: 'js' }));
    },
  };
}

/** Leaves out the files of which nothing is used: none does anything when it is loaded. */
function unusedFilesGo(): Plugin {
  return {
    name: 'unused-files-go',
    setup: ({ onResolve, resolve }) => {
      onResolve({ filter: /^\./ }, async ({ path: name, pluginData, ...from }) => {
        if (pluginData === 'resolved') return undefined;
        const resolved = await resolve(name, { ...from, pluginData: 'resolved' });
        return { ...resolved, sideEffects: false };
      });
    },
  };
}

import { readFile } from 'node:fs/promises';
import {
  type Expression,
  type Identifier,
  type Node,
  type ObjectExpression,
  type Property,
  parse,
  type VariableDeclaration,
} from 'acorn';
import { type Plugin, transform } from 'esbuild';

/**
 * Cuts plug-ins in two: the server gets their declarations, the sandbox their code. A plug-in is the object that is handed to
 * `defineActionner`, `defineOutput` or `defineNotifier`.
 */
const DEFINES = /^define(Actionner|Output|Notifier)$/;
/** The members that are code of the sandbox. */
const CODE = ['run', 'store', 'send'];

/** Plug-in files, as esbuild sees them. */
export const PLUGIN_FILES = /\/src\/(actionners|outputs|notifiers)\/.*\.ts$/;

/** The plug-in with its code replaced by a stub: whatever the server does, it cannot run it. */
export function declarationsOnly(source: string): string {
  return edit(source, (member) =>
    CODE.includes(nameOf(member))
      ? `${nameOf(member)}() { throw new Error('plug-ins run in the sandbox alone'); }`
      : true,
  );
}

/** The plug-in with nothing but its code. */
export function codeOnly(source: string): string {
  return withoutUnused(edit(source, (member) => CODE.includes(nameOf(member))));
}

/** Without the constants that nothing uses any more. A bundler keeps them, because making them could do something. */
function withoutUnused(source: string): string {
  const program = parseModule(source);
  const unused = program.body.find((statement) => {
    const name = constantName(statement);
    return name !== undefined && identifiers(program, name) === 1;
  });
  return unused ? withoutUnused(source.slice(0, unused.start) + source.slice(unused.end)) : source;
}

function constantName(statement: Node): string | undefined {
  const { type, declarations } = statement as VariableDeclaration;
  const [first, ...others] = type === 'VariableDeclaration' ? declarations : [];
  return others.length === 0 && first?.id.type === 'Identifier' ? first.id.name : undefined;
}

/** How often the name stands for a variable below the node. */
function identifiers(node: unknown, name: string): number {
  if (typeof node !== 'object' || node === null) return 0;
  if ('type' in node && node.type === 'Identifier') return (node as Identifier).name === name ? 1 : 0;
  const named = 'computed' in node && node.computed === false;
  return Object.entries(node)
    .filter(([field]) => !(named && (field === 'key' || field === 'property')))
    .reduce((sum, [, inner]) => sum + identifiers(inner, name), 0);
}

/** Applies one of the two to the files that match. */
export function cutPlugins(filter: RegExp, cut: (source: string) => string): Plugin {
  return {
    name: 'cut-plugins',
    setup: ({ onLoad }) => {
      onLoad({ filter }, async ({ path }) => ({ contents: cut(await withoutTypes(path)), loader: 'js' }));
    },
  };
}

/** The JavaScript of a TypeScript file. */
export async function withoutTypes(file: string): Promise<string> {
  const { code } = await transform(await readFile(file, 'utf8'), { loader: 'ts', target: 'es2022' });
  return code;
}

function parseModule(source: string) {
  return parse(source, { ecmaVersion: 'latest', sourceType: 'module' });
}

/** What becomes of a member: another text, or whether it stays. `behaviour` always stays, with its members cut likewise. */
type Cut = (member: Property) => string | boolean;

function edit(source: string, cut: Cut): string {
  const objects = definitions(parseModule(source));
  return objects.reduceRight(
    (text, object) => text.slice(0, object.start) + print(source, object, cut) + text.slice(object.end),
    source,
  );
}

function print(source: string, object: ObjectExpression, cut: Cut): string {
  const members = object.properties.flatMap((member) => {
    const text = source.slice(member.start, member.end);
    if (member.type !== 'Property') return [text];
    if (nameOf(member) === 'behaviour' && member.value.type === 'ObjectExpression') {
      return [`behaviour: ${print(source, member.value, cut)}`];
    }
    const result = cut(member);
    return typeof result === 'string' ? [result] : result ? [text] : [];
  });
  return `{ ${members.join(',\n')} }`;
}

function nameOf({ key }: Property): string {
  return key.type === 'Identifier' ? key.name : key.type === 'Literal' ? String(key.value) : '';
}

/** The objects that are handed to a `define...`, in their order. */
function definitions(node: unknown): readonly ObjectExpression[] {
  if (Array.isArray(node)) return node.flatMap(definitions);
  if (typeof node !== 'object' || node === null || !('type' in node)) return [];
  const object = definition(node as Expression);
  return object ? [object] : Object.values(node as Node).flatMap(definitions);
}

function definition(node: Expression): ObjectExpression | undefined {
  if (node.type !== 'CallExpression' || node.callee.type !== 'Identifier') return undefined;
  const [argument] = node.arguments;
  return DEFINES.test(node.callee.name) && argument?.type === 'ObjectExpression' ? argument : undefined;
}

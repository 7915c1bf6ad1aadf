import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkLayers } from './layers.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'layers-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function plant(file: string, text: string): void {
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  writeFileSync(path.join(root, file), text);
}

test('the project keeps its own import rules', () => {
  expect(checkLayers(path.resolve(import.meta.dirname, '..'))).toEqual([]);
});

test('a compiler that imports the runtime is found, also through a dynamic or a re-exporting import', () => {
  plant('src/compiler/parse.ts', "import { a } from '../model/rule.ts';\nimport { b } from '../runtime/server.ts';\n");
  plant('src/compiler/lower.ts', "export const c = () => import('../cli/wire.ts');\n");
  plant('src/compiler/link.ts', "export {\n  d,\n} from '../platform/kube/client.ts';\n");
  expect(checkLayers(root).map(({ file, imports }) => [file, imports])).toEqual([
    ['src/compiler/link.ts', '../platform/kube/client.ts'],
    ['src/compiler/lower.ts', '../cli/wire.ts'],
    ['src/compiler/parse.ts', '../runtime/server.ts'],
  ]);
});

test('a plug-in may import zod and the model, but no node module, package or other plug-in kind', () => {
  plant(
    'src/actionners/kubernetes/label.ts',
    "import { z } from 'zod';\nimport type { PodRef } from '../../model/references.ts';\nimport fs from 'node:fs';\nimport { s3 } from '../../outputs/aws/s3.ts';\n",
  );
  expect(checkLayers(root).map(({ imports }) => imports)).toEqual(['node:fs', '../../outputs/aws/s3.ts']);
});

test('a folder that is not in the table is refused, the wiring may import everything', () => {
  plant('src/helpers/text.ts', "import '../model/rule.ts';\n");
  plant('src/cli/server/wire.ts', "import { server } from '../runtime/server.ts';\nimport fastify from 'fastify';\n");
  expect(checkLayers(root).map(({ file }) => file)).toEqual(['src/helpers/text.ts']);
});

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { TalonError } from '../../model/talon-error.ts';
import { fileProblem } from '../read-file.ts';

const FORMATS = ['.yaml', '.yml', '.json'];
/** Formats that Falco Talon reads too and nobody documents. */
const OTHER_FORMATS = ['.toml', '.hcl', '.tfvars', '.dotenv', '.env', '.ini', '.properties', '.props', '.prop'];

/** A mapping of the configuration file. Keys are in lower case at every depth. */
export interface ConfigMap {
  readonly [key: string]: unknown;
}

/**
 * Reads a configuration file, YAML or JSON by its extension.
 *
 * @throws TalonError('config') in Falco Talon's words
 */
export function readConfigFile(file: string): ConfigMap {
  const extension = path.extname(file).toLowerCase();
  if (OTHER_FORMATS.includes(extension))
    throw unreadable(`the format '${extension}' is not supported, use YAML or JSON`);
  if (!FORMATS.includes(extension)) throw unreadable(`Unsupported Config Type "${extension.slice(1)}"`);
  return parseConfig(readText(file));
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw unreadable(`open ${file}: ${fileProblem(error)}`, error);
  }
}

function parseConfig(text: string): ConfigMap {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, merge: true, prettyErrors: false });
  const [error] = document.errors;
  if (error) {
    const { line, col } = lines.linePos(error.pos[0]);
    throw unreadable(`While parsing config: yaml: line ${line}, column ${col}: ${error.message}`);
  }
  const root = toPlain(() => document.toJS({ maxAliasCount: 100 }));
  if (root === null) return {};
  if (!isConfigMap(root)) throw unreadable('While parsing config: yaml: the file is not a mapping of keys to values');
  return lowerKeys(root);
}

function toPlain(convert: () => unknown): unknown {
  try {
    return convert();
  } catch (error) {
    throw unreadable(`While parsing config: yaml: ${(error as Error).message}`, error);
  }
}

function lowerKeys(map: ConfigMap): ConfigMap {
  const entries = Object.entries(map).map(([key, value]) => [
    key.toLowerCase(),
    isConfigMap(value) ? lowerKeys(value) : value,
  ]);
  return Object.fromEntries(entries) as ConfigMap;
}

/** Whether a value of the configuration is a mapping. */
export function isConfigMap(value: unknown): value is ConfigMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unreadable(reason: string, cause?: unknown): TalonError {
  return new TalonError('config', `error when reading config file: '${reason}'`, { cause });
}

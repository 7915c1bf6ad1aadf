import type { ASTNode } from '@marcbachmann/cel-js';
import { childrenOf, MACROS, type VocabularyFault } from './condition-vocabulary.ts';

/**
 * What a value of a guard is made of: nothing that can be read further, members of which some may be missing, a map whose
 * keys may all be missing, or parameters: maps of maps.
 */
type Shape = 'value' | 'parameters' | { readonly entries: Shape } | Members;
interface Members {
  readonly members: Readonly<Record<string, Shape>>;
  readonly optional?: readonly string[];
}

const TEXTS: Shape = { entries: 'value' };
const NODE: Shape = { members: { labels: TEXTS } };

/** The variables of guards. Members that are not listed are plain values that are always there. */
const ROOTS: Readonly<Record<string, Shape>> = {
  event: { members: { output_fields: TEXTS } },
  rule: { members: {} },
  action: { members: { parameters: 'parameters' } },
  target: { members: { labels: TEXTS, owner: { members: {} }, node: NODE }, optional: ['owner', 'node'] },
  now: 'value',
  counts: { members: {} },
};

/** The names of the variables. */
const GUARD_VARIABLES: readonly string[] = Object.keys(ROOTS);

/** Paths of what is known to be there; `anything` in a part that is never evaluated. */
type Known = ReadonlySet<string> | 'anything';

/** What is known once an expression turned out true, or false. */
interface Outcome {
  readonly yes: Known;
  readonly no: Known;
}

/** A value reached from a variable by members and keys. */
interface Reached {
  readonly path: string;
  readonly shape: Shape;
  /** Whether it may be missing, even though what it is a part of is there. */
  readonly optional: boolean;
}

/**
 * Finds what an expression reads that may be missing, where nothing before it says that it is there: `has(x)` or `key in
 * map` on every way through `&&`, `||`, `?:` and `!`. Without that an alert that leaves a field out would make a guard
 * fail. Refused as well is what cannot be looked after: elements of lists, and parts of values whose type the alert chooses.
 */
export function missingPresence(root: ASTNode): readonly VocabularyFault[] {
  const checker = new PresenceChecker();
  checker.visit(root, new Set());
  return checker.faults;
}

class PresenceChecker {
  readonly faults: VocabularyFault[] = [];

  /** Checks an expression, with what is known before it. */
  visit(node: ASTNode, known: Known): Outcome {
    switch (node.op) {
      case 'value':
        return {
          yes: node.args === false ? 'anything' : known,
          no: node.args === true ? 'anything' : known,
        };
      case '!_': {
        const { yes, no } = this.visit(node.args, known);
        return { yes: no, no: yes };
      }
      case '&&': {
        const left = this.visit(node.args[0], known);
        const right = this.visit(node.args[1], left.yes);
        return { yes: right.yes, no: common(left.no, right.no) };
      }
      case '||': {
        const left = this.visit(node.args[0], known);
        const right = this.visit(node.args[1], left.no);
        return { yes: common(left.yes, right.yes), no: right.no };
      }
      case '?:': {
        const condition = this.visit(node.args[0], known);
        const chosen = this.visit(node.args[1], condition.yes);
        const other = this.visit(node.args[2], condition.no);
        return { yes: common(chosen.yes, other.yes), no: common(chosen.no, other.no) };
      }
      default:
        return this.#test(node, known) ?? this.#plain(node, known);
    }
  }

  /** `has(x)` and `key in map`, which tell that something is there. */
  #test(node: ASTNode, known: Known): Outcome | undefined {
    if (node.op === 'call' && node.args[0] === 'has') {
      const wanted = node.args[1][0];
      if (wanted?.op !== '.') return undefined;
      const reached = this.#member(wanted, known);
      return { yes: reached ? plus(known, reached.path) : known, no: known };
    }
    if (node.op !== 'in') return undefined;
    const [key, range] = node.args;
    this.visit(key, known);
    const map = this.#read(range, known);
    const name = keyName(key);
    if (!map || entryShape(map.shape) === undefined || name === undefined) return { yes: known, no: known };
    return { yes: plus(known, `${map.path}${name}`), no: known };
  }

  #plain(node: ASTNode, known: Known): Outcome {
    if (node.op === 'rcall' && MACROS.has(node.args[0])) this.#macro(node.args[1], node.args[2], known);
    else if (node.op === '.' || node.op === '[]' || node.op === 'id') this.#read(node, known);
    else if (node.op === '.?' || node.op === '[?]') this.#add(node, 'optional access is no part of guards');
    else for (const child of childrenOf(node)) this.visit(child, known);
    return { yes: known, no: known };
  }

  #macro(range: ASTNode, [variable, ...body]: readonly ASTNode[], known: Known): void {
    const map = this.#read(range, known);
    if (variable?.op !== 'id') return;
    if (GUARD_VARIABLES.includes(variable.args)) {
      this.#add(variable, `a macro cannot name its variable \`${variable.args}\``);
      return;
    }
    const name = keyOfVariable(variable.args);
    const before = known === 'anything' ? known : new Set([...known].filter((path) => !path.includes(name)));
    const overKeys = map !== undefined && entryShape(map.shape) !== undefined && !map.path.includes(name);
    const inside = overKeys ? plus(before, `${map.path}${name}`) : before;
    for (const part of body) this.visit(part, inside);
  }

  /** Checks a value that is read; tells which one it is, if it is reached from a variable. */
  #read(node: ASTNode, known: Known): Reached | undefined {
    if (node.op === 'id') {
      const shape = Object.hasOwn(ROOTS, node.args) ? ROOTS[node.args] : undefined;
      return shape && { path: node.args, shape, optional: false };
    }
    if (node.op !== '.' && node.op !== '[]') {
      this.visit(node, known);
      return undefined;
    }
    const reached = this.#member(node, known);
    if (reached?.optional && !isKnown(known, reached.path)) {
      this.#add(node, `\`${textOf(node)}\` may be missing`);
    }
    return reached;
  }

  /** Checks what a member belongs to, and its key. */
  #member(node: Extract<ASTNode, { op: '.' | '[]' }>, known: Known): Reached | undefined {
    const owner = this.#read(node.args[0], known);
    if (node.op === '[]') this.visit(node.args[1], known);
    const found = owner && partOf(owner.shape, node);
    if (!found) this.#add(node, `\`${textOf(node)}\` reads a part of a value that may have none`);
    const name = node.op === '.' ? keyOfText(node.args[1]) : keyName(node.args[1]);
    if (found && name === undefined) this.#add(node, 'a key is a text in the expression, or the variable of a macro');
    return found && name !== undefined ? { ...found, path: `${owner.path}${name}` } : undefined;
  }

  #add(node: ASTNode, message: string): void {
    this.faults.push({ message, node });
  }
}

/** What is read of a value of some shape; undefined where it may have no parts. */
function partOf(shape: Shape, { op, args }: Extract<ASTNode, { op: '.' | '[]' }>): Omit<Reached, 'path'> | undefined {
  const entry = entryShape(shape);
  if (entry !== undefined) return { shape: entry, optional: true };
  const key = op === '.' ? args[1] : args[1].op === 'value' ? args[1].args : undefined;
  if (typeof shape !== 'object' || !('members' in shape) || typeof key !== 'string') return undefined;
  const member = Object.hasOwn(shape.members, key) ? shape.members[key] : undefined;
  return { shape: member ?? 'value', optional: shape.optional?.includes(key) ?? false };
}

/** What the entries of a map are; undefined for what is no map. */
function entryShape(shape: Shape): Shape | undefined {
  if (shape === 'parameters') return shape;
  return typeof shape === 'object' && 'entries' in shape ? shape.entries : undefined;
}

/** A step of a path. Two keys have the same step only if they are the same, whatever they contain. */
function keyName(key: ASTNode): string | undefined {
  if (key.op === 'value' && typeof key.args === 'string') return keyOfText(key.args);
  return key.op === 'id' && !GUARD_VARIABLES.includes(key.args) ? keyOfVariable(key.args) : undefined;
}

function keyOfText(text: string): string {
  return `[${JSON.stringify(text)}]`;
}

/** Brackets in texts stand between quotes, so that no text looks like this. */
function keyOfVariable(name: string): string {
  return `[${name}]`;
}

function textOf(node: ASTNode): string {
  return node.input.slice(node.start, node.end);
}

function isKnown(known: Known, path: string): boolean {
  return known === 'anything' || known.has(path);
}

function plus(known: Known, path: string): Known {
  return known === 'anything' ? known : new Set([...known, path]);
}

function common(left: Known, right: Known): Known {
  if (left === 'anything') return right;
  if (right === 'anything') return left;
  return new Set([...left].filter((path) => right.has(path)));
}

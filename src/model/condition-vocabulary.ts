import type { ASTNode } from '@marcbachmann/cel-js';

/** An objection to a part of an expression. */
export interface VocabularyFault {
  readonly message: string;
  readonly node: ASTNode;
}

/** The functions of conditions. What the CEL library has beyond them is refused: it would parse what alerts contain. */
const FUNCTIONS = new Set([
  ...['has', 'size', 'type', 'dyn', 'string', 'int', 'uint', 'double', 'bool', 'timestamp', 'duration'],
  ...['startsWith', 'endsWith', 'contains', 'matches', 'indexOf', 'lastIndexOf', 'substring', 'split', 'join'],
  ...['lowerAscii', 'upperAscii', 'trim'],
  ...['getFullYear', 'getMonth', 'getDate', 'getDayOfMonth', 'getDayOfWeek', 'getDayOfYear'],
  ...['getHours', 'getMinutes', 'getSeconds', 'getMilliseconds'],
  ...['all', 'exists', 'exists_one', 'filter', 'map'],
]);

/** Macros that run an expression for each element. */
export const MACROS = new Set(['all', 'exists', 'exists_one', 'filter', 'map']);

/** Searches. What they search for has to stand in the rule. */
const SEARCHES = new Set(['contains', 'indexOf', 'lastIndexOf', 'split', 'matches']);

/** Parts of a time. They take a time zone, by its name. */
export const TIME_PARTS = /^get(?:FullYear|Month|Date|DayOf(?:Month|Week|Year)|Hours|Minutes|Seconds|Milliseconds)$/;

/** Variables of macros around a part of an expression, and whether the macro runs over a list that stands in the rule. */
type Scope = ReadonlyMap<string, 'literal' | 'alert'>;

/**
 * Checks what the type checker of the library does not: that only functions of the vocabulary are used, and that the time
 * of an evaluation grows in proportion to the size of the alert, whatever an attacker puts in it. For that a search looks
 * for a text of the rule, and a macro over data of the alert reads nothing but its own variable.
 */
export function checkVocabulary(root: ASTNode): VocabularyFault | undefined {
  return check(root, new Map());
}

function check(node: ASTNode, scope: Scope): VocabularyFault | undefined {
  return checkNode(node, scope) ?? checkChildren(node, scope);
}

function checkNode(node: ASTNode, scope: Scope): VocabularyFault | undefined {
  switch (node.op) {
    case 'id':
      return checkName(node, node.args, scope);
    case '.':
      return checkDottedField(node);
    case 'call':
      return FUNCTIONS.has(node.args[0]) ? undefined : unknownFunction(node, node.args[0]);
    case 'rcall':
      if (!FUNCTIONS.has(node.args[0])) return unknownFunction(node, node.args[0]);
      return (
        checkDottedField(node.args[1]) ??
        checkSearch(node.args[0], node.args[2], scope) ??
        checkTimeZone(node.args[0], node.args[2])
      );
    default:
      return undefined;
  }
}

function unknownFunction(node: ASTNode, name: string): VocabularyFault {
  return { message: `unknown function \`${name}\``, node };
}

/** Inside a macro over data of the alert, `event` and the variables of outer such macros are out of sight. */
function checkName(node: ASTNode, name: string, scope: Scope): VocabularyFault | undefined {
  const alertVariables = [...scope.keys()].filter((variable) => scope.get(variable) === 'alert');
  if (alertVariables.length === 0 || name === alertVariables.at(-1)) return undefined;
  if (name !== 'event' && !alertVariables.includes(name)) return undefined;
  return { message: `\`${name}\` cannot be read inside a macro that runs over data of the alert`, node };
}

/** `event.output_fields.proc.name` reads a field `proc`, which is never what was meant. */
function checkDottedField(node: ASTNode): VocabularyFault | undefined {
  if (node.op !== '.' || node.args[0].op !== '.') return undefined;
  const [object, key] = node.args[0].args;
  if (object.op !== '.' || object.args[1] !== 'output_fields' || object.args[0].op !== 'id') return undefined;
  const name = `${key}.${node.args[1]}`;
  return { message: `a field with a dot in its name is read as \`event.output_fields["${name}"]\``, node };
}

function checkSearch(name: string, args: readonly ASTNode[], scope: Scope): VocabularyFault | undefined {
  const wanted = args[0];
  if (!SEARCHES.has(name) || !wanted || wanted.op === 'value') return undefined;
  const listed = wanted.op === 'id' && scope.get(wanted.args) === 'literal';
  if (listed && name !== 'matches') return undefined;
  return { message: `the argument of \`${name}\` must be a text in the expression`, node: wanted };
}

/** Which zones can be written as an offset depends on the version of Node, so none can. */
function checkTimeZone(name: string, args: readonly ASTNode[]): VocabularyFault | undefined {
  const zone = args[0];
  if (!TIME_PARTS.test(name) || !zone) return undefined;
  if (zone.op === 'value' && typeof zone.args === 'string' && /^[A-Za-z]/.test(zone.args)) return undefined;
  return {
    message: `the time zone of \`${name}\` must be a name in the expression, such as "Europe/Berlin"`,
    node: zone,
  };
}

function checkChildren(node: ASTNode, scope: Scope): VocabularyFault | undefined {
  if (node.op === 'rcall' && MACROS.has(node.args[0])) return checkMacro(node.args[1], node.args[2], scope);
  return firstFault(childrenOf(node), scope);
}

function checkMacro(range: ASTNode, args: readonly ASTNode[], scope: Scope): VocabularyFault | undefined {
  const [variable, ...body] = args;
  const fault = check(range, scope);
  if (fault || variable?.op !== 'id') return fault;
  if (variable.args === 'event') return { message: 'a macro cannot name its variable `event`', node: variable };
  const inner = new Map(scope);
  inner.delete(variable.args);
  inner.set(variable.args, isLiteralList(range) ? 'literal' : 'alert');
  return firstFault(body, inner);
}

function firstFault(nodes: readonly ASTNode[], scope: Scope): VocabularyFault | undefined {
  for (const node of nodes) {
    const fault = check(node, scope);
    if (fault) return fault;
  }
  return undefined;
}

function isLiteralList(node: ASTNode): boolean {
  return node.op === 'list' && node.args.every((item) => item.op === 'value');
}

/** The parts of an expression that are expressions. */
export function childrenOf(node: ASTNode): readonly ASTNode[] {
  switch (node.op) {
    case 'value':
    case 'id':
      return [];
    case '.':
    case '.?':
      return [node.args[0]];
    case 'call':
      return node.args[1];
    case 'rcall':
      return [node.args[1], ...node.args[2]];
    case 'map':
      return node.args.flat();
    case '!_':
    case '-_':
      return [node.args];
    default:
      return node.args;
  }
}

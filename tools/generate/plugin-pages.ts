import { permissionsOf } from '../../src/cli/plugins/permissions-text.ts';
import { type ParameterRow, parameterRows } from '../../src/cli/plugins/plugin-parameters.ts';
import type { Door } from '../../src/model/capability.ts';
import type { Actionner, Catalog, Notifier, Output } from '../../src/model/definition.ts';
import { DOORS, reaches } from '../../src/model/doors.ts';
import { fenced, page, table } from './markdown.ts';

/** The page of the actionners: an overview, then each with its parameters, rights and an example. */
export function actionnersPage({ actionners }: Catalog): string {
  const all = [...actionners.values()];
  return page(
    '# Actionners',
    'What a rule can do. An action names one of them as `category:name`; names of parameters are matched in any case.',
    table(
      ['Actionner', 'What it does', 'Next action runs', 'Output'],
      all.map(({ id, description, artifact, continue: goesOn }) => {
        return [`[\`${id}\`](#${anchor(id)})`, description, goesOn ? 'yes' : 'no', OUTPUT_WORDS[artifact]];
      }),
    ),
    '"Next action runs" is the default of `continue`. Actionners with an output make a file: "needed" ones must be told where it goes.',
    ...all.map(actionnerSection),
  );
}

const OUTPUT_WORDS = { none: '', optional: 'possible', required: 'needed' } as const;

function actionnerSection(actionner: Actionner): string {
  const { id, description, sources, usesContext, requires, parameters, example, behaviour } = actionner;
  const facts = [
    `Meant for the source${sources.length > 1 ? 's' : ''} ${sources.map(code).join(', ')}.`,
    requires.length > 0
      ? `The alert must have ${requires.map((keys) => keys.map(code).join(' or ')).join(', and ')}.`
      : '',
    usesContext ? 'It uses `additional_contexts`.' : '',
  ];
  return [
    `## \`${id}\``,
    `${description}. ${facts.filter(Boolean).join(' ')}`,
    parametersTable('Parameter', parameterRows(parameters)),
    fenced('yaml', example),
    rightsOf(behaviour),
  ]
    .filter(Boolean)
    .join('\n\n');
}

function rightsOf({ uses, idempotent, deadline }: NonNullable<Actionner['behaviour']>): string {
  const again = idempotent
    ? 'It may be run again after an interruption.'
    : 'It is not run again after an interruption.';
  return [`One try of it may take ${deadline} s. ${again}`, doorsOf(uses)].join('\n\n');
}

/** The doors with what they cost: what somebody must allow, and what must be reached. */
function doorsOf(uses: readonly Door[]): string {
  const doors = table(
    ['Door', 'Changes something'],
    uses.map((door) => [code(door), DOORS[door].effect ? 'yes' : 'no']),
  );
  const permissions = permissionsOf(uses).flatMap(({ by, language, text }) => [
    `What ${by} must allow:`,
    fenced(language, text),
  ]);
  const reached = reaches(uses).map((what) => `To be reached: ${what}.`);
  return [doors, ...permissions, ...reached].join('\n\n');
}

/** The page of the outputs. */
export function outputsPage({ outputs }: Catalog): string {
  return page(
    '# Outputs',
    'Where the file goes that an actionner makes. An action names one of them as `output.target`.',
    ...[...outputs.values()].map(outputSection),
  );
}

function outputSection({ id, description, parameters, example, behaviour }: Output): string {
  return [
    `## \`${id}\``,
    `${description}.`,
    parametersTable('Parameter', parameterRows(parameters)),
    fenced('yaml', example),
    `One try to store may take ${behaviour.deadline} s.`,
    doorsOf(behaviour.uses),
    ...(behaviour.extraRights ?? []).map(
      ({ grant, wantedBy }) => `With ${wantedBy} it also needs ${code(grant.permission)}.`,
    ),
  ].join('\n\n');
}

/** The page of the notifiers. */
export function notifiersPage({ notifiers }: Catalog): string {
  return page(
    '# Notifiers',
    'Who is told of what was done. Their settings stand in the configuration under `notifiers`; rules and `default_notifiers` name them.',
    ...[...notifiers.values()].map(notifierSection),
  );
}

function notifierSection({ id, description, settings, example, behaviour }: Notifier): string {
  return [
    `## \`${id}\``,
    `${description}.`,
    parametersTable('Setting', parameterRows(settings)),
    fenced('yaml', example),
    `One try to send may take ${behaviour.deadline} s.`,
    doorsOf(behaviour.uses),
  ]
    .filter(Boolean)
    .join('\n\n');
}

function parametersTable(title: string, rows: readonly ParameterRow[]): string {
  if (rows.length === 0) return `No ${title.toLowerCase()}s.`;
  return table(
    [title, 'Type', 'Default', 'Meaning'],
    rows.map((row) => [code(row.name), row.type, row.required ? 'required' : defaultText(row.default), meaning(row)]),
  );
}

function meaning({ description, aliases }: ParameterRow): string {
  return aliases.length > 0 ? `${description} (also ${aliases.map(code).join(', ')})` : description;
}

function defaultText(value: unknown): string {
  return value === '' || JSON.stringify(value) === '[]' || JSON.stringify(value) === '{}' ? '' : code(plain(value));
}

function plain(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function code(text: string): string {
  return `\`${text}\``;
}

/** How Markdown renderers name the heading of an id. */
function anchor(id: string): string {
  return id.replaceAll(':', '');
}

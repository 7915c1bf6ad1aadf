import type { Actionner } from '../../model/definition.ts';
import { catalog } from './catalog.ts';
import { type ListFormat, listDocument, listedParameters } from './list-document.ts';
import { permissionsText } from './permissions-text.ts';
import { parameterRows } from './plugin-parameters.ts';

/** All actionners, in Falco Talon's order. */
export function actionnersList(format: ListFormat): string {
  const actionners = [...catalog.actionners.values()];
  if (format === 'json') return `${JSON.stringify(actionners.map(asJson), null, 2)}\n`;
  return actionners.map(asText).join('');
}

function asText(actionner: Actionner): string {
  const [category, name] = actionner.id.split(':');
  return listDocument(actionner.id, {
    parameters: listedParameters(actionner.parameters),
    name,
    category,
    description: actionner.description,
    source: actionner.sources.join(', '),
    permissions: permissions(actionner),
    example: actionner.example,
    required_output_fields: actionner.requires.map((keys) => keys.join(' / ')),
    continue: actionner.continue,
    use_context: actionner.usesContext,
    allow_output: actionner.artifact === 'optional',
    require_output: actionner.artifact === 'required',
  });
}

function asJson(actionner: Actionner) {
  const [category, name] = actionner.id.split(':');
  return {
    id: actionner.id,
    name,
    category,
    description: actionner.description,
    sources: actionner.sources,
    parameters: parameterRows(actionner.parameters),
    doors: actionner.behaviour.uses,
    idempotent: actionner.behaviour.idempotent,
    deadline: actionner.behaviour.deadline,
    permissions: permissions(actionner),
    example: actionner.example,
    required_output_fields: actionner.requires,
    continue: actionner.continue,
    use_context: actionner.usesContext,
    allow_output: actionner.artifact === 'optional',
    require_output: actionner.artifact === 'required',
  };
}

/** The rights of its doors. */
function permissions({ behaviour }: Actionner): string | undefined {
  return permissionsText(behaviour.uses);
}

import { catalog } from './catalog.ts';
import { type ListFormat, listDocument, listedParameters } from './list-document.ts';
import { permissionsText } from './permissions-text.ts';
import { parameterRows } from './plugin-parameters.ts';

/** All outputs, in Falco Talon's order. */
export function outputsList(format: ListFormat): string {
  const outputs = [...catalog.outputs.values()].map(({ id, description, parameters, example, behaviour }) => {
    const [category, name] = id.split(':');
    const permissions = permissionsText(behaviour.uses);
    return { id, name, category, description, parameters, permissions, example };
  });
  if (format === 'json') {
    const entries = outputs.map((output) => ({ ...output, parameters: parameterRows(output.parameters) }));
    return `${JSON.stringify(entries, null, 2)}\n`;
  }
  return outputs
    .map(({ id, ...output }) => listDocument(id, { ...output, parameters: listedParameters(output.parameters) }))
    .join('');
}

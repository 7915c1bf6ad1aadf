import { catalog } from './catalog.ts';
import { type ListFormat, listDocument, listedParameters } from './list-document.ts';
import { permissionsText } from './permissions-text.ts';
import { parameterRows } from './plugin-parameters.ts';

/** All notifiers, in Falco Talon's order. */
export function notifiersList(format: ListFormat): string {
  const notifiers = [...catalog.notifiers.values()];
  if (format === 'json') {
    const entries = notifiers.map(({ id, description, settings, example, behaviour }) => {
      const permissions = permissionsText(behaviour.uses);
      return { id, name: id, description, parameters: parameterRows(settings), permissions, example };
    });
    return `${JSON.stringify(entries, null, 2)}\n`;
  }
  return notifiers
    .map(({ id, description, settings, example, behaviour }) => {
      const parameters = listedParameters(settings);
      const listed = Object.keys(parameters).length > 0 ? { parameters } : {};
      const permissions = permissionsText(behaviour.uses);
      return listDocument(id, { name: id, description, ...listed, permissions, example });
    })
    .join('');
}

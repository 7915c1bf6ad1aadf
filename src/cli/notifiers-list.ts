import { catalog } from './catalog.ts';
import { type ListFormat, listDocument, listedParameters } from './list-document.ts';
import { parameterRows } from './plugin-parameters.ts';

/** All notifiers, in Falco Talon's order. */
export function notifiersList(format: ListFormat): string {
  const notifiers = [...catalog.notifiers.values()];
  if (format === 'json') {
    const entries = notifiers.map(({ id, description, settings, example }) => {
      return { id, name: id, description, parameters: parameterRows(settings), example };
    });
    return `${JSON.stringify(entries, null, 2)}\n`;
  }
  return notifiers
    .map(({ id, description, settings, example }) => {
      const parameters = listedParameters(settings);
      const listed = Object.keys(parameters).length > 0 ? { parameters } : {};
      return listDocument(id, { name: id, description, ...listed, example });
    })
    .join('');
}

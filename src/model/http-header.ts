const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Printable characters of Latin-1, and the tab. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** How a message is carried is not for a rule to say: two sides that disagree about it can be made to mix up requests. */
const CARRIAGE = new Set([
  ...['connection', 'content-length', 'expect', 'host', 'keep-alive', 'proxy-authorization', 'proxy-connection'],
  ...['te', 'trailer', 'transfer-encoding', 'upgrade'],
]);

/** Why a request cannot have such a header; undefined when it can. Values are never shown. */
export function headerProblem(name: string, value: string): string | undefined {
  if (!NAME.test(name)) return 'a header has a name that cannot be one';
  if (CARRIAGE.has(name.toLowerCase())) return `the header '${name}' cannot be set`;
  return VALUE.test(value)
    ? undefined
    : `the header '${name}' has a line break or another character that headers cannot have`;
}

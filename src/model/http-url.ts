/** There wherever declarations are read; where plug-ins are compiled, no types of it are. */
declare const URL: { canParse(text: string): boolean };

/** What is written like one: the scheme, a host, no space. */
export const HTTP_URL = /^https?:\/\/[^\s/?#\\]+\S*$/i;

/** Whether a text is a URL that a request can be sent to: its host and its port can be some. */
export function isHttpUrl(text: string): boolean {
  return HTTP_URL.test(text) && URL.canParse(text);
}

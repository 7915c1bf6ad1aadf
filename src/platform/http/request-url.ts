import { DoorError } from '../../model/door-error.ts';

/** What would lead out of a path, or means something else than it looks like. */
const LEADS_ELSEWHERE = /[\\\s\p{Cc}#]|(^|\/)(\.|%2e){1,2}(?=\/|\?|$)/iu;

/**
 * The URL of a request: that of the endpoint, with a path below it. The query of the endpoint stays unless the path has one.
 *
 * @param base the configured URL
 * @throws DoorError of code `refused` for what is no URL, or a path that leads elsewhere. It shows neither.
 */
export function requestUrl(base: string, path: string | undefined): URL {
  const url = URL.canParse(base) ? new URL(base) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) throw new DoorError('refused', 'invalid url');
  url.hash = '';
  if (path === undefined) return url;
  if (!path.startsWith('/') || LEADS_ELSEWHERE.test(path)) {
    throw new DoorError('refused', 'the path of the request leads elsewhere than below the configured url');
  }
  const [, before = '', query = url.search] = /^([^?]*)(\?.*)?$/s.exec(path) ?? [];
  const below = new URL(url);
  below.pathname = url.pathname.replace(/\/+$/, '') + before;
  below.search = query;
  return below;
}

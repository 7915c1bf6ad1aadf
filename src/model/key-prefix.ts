/**
 * The prefix of the keys in a bucket, for all stores alike: without slashes around it, and with one behind it unless it is
 * empty. Falco Talon's outputs differ in this; where a prefix is set without slashes they agree.
 */
export function keyPrefix(given: string): string {
  let start = 0;
  let end = given.length;
  while (start < end && given[start] === '/') start++;
  while (end > start && given[end - 1] === '/') end--;
  const prefix = given.slice(start, end);
  return prefix && `${prefix}/`;
}

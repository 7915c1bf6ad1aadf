import type { ArtifactFacts } from '../model/capability.ts';
import type { ArtifactTarget } from '../model/targets.ts';

/** Bytes: S3 takes 2,048 of all names and values together. */
const MOST_BYTES = 1_900;
/** Characters, before what is not ASCII is written as more of them. */
const LONGEST_VALUE = 200;

/**
 * What is stored beside an artifact, in the form that all stores take: names of lower case letters, digits and hyphens, values
 * of printable ASCII in which everything else stands as in a URL. The sum of the content is always there and comes first;
 * what does not fit any more is left out.
 */
export function objectMetadata(facts: ArtifactFacts, { sha256 }: ArtifactTarget): Readonly<Record<string, string>> {
  const metadata: Record<string, string> = { sha256 };
  let bytes = 'sha256'.length + sha256.length;
  for (const [name, value] of Object.entries(facts)) {
    const header =
      name
        .toLowerCase()
        .match(/[a-z0-9]+/g)
        ?.join('-') ?? '';
    const text = printable(value);
    bytes += header.length + text.length;
    if (bytes > MOST_BYTES) break;
    if (header !== '' && text !== '' && !Object.hasOwn(metadata, header)) metadata[header] = text;
  }
  return metadata;
}

function printable(value: string): string {
  const cut = value.slice(0, LONGEST_VALUE).replace(/\p{Surrogate}/gu, '\ufffd');
  return cut.replace(/[^ !-$&-~]/gu, (character) => encodeURIComponent(character)).trim();
}

import { spawnSync } from 'node:child_process';
import { pythonPath } from '../components/python-peers.ts';

/** What a mail program makes of a mail. */
export interface ParsedMail {
  /** Names in lower case, values decoded; in the order of the mail. */
  readonly headers: readonly (readonly [string, string])[];
  /** The texts by their type, such as `text/plain`. */
  readonly texts: Readonly<Record<string, string>>;
  /** What the parser found wrong. */
  readonly defects: readonly string[];
}

const PARSE = `
import email, email.policy, json, sys
mail = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
parts = [part for part in mail.walk() if not part.is_multipart()]
print(json.dumps({
    "headers": [[name.lower(), str(value)] for name, value in mail.items()],
    "texts": {part.get_content_type(): part.get_content() for part in parts},
    "defects": [repr(defect) for part in mail.walk() for defect in part.defects],
}))
`;

/** Reads a mail with the parser of Python's library, which knows nothing of how the product writes mails. */
export function parseMail(raw: string): ParsedMail {
  const python = spawnSync(pythonPath(), ['-c', PARSE], { input: raw, encoding: 'utf8' });
  if (python.status !== 0) throw new Error(`the mail cannot be read: ${python.stderr}`);
  return JSON.parse(python.stdout) as ParsedMail;
}

import path from 'node:path';
import type { CheckedPolicies } from '../../compiler/check-policies.ts';
import type { SourceFile } from '../../compiler/read.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { GuardPolicy } from '../../model/guard-policy.ts';

/** Guard policies that tests ask: what the compiler said, and the policies unless it refused them. */
export interface PolicySubject {
  /** What they are called in reports: their files. */
  readonly name: string;
  readonly diagnostics: readonly Diagnostic[];
  readonly guards?: readonly GuardPolicy[];
}

export type CheckPolicyFiles = (files: readonly string[]) => CheckedPolicies;
export type CheckPolicyText = (file: SourceFile) => CheckedPolicies;

/** The guard policies that tests ask. Files are compiled once, however many test files name them. */
export class PolicySubjects {
  /** What was compiled from files, in the order of first use. */
  readonly compiled: { readonly files: readonly string[]; readonly result: CheckedPolicies }[] = [];
  readonly #checkFiles: CheckPolicyFiles;
  readonly #checkText: CheckPolicyText;
  readonly #own: readonly string[];
  readonly #byFiles = new Map<string, PolicySubject>();

  /** @param own the files of the command line; maybe none */
  constructor(checkFiles: CheckPolicyFiles, checkText: CheckPolicyText, own: readonly string[]) {
    this.#checkFiles = checkFiles;
    this.#checkText = checkText;
    this.#own = own;
  }

  /** @param files undefined for those of the command line; then undefined if it names none */
  ofFiles(files: readonly string[] = this.#own): PolicySubject | undefined {
    if (files.length === 0) return undefined;
    const key = JSON.stringify(files.map((file) => path.resolve(file)));
    const known = this.#byFiles.get(key);
    if (known) return known;
    const result = this.#checkFiles(files);
    this.compiled.push({ files, result });
    const subject = { name: files.join(', '), ...result };
    this.#byFiles.set(key, subject);
    return subject;
  }

  ofText(text: string, name: string): PolicySubject {
    return { name, ...this.#checkText({ path: name, text }) };
  }
}

import { Command, Option } from 'commander';
import { type HelpNotes, helpPage } from './help.ts';
import type { Terminal } from './terminal.ts';

/** The flags that every command takes, before or after its name. */
export interface GlobalFlags {
  /** Files of `-r`, in order. Where there is one, they replace the configured ones. */
  readonly rules: readonly string[];
  /** Files of `-p`, likewise. */
  readonly policies: readonly string[];
  readonly config?: string;
}

/** What every command gets beside its own flags. */
export interface CommandContext {
  readonly terminal: Terminal;
  readonly globals: GlobalFlags;
}

/** Runs the chosen command; its action gives the exit code. */
export type Run = (action: (context: CommandContext) => number | Promise<number>) => Promise<void>;

/** A command whose help has the layout of {@link helpPage}, and which alone, as a group, prints that help and ends with 0. */
export class TalonCommand extends Command {
  #notes: HelpNotes = { description: '', examples: [] };

  /** Says what the command is for: one line for lists, the text and the examples of its own help. */
  documented(summary: string, notes: HelpNotes): this {
    this.#notes = notes;
    return this.summary(summary).description(notes.description);
  }

  override createCommand(name?: string): TalonCommand {
    return new TalonCommand(name).helpCommand(false);
  }

  override helpInformation(): string {
    return helpPage(this, this.createHelp(), this.#notes);
  }

  /** Commander takes a group without a command for a mistake; Falco Talon shows its usage on stdout and ends with 0. */
  override help(): never {
    return super.help({ error: false });
  }
}

/** `--format` with its choices; the first one is the default. */
export function formatOption(choices: readonly [string, ...string[]], description: string): Option {
  return new Option('--format <format>', description).choices(choices).default(choices[0]);
}

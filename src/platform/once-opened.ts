import { DoorError } from '../model/door-error.ts';
import { TalonError } from '../model/talon-error.ts';

/** What is opened when it is first needed, once for all who need it at the same time. What failed is tried again. */
export class OnceOpened<T> {
  readonly #open: () => Promise<T>;
  #opened: Promise<T> | undefined;

  constructor(open: () => Promise<T>) {
    this.#open = open;
  }

  get(): Promise<T> {
    this.#opened ??= this.#open().catch((error: unknown) => {
      this.#opened = undefined;
      throw error;
    });
    return this.#opened;
  }

  /** The same for a door: settings that cannot be used are a refusal. @throws DoorError */
  async forDoor(): Promise<T> {
    try {
      return await this.get();
    } catch (error) {
      throw error instanceof TalonError ? new DoorError('refused', error.message) : error;
    }
  }

  /** What is open, or about to be, without opening anything. */
  peek(): Promise<T> | undefined {
    return this.#opened;
  }
}

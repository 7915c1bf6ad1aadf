import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import * as wasmFile from '@jitl/quickjs-wasmfile-release-sync';
import {
  newQuickJSWASMModuleFromVariant,
  newVariant,
  type QuickJSSyncVariant,
  type QuickJSWASMModule,
} from 'quickjs-emscripten-core';
import { Cell } from './cell.ts';
import type { StepLimits } from './messages.ts';

/**
 * Pages of 64 KiB that an instance of QuickJS has and can never get more of: no more than its program asks for, which leaves
 * 10 MiB to the code of a plug-in. QuickJS's own count of memory leaves out what arrays grow to, so the wall has to be this one.
 */
const MEMORY_PAGES = 256;
/** Contexts that are kept ready: making one takes about half a millisecond. */
const READY = 4;
/** Instances that are kept after their step. The rest is given back. */
const KEPT = 16;
/** Milliseconds without a turn after which the store is filled up. */
const IDLE = 3;

/** The package declares the types of its CommonJS form alone. */
const VARIANT = wasmFile.default as unknown as QuickJSSyncVariant;

/** A cell with the instance of QuickJS that it alone uses. */
export interface StoredCell {
  readonly cell: Cell;
  readonly quickjs: QuickJSWASMModule;
}

/** Makes cells, in advance when there is nothing else to do. */
export class CellStore {
  readonly #newInstance: () => Promise<QuickJSWASMModule>;
  readonly #limits: StepLimits;
  readonly #allTurns: number;
  readonly #ready: StoredCell[] = [];
  /** Instances whose step has ended. */
  readonly #used: QuickJSWASMModule[] = [];
  #timer: NodeJS.Timeout | undefined;

  private constructor(newInstance: () => Promise<QuickJSWASMModule>, limits: StepLimits, allTurns: number) {
    this.#newInstance = newInstance;
    this.#limits = limits;
    this.#allTurns = allTurns;
  }

  /** Resolves when the first cell is ready. */
  static async open(limits: StepLimits, allTurns: number): Promise<CellStore> {
    const file = createRequire(import.meta.url).resolve('@jitl/quickjs-wasmfile-release-sync/wasm');
    const wasmModule = new WebAssembly.Module(await readFile(file));
    const newInstance = () => {
      const wasmMemory = new WebAssembly.Memory({ initial: MEMORY_PAGES, maximum: MEMORY_PAGES });
      return newQuickJSWASMModuleFromVariant(withStrictMemory(newVariant(VARIANT, { wasmModule, wasmMemory })));
    };
    const store = new CellStore(newInstance, limits, allTurns);
    store.#ready.push(store.#inhabit(await newInstance()));
    store.#fillLater();
    return store;
  }

  /** A fresh cell. At once where there is one in store or an instance for it. */
  take(): StoredCell | Promise<StoredCell> {
    const used = this.#ready.length === 0 ? this.#used.pop() : undefined;
    const stored = this.#ready.pop() ?? (used && this.#inhabit(used));
    this.#fillLater();
    return stored ?? this.#newInstance().then((quickjs) => this.#inhabit(quickjs));
  }

  /** @param clean whether the step ended as steps should; of the others nothing is used again */
  giveBack({ cell, quickjs }: StoredCell, clean: boolean): void {
    if (!clean || !isDisposed(cell)) return;
    if (this.#used.length + this.#ready.length < KEPT) this.#used.push(quickjs);
    this.#fillLater();
  }

  /** Filling the store at once would keep the first turn of the step waiting that took from it. */
  #fillLater(): void {
    if (this.#ready.length >= READY) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#fill(), IDLE);
  }

  async #fill(): Promise<void> {
    this.#ready.push(this.#inhabit(this.#used.pop() ?? (await this.#newInstance())));
    this.#fillLater();
  }

  #inhabit(quickjs: QuickJSWASMModule): StoredCell {
    return { quickjs, cell: new Cell(quickjs, this.#limits, this.#allTurns) };
  }
}

/**
 * The same, but that a text for which there is no memory throws. The package would write it to address 0, over everything that
 * the instance has.
 */
function withStrictMemory(variant: QuickJSSyncVariant): QuickJSSyncVariant {
  return {
    ...variant,
    importModuleLoader: async () => {
      const loaded = await variant.importModuleLoader();
      const load = 'default' in loaded ? loaded.default : loaded;
      return async (options) => {
        const module = await (typeof load === 'function' ? load : load.default)(options);
        const allocate = module._malloc;
        module._malloc = (bytes) => {
          const place = allocate(bytes);
          if (place === 0) throw new Error('out of memory');
          return place;
        };
        return module;
      };
    },
  };
}

/** Code that ended its step well may still have left a context that cannot be taken down. */
function isDisposed(cell: Cell): boolean {
  try {
    cell.dispose();
    return true;
  } catch {
    return false;
  }
}

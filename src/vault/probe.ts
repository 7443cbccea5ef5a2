import { randomBytes } from 'node:crypto';
import { isLifeboatError, LifeboatError, messageOf } from '../core/errors.ts';
import { collect } from './streams.ts';
import type { CallOptions, Vault } from './vault.ts';

/** What a vault was found to do, or not to do. */
export interface ProbeCheck {
  /** `list`, `create`, `exclusive`, `immutable`, `read`, `range`, `consistent`, `delete`. */
  readonly name: ProbeName;
  /** False when backups to this vault would fail or would not be safe. */
  readonly ok: boolean;
  /** What was seen, for people: one sentence. */
  readonly detail: string;
  readonly hint?: string;
}

export type ProbeName = 'list' | 'create' | 'exclusive' | 'immutable' | 'read' | 'range' | 'consistent' | 'delete';

/** Where probes put their objects: nothing of a repository is below it (docs/format.md, "Layout"). */
export const PROBE_PREFIX = 'probe/';

const CREATORS = 10;
const TEXT = Buffer.from('Written by lifeboat doctor to see what this vault can do. It may be deleted.\n');

/**
 * Tries what lifeboat needs of a vault: objects are created, raced for, read, listed and deleted below
 * `probe/<random>/`. Whatever can be deleted is; where deleting is not permitted (as it should be for a writer), the last
 * check says what stays. Never rejects because of the vault: what fails is in the result. A check that could not be
 * tried because an earlier one failed is left out. Rejects with the signal's reason when it fires.
 */
export async function probeVault(vault: Vault, options: CallOptions = {}): Promise<ProbeCheck[]> {
  const probe = new Probe(vault, options);
  if (await probe.check('list', () => probe.list())) {
    if (await probe.check('create', () => probe.create())) {
      await probe.check('exclusive', () => probe.race());
      await probe.check('immutable', () => probe.overwrite());
      if (await probe.check('read', () => probe.read())) await probe.check('range', () => probe.readRanges());
      await probe.check('consistent', () => probe.listAgain());
    }
    if (probe.stored > 0) await probe.check('delete', () => probe.remove());
  }
  return probe.checks;
}

class Probe {
  readonly checks: ProbeCheck[] = [];
  readonly #vault: Vault;
  readonly #options: CallOptions;
  readonly #prefix = `${PROBE_PREFIX}${randomBytes(8).toString('hex')}/`;
  /** What was created, by key. */
  readonly #stored = new Map<string, Uint8Array>();

  constructor(vault: Vault, options: CallOptions) {
    this.#vault = vault;
    this.#options = options;
  }

  /** Objects created so far. */
  get stored(): number {
    return this.#stored.size;
  }

  /** Runs one check and keeps its result. False when it failed. */
  async check(name: ProbeName, run: () => Promise<string>): Promise<boolean> {
    this.#options.signal?.throwIfAborted();
    try {
      this.checks.push({ name, ok: true, detail: await run() });
      return true;
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      const hint = isLifeboatError(error) ? error.hint : undefined;
      this.checks.push({ name, ok: false, detail: messageOf(error), ...(hint === undefined ? {} : { hint }) });
      return false;
    }
  }

  async list(): Promise<string> {
    for await (const _ of this.#vault.list(this.#prefix, this.#options)) break;
    return 'Objects can be listed';
  }

  async create(): Promise<string> {
    // The names tell apart stores that sort whole names from stores that sort folder by folder.
    for (const name of ['a', 'b-1', 'b/1', 'c']) await this.#put(name, TEXT);
    return 'Objects can be created';
  }

  async race(): Promise<string> {
    const bodies = Array.from({ length: CREATORS }, (_, i) => Buffer.from(`${i} ${randomBytes(8).toString('hex')}\n`));
    const key = `${this.#prefix}race`;
    const outcomes = await Promise.all(bodies.map((body) => this.#vault.put(key, body, this.#options)));
    const winners = bodies.filter((_, i) => outcomes[i] === 'created');
    this.#stored.set(key, winners[0] ?? TEXT);
    if (winners.length !== 1) {
      throw notExclusive(`${winners.length} of ${CREATORS} concurrent creators of one object were told that it is theirs`);
    }
    if (!(await this.#holds(key))) throw notExclusive('An object holds other bytes than those of the creator that won it');
    return `Of ${CREATORS} concurrent creators of one object exactly one won`;
  }

  async overwrite(): Promise<string> {
    const key = `${this.#prefix}a`;
    const outcome = await this.#vault.put(key, Buffer.from('other bytes'), this.#options);
    if (outcome !== 'exists' || !(await this.#holds(key))) throw notExclusive('An object that exists was overwritten');
    return 'An object that exists is not overwritten';
  }

  async read(): Promise<string> {
    for (const key of this.#stored.keys()) {
      if (!(await this.#holds(key))) throw wrong(`${key} was read back with other bytes than were stored`);
    }
    return 'Objects are read back as they were stored';
  }

  async readRanges(): Promise<string> {
    const key = `${this.#prefix}a`;
    for (const [offset, length] of [[3, 7], [-9, 4], [TEXT.length - 2, 10]] as const) {
      const { body, length: announced } = await this.#vault.get(key, { ...this.#options, offset, length });
      const from = offset < 0 ? TEXT.length + offset : offset;
      const expected = TEXT.subarray(from, from + length);
      if (announced !== expected.length || !expected.equals(await collect(body, announced))) {
        throw wrong(`A range of ${key} (from ${offset}, ${length} bytes) was read wrongly`);
      }
    }
    return 'Parts of objects can be read';
  }

  async listAgain(): Promise<string> {
    const listed: string[] = [];
    for await (const { key, size } of this.#vault.list(this.#prefix, this.#options)) listed.push(`${key} ${size}`);
    const expected = [...this.#stored].map(([key, bytes]) => `${key} ${bytes.byteLength}`).toSorted();
    if (listed.join() !== expected.join()) {
      throw wrong(`Objects just created are not listed as they should be: ${listed.length} of ${expected.length} were listed`);
    }
    return 'A listing shows what was just created, in order';
  }

  async remove(): Promise<string> {
    let left = 0;
    let bytes = 0;
    for (const [key, body] of this.#stored) {
      try {
        await this.#vault.delete(key, this.#options);
      } catch (error) {
        if (!isLifeboatError(error, 'LB_VAULT_ACCESS') && !isLifeboatError(error, 'LB_VAULT_READ_ONLY')) throw error;
        left += 1;
        bytes += body.byteLength;
      }
    }
    if (left === 0) return 'Objects can be deleted; a writer does not need that right, and is safer without it';
    return `Deleting is not permitted, as is right for a writer; ${left} objects with ${bytes} bytes stay below ${this.#prefix}`;
  }

  async #put(name: string, bytes: Uint8Array): Promise<void> {
    const key = `${this.#prefix}${name}`;
    if ((await this.#vault.put(key, bytes, this.#options)) === 'exists') {
      throw wrong(`${key} was said to exist before it was created`);
    }
    this.#stored.set(key, bytes);
  }

  async #holds(key: string): Promise<boolean> {
    const { body, length } = await this.#vault.get(key, this.#options);
    const expected = this.#stored.get(key);
    const found = await collect(body, length);
    return expected !== undefined && Buffer.compare(expected, found) === 0;
  }
}

/** The one thing a store cannot be used without. */
function notExclusive(message: string): LifeboatError {
  return new LifeboatError('LB_VAULT_UNSUPPORTED', message, {
    hint:
      'Do not use this store: it ignores `If-None-Match: *`, so that backups could overwrite each other. ' +
      'docs/vaults.md names stores that do not.',
  });
}

function wrong(message: string): LifeboatError {
  return new LifeboatError('LB_VAULT_UNSUPPORTED', message, {
    hint: 'Do not use this store: docs/vaults.md says what it must be able to do, and names stores that are known to.',
  });
}

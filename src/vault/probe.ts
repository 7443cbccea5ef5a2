import { randomBytes } from 'node:crypto';
import { isLifeboatError, LifeboatError, messageOf } from '../core/errors.ts';
import type { OtherSoftware } from './other-software.ts';
import type { ProbeCheck, ProbeFinding, ProbeName } from './probe/check.ts';
import { probeLock } from './probe/lock.ts';
import { probeOverwriting } from './probe/overwriting.ts';
import { collect } from './streams.ts';
import type { CallOptions, Vault } from './vault.ts';

export interface ProbeOptions extends CallOptions {
  /** Does what lifeboat never would, to see whether the credentials permit it; left out where there is no such thing. */
  readonly other?: OtherSoftware | undefined;
  /** What the credentials are for: a writer is safer when they permit neither deleting nor overwriting, `maintain` needs to delete. */
  readonly role?: 'write' | 'maintain' | undefined;
}

/** Where probes put their objects: nothing of a repository is below it (docs/format.md, "Layout"). */
export const PROBE_PREFIX = 'probe/';

const CREATORS = 10;
const TEXT = Buffer.from('Written by lifeboat doctor to see what this vault can do. It may be deleted.\n');

/**
 * Tries what lifeboat needs of a vault: objects are created, raced for, read, listed, locked where the vault locks, and deleted
 * below `probe/<random>/`. Whatever can be deleted is (for a lock this waits until it ends, some seconds); where deleting is not
 * permitted, as it should be for a writer, the last check says what stays. Never rejects because of the vault: what fails is in
 * the result. A check that could not be tried because an earlier one failed is left out. Rejects with the signal's reason when
 * it fires.
 */
export async function probeVault(vault: Vault, options: ProbeOptions = {}): Promise<ProbeCheck[]> {
  const probe = new Probe(vault, options);
  if (await probe.check('list', () => probe.list())) {
    if (await probe.check('create', () => probe.create())) {
      await probe.check('exclusive', () => probe.race());
      await probe.check('immutable', () => probe.overwrite());
      if (await probe.check('read', () => probe.read())) await probe.check('range', () => probe.readRanges());
      await probe.check('consistent', () => probe.listAgain());
      if (options.other !== undefined) await probe.check('overwrite', () => probe.overwriteByOther());
      if (vault.locks) await probe.check('lock', () => probe.lock());
    }
    if (probe.stored > 0) await probe.check('delete', () => probe.remove());
  }
  return probe.checks;
}

class Probe {
  readonly checks: ProbeCheck[] = [];
  readonly #vault: Vault;
  readonly #options: ProbeOptions;
  readonly #call: CallOptions;
  readonly #prefix = `${PROBE_PREFIX}${randomBytes(8).toString('hex')}/`;
  /** What was created, by key. */
  readonly #stored = new Map<string, Uint8Array>();

  constructor(vault: Vault, options: ProbeOptions) {
    this.#vault = vault;
    this.#options = options;
    this.#call = { signal: options.signal };
  }

  /** Objects created so far. */
  get stored(): number {
    return this.#stored.size;
  }

  /** Runs one check and keeps its result. False when it failed. */
  async check(name: ProbeName, run: () => Promise<ProbeFinding>): Promise<boolean> {
    this.#options.signal?.throwIfAborted();
    try {
      const found = await run();
      this.checks.push(typeof found === 'string' ? { name, status: 'ok', detail: found } : { name, ...found });
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      const hint = isLifeboatError(error) ? error.hint : undefined;
      this.checks.push({ name, status: 'fail', detail: messageOf(error), ...(hint === undefined ? {} : { hint }) });
    }
    return this.checks.at(-1)?.status !== 'fail';
  }

  async list(): Promise<string> {
    for await (const _ of this.#vault.list(this.#prefix, this.#call)) break;
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
    const outcomes = await Promise.all(bodies.map((body) => this.#vault.put(key, body, this.#call)));
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
    const outcome = await this.#vault.put(key, Buffer.from('other bytes'), this.#call);
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
      const { body, length: announced } = await this.#vault.get(key, { ...this.#call, offset, length });
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
    for await (const { key, size } of this.#vault.list(this.#prefix, this.#call)) listed.push(`${key} ${size}`);
    const expected = [...this.#stored].map(([key, bytes]) => `${key} ${bytes.byteLength}`).toSorted();
    if (listed.join() !== expected.join()) {
      throw wrong(`Objects just created are not listed as they should be: ${listed.length} of ${expected.length} were listed`);
    }
    return 'A listing shows what was just created, in order';
  }

  async overwriteByOther(): Promise<ProbeFinding> {
    const { other, signal } = this.#options;
    if (other === undefined) throw new Error('there is no other software');
    await this.#put('overwrite', TEXT);
    return probeOverwriting(this.#vault, other, { key: `${this.#prefix}overwrite`, bytes: TEXT, signal });
  }

  async lock(): Promise<ProbeFinding> {
    const key = `${this.#prefix}lock`;
    // Known as stored before it is: what is locked and cannot be looked at must be removed too.
    this.#stored.set(key, TEXT);
    return probeLock(this.#vault, { key, bytes: TEXT, signal: this.#options.signal });
  }

  async remove(): Promise<ProbeFinding> {
    const { role, other } = this.#options;
    let left = 0;
    let bytes = 0;
    for (const [key, body] of this.#stored) {
      try {
        await this.#vault.delete(key, this.#call);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        left += 1;
        bytes += body.byteLength;
      }
    }
    if (left > 0) {
      const stays = `${left} objects with ${bytes} bytes stay below ${this.#prefix}`;
      if (role !== 'maintain' && (await this.#canHide())) {
        return {
          status: 'warn',
          detail: `These credentials can hide objects behind marks of deletion, also those of who steals them, though they cannot delete versions; ${stays}`,
          hint: 'Take the right to delete from the machine that makes backups (docs/vaults.md). What is locked is read from beneath such marks.',
        };
      }
      if (role !== 'maintain') return `Deleting is not permitted, as is right for a writer; ${stays}`;
      return { status: 'warn', detail: `Deleting is not permitted; ${stays}`, hint: 'Grant the right to delete to who maintains the vault.' };
    }
    if (role !== 'write' || other === undefined) return 'Objects can be deleted; a writer does not need that right, and is safer without it';
    return {
      status: 'warn',
      detail: 'Objects can be deleted with these credentials, also by who steals them',
      hint: 'Give the machine that makes backups credentials that can only create, read and list (docs/vaults.md); or lock what is stored.',
    };
  }

  /** Tried on an object that could not be deleted, and stays either way. */
  async #canHide(): Promise<boolean> {
    const { other, signal } = this.#options;
    if (other === undefined) return false;
    try {
      await other.hide(`${this.#prefix}a`, signal);
      return true;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return false;
    }
  }

  async #put(name: string, bytes: Uint8Array): Promise<void> {
    const key = `${this.#prefix}${name}`;
    if ((await this.#vault.put(key, bytes, this.#call)) === 'exists') {
      throw wrong(`${key} was said to exist before it was created`);
    }
    this.#stored.set(key, bytes);
  }

  async #holds(key: string): Promise<boolean> {
    const { body, length } = await this.#vault.get(key, this.#call);
    const expected = this.#stored.get(key);
    const found = await collect(body, length);
    return expected !== undefined && Buffer.compare(expected, found) === 0;
  }
}

function isRefusal(error: unknown): boolean {
  return (
    isLifeboatError(error, 'LB_VAULT_ACCESS') || isLifeboatError(error, 'LB_VAULT_READ_ONLY') || isLifeboatError(error, 'LB_VAULT_LOCKED')
  );
}

/** The one thing a store cannot be used without. */
function notExclusive(message: string): LifeboatError {
  return new LifeboatError('LB_VAULT_UNSUPPORTED', message, {
    hint:
      'Do not use this store: it ignores that an object is to be created only (S3: `If-None-Match: *`), so that backups could ' +
      'overwrite each other. docs/providers.md names stores that do not.',
  });
}

function wrong(message: string): LifeboatError {
  return new LifeboatError('LB_VAULT_UNSUPPORTED', message, {
    hint: 'Do not use this store: docs/vaults.md says what it must be able to do, docs/providers.md names stores that are known to.',
  });
}

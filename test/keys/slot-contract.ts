import { inspect } from 'node:util';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isLifeboatError } from '../../src/core/errors.ts';
import { aboutSlot, generateRepositoryKeys, maintainKeyOf, openSlot, readKeyOf, sealSlot } from '../../src/keys/index.ts';
import type { KmsProvider, RepositoryKeys, SlotKind, SlotSecret, UnlockSecrets } from '../../src/keys/index.ts';
import { addSlot, listSlots, rotateSlots, unlock, verify } from '../../src/repository/index.ts';
import { backUp, makeScene } from '../repository/scene.ts';
import type { FaultProxy } from '../testbed/fault-proxy.ts';
import { plainKeys } from './plain-keys.ts';

/** One kind of slot, with something new that locks it. */
export interface SlotBench {
  readonly lock: SlotSecret;
  readonly opener: UnlockSecrets;
  /** The same kind of thing, that locks other slots. */
  readonly stranger: UnlockSecrets;
  readonly service?: ServiceBench;
}

/** A key of a key service, as a test has it in hand. */
export interface ServiceBench {
  readonly provider: KmsProvider;
  /** Between us and the service. */
  readonly proxy: FaultProxy;
  /** Gives the key a new version. */
  rotate(): Promise<void>;
  /** From now on the credentials may do nothing. */
  refuse(): Promise<void>;
  /** Disables the key; absent where the server under test does not know it. */
  readonly disable?: () => Promise<void>;
  /** Deletes the key. */
  remove(): Promise<void>;
  /** What must never be in an error. */
  readonly secrets: readonly string[];
}

/** Starts what this kind of slot needs, once; gives a way to make benches, and to stop. */
export type StartBenches = () => Promise<{ readonly bench: () => Promise<SlotBench>; readonly stop?: () => Promise<void> }>;


/** What every kind of slot promises. */
export function describeSlots(kind: SlotKind, title: string, start: StartBenches): void {
  describe(`a key slot: ${title}`, () => {
    let benches: Awaited<ReturnType<StartBenches>>;
    let keys: RepositoryKeys;
    let bench: SlotBench;
    beforeAll(async () => {
      [benches, keys] = await Promise.all([start(), generateRepositoryKeys()]);
      bench = await benches.bench();
    });
    afterAll(() => benches?.stop?.());

    it('gives back what was locked', async () => {
      const slot = await sealSlot(keys, bench.lock);
      expect(aboutSlot(slot)).toMatchObject({ kind, role: 'owner' });
      const opened = await openSlot(slot, bench.opener);
      expect(plainKeys(opened?.keys)).toEqual(plainKeys(keys));
    });

    // A passphrase opens everything, and its slots say nothing else of themselves.
    const roles = kind === 'passphrase' ? [] : (['read', 'maintain'] as const);
    it.each(roles)('gives back the key of the role %s alone', async (role) => {
      const slot = await sealSlot(keys, bench.lock, role);
      expect(aboutSlot(slot)).toMatchObject({ kind, role });
      const part = { read: readKeyOf(keys), maintain: maintainKeyOf(keys) }[role];
      expect(plainKeys((await openSlot(slot, bench.opener))?.keys)).toEqual(plainKeys(part));
    });

    it('does not open with something else of its kind, nor with nothing', async () => {
      const slot = await sealSlot(keys, bench.lock);
      expect(await openSlot(slot, bench.stranger)).toBeUndefined();
      expect(await openSlot(slot, {})).toBeUndefined();
    });

    it('does not open when any bit of it was changed', async () => {
      const slot = await sealSlot(keys, bench.lock);
      await fc.assert(
        fc.asyncProperty(fc.nat(slot.length - 1), fc.nat(7), async (at, bit) => {
          const changed = Uint8Array.from(slot);
          changed[at] = (changed[at] as number) ^ (1 << bit);
          expect(await outcome(openSlot(changed, bench.opener))).toBe('not opened');
        }),
        { numRuns: 25 },
      );
    });

    it.each(roles)('of the role %s does not open when it was made to claim another repository or role', async (role) => {
      const other = await generateRepositoryKeys();
      const slot = Buffer.from(await sealSlot(keys, bench.lock, role));
      for (const [from, to] of [
        [keys.repositoryId, other.repositoryId],
        [`-> lifeboat-role ${role}`, `-> lifeboat-role ${role === 'read' ? 'maintain' : 'read'}`],
        [`-> lifeboat-role ${role}\n\n`, ''],
      ] as const) {
        const edited = Buffer.from(slot.toString('latin1').replace(from, to), 'latin1');
        // Only a key service's stanza names the repository; elsewhere there is nothing to edit.
        const same = edited.equals(slot);
        expect(await outcome(openSlot(edited, bench.opener))).toBe(same ? 'opened' : 'not opened');
      }
    });
  });
}

async function outcome(opening: Promise<unknown>): Promise<string> {
  try {
    return (await opening) === undefined ? 'not opened' : 'opened';
  } catch (error) {
    return isLifeboatError(error) && error.code.startsWith('LB_KEY_') && !error.retriable ? 'not opened' : inspect(error);
  }
}

/** What slots of key services promise beside that. */
export function describeServiceSlots(kind: SlotKind, title: string, start: StartBenches): void {
  describeSlots(kind, title, start);

  describe(`a key service: ${title}`, () => {
    let benches: Awaited<ReturnType<StartBenches>>;
    let keys: RepositoryKeys;
    beforeAll(async () => {
      [benches, keys] = await Promise.all([start(), generateRepositoryKeys()]);
    });
    afterAll(() => benches?.stop?.());
    const newBench = async (): Promise<SlotBench & { readonly service: ServiceBench }> => {
      const bench = await benches.bench();
      if (bench.service === undefined) throw new Error('this bench has no service');
      return { ...bench, service: bench.service };
    };

    it('rotates its key: old slots open, and are replaced without rewriting anything else', async () => {
      const scene = await makeScene();
      const { opener, lock, service } = await newBench();
      await backUp(scene, { all: ['a record'] });
      const { id } = await addSlot(scene.vaults, scene.keys, lock);
      const role = await addSlot(scene.vaults, scene.keys, lock, { role: 'read' });
      const before = new Map(scene.vaults[0]?.objects);
      await service.rotate();
      await expect(unlock(scene.vaults, opener)).resolves.toMatchObject({ slot: id });
      const rotations = await rotateSlots(scene.vaults, scene.keys, [service.provider]);
      expect(rotations.map(({ slot, kept }) => [slot, kept])).toEqual([id, role.id].toSorted().map((slot) => [slot, undefined]));
      const successors = rotations.map(({ successor }) => successor?.id ?? '');
      const slots = await listSlots(scene.vaults, scene.keys);
      expect(slots.flatMap((slot) => (slot.key === undefined ? [] : [slot.id])).sort()).toEqual(successors.toSorted());
      expect(slots.map((slot) => slot.role).sort()).toEqual(['owner', 'owner', 'read']);
      const { slot } = await unlock(scene.vaults, opener);
      expect(successors).toContain(slot);
      const after = scene.vaults[0]?.objects ?? new Map<string, Uint8Array>();
      expect([...before.keys()].filter((key) => !after.has(key)).sort()).toEqual([id, role.id].map((old) => `keys/${old}`).sort());
      expect([...after.keys()].filter((key) => !before.has(key)).every((key) => key.startsWith('keys/'))).toBe(true);
      expect(await verify({ vaults: scene.vaults, keys: scene.keys, depth: 'structure' })).toMatchObject({ findings: [] });
    });

    it('is one clear error when it refuses, is disabled, or has no such key', async () => {
      for (const [what, code] of [
        ['refuse', 'LB_KEY_ACCESS'],
        ['disable', 'LB_KEY_DISABLED'],
        ['remove', 'LB_KEY_GONE'],
      ] as const) {
        const { lock, opener, service } = await newBench();
        const slot = await sealSlot(keys, lock);
        const happen = service[what];
        if (happen === undefined) continue;
        await happen();
        await expectClear(openSlot(slot, opener), code, service);
        await expectClear(sealSlot(keys, lock), code, service);
      }
    });

    it('is one clear error when it cannot be reached, is busy, or answers nonsense', async () => {
      const { lock, opener, service } = await newBench();
      const slot = await sealSlot(keys, lock);
      for (const action of [
        { do: 'refuse' },
        { do: 'answer', status: 503, body: '' },
        { do: 'answer', status: 200, body: '<html>welcome</html>' },
        { do: 'answer', status: 307, headers: { location: 'http://127.0.0.1:1/' } },
      ] as const) {
        const fault = service.proxy.inject({ action, times: 100 });
        await expectClear(openSlot(slot, opener), 'LB_KEY_UNAVAILABLE', service);
        fault.remove();
      }
      // A passing failure is tried again.
      service.proxy.inject({ action: { do: 'answer', status: 503, body: '' } });
      expect(await openSlot(slot, opener)).toBeDefined();
    });

    it('ends at once when it is slow and the user stops', async () => {
      const { lock, opener, service } = await newBench();
      const scene = await makeScene();
      await addSlot(scene.vaults, scene.keys, lock);
      const slot = await sealSlot(keys, lock);
      for (const work of [
        (signal: AbortSignal) => openSlot(slot, opener, signal),
        (signal: AbortSignal) => sealSlot(keys, lock, 'owner', { signal }),
        (signal: AbortSignal) => unlock(scene.vaults, opener, { signal }),
      ]) {
        const hang = service.proxy.inject({ action: { do: 'hang' }, times: 100 });
        const stop = new AbortController();
        const reason = new Error('stopped by the user');
        const working = work(stop.signal);
        working.catch(() => {});
        while (hang.hits === 0) await new Promise((resolve) => setTimeout(resolve, 5));
        stop.abort(reason);
        await expect(working).rejects.toBe(reason);
        hang.remove();
      }
    });

    it('is never called for a slot that names a key the user did not', async () => {
      const { lock, stranger, service } = await newBench();
      const scene = await makeScene();
      await addSlot(scene.vaults, scene.keys, lock);
      const seen = service.proxy.requests.length;
      await expect(unlock(scene.vaults, { passphrases: ['wrong'] })).rejects.toMatchObject({ code: 'LB_KEY_WRONG', hint: expect.stringContaining('--kms') as string });
      await expect(unlock(scene.vaults, stranger)).rejects.toMatchObject({ code: 'LB_KEY_WRONG' });
      expect(service.proxy.requests).toHaveLength(seen);
    });
  });
}

async function expectClear(working: Promise<unknown>, code: string, { provider, secrets }: ServiceBench): Promise<void> {
  const error = await working.then(
    () => new Error('it succeeded'),
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ code, where: `key ${provider.key.kind}:${provider.key.name}`, hint: expect.stringMatching(/.{20}/) as string });
  const shown = inspect(error, { depth: 8, showHidden: true });
  for (const secret of secrets) expect(shown).not.toContain(secret);
}

import { describe, expect, it } from 'vitest';
import { LifeboatError } from '../../src/core/errors.ts';
import type { Warning } from '../../src/core/progress.ts';
import { writeKeyOf } from '../../src/keys/index.ts';
import { openWriter } from '../../src/repository/index.ts';
import type { MemoryVault } from '../support/memory-vault.ts';
import { makeScene, testClock } from './scene.ts';

describe('a vault that does not answer when the repository is opened', () => {
  it('is not asked again by a backup that begins at once, and is by one that begins later', async () => {
    const scene = await makeScene('a', 'b');
    const [, b] = scene.vaults as [MemoryVault, MemoryVault];
    const clock = testClock();
    let asked = 0;
    b.interfere = () => {
      asked++;
      throw new LifeboatError('LB_VAULT_UNAVAILABLE', 'nobody answers');
    };
    const warnings: Warning[] = [];
    const writer = await openWriter({ vaults: scene.vaults, writeKey: writeKeyOf(scene.keys), clock, onWarning: () => {} });
    const before = asked;
    const beginning = { onWarning: (warning: Warning) => warnings.push(warning) };
    await (await writer.begin('harbour', beginning)).abort();
    expect(asked).toBe(before);
    expect(warnings).toMatchObject([{ kind: 'vault-dropped', message: 'Vault "b" is left out: nobody answers' }]);

    b.interfere = undefined;
    clock.advance(5 * 60_000);
    const session = await writer.begin('harbour', beginning);
    await session.abort();
    expect(warnings).toHaveLength(1);
  });
});

import { describe, expect, it } from 'vitest';
import { answering } from '../../src/access/answering.ts';
import { LifeboatError } from '../../src/core/errors.ts';
import type { ErrorCode } from '../../src/core/error-codes.ts';
import type { Vault } from '../../src/vault/vault.ts';
import { MemoryVault } from '../support/memory-vault.ts';

/** Of a command only what matters here: its signal, and the warnings it gives. */
function command(signal = new AbortController().signal): { readonly context: Parameters<typeof answering>[0]; readonly warnings: string[] } {
  const warnings: string[] = [];
  return { context: { signal, warn: ({ message }) => void warnings.push(message) }, warnings };
}

/** A vault that fails in this way, and counts how often it is asked. */
function failing(name: string, code: ErrorCode): { readonly vault: MemoryVault; readonly asked: () => number } {
  const vault = new MemoryVault(name);
  let count = 0;
  vault.interfere = () => {
    count += 1;
    throw new LifeboatError(code, `${name} fails`);
  };
  return { vault, asked: () => count };
}

const names = (vaults: readonly Vault[]): string[] => vaults.map(({ name }) => name);

describe('vaults that are read', () => {
  it('are those that answer: one that is away is left out with a warning, having been asked once', async () => {
    const { context, warnings } = command();
    const away = failing('away', 'LB_VAULT_UNAVAILABLE');
    expect(names(await answering(context, [away.vault, new MemoryVault('near'), new MemoryVault('far')]))).toEqual(['near', 'far']);
    expect(warnings).toEqual(['going on without vault "away": away fails']);
    expect(away.asked()).toBe(1);
  });

  it('are all when none answers, so that the error is that of whoever reads them', async () => {
    const { context, warnings } = command();
    const vaults = ['a', 'b'].map((name) => failing(name, 'LB_VAULT_UNAVAILABLE').vault);
    expect(names(await answering(context, vaults))).toEqual(['a', 'b']);
    expect(warnings).toEqual([]);
  });

  it('are not left out because they refuse something', async () => {
    const { context, warnings } = command();
    expect(names(await answering(context, [failing('shut', 'LB_VAULT_ACCESS').vault, new MemoryVault('near')]))).toEqual(['shut', 'near']);
    expect(warnings).toEqual([]);
  });

  it('are not asked when there is one alone', async () => {
    const { context } = command();
    const only = failing('only', 'LB_VAULT_UNAVAILABLE');
    expect(names(await answering(context, [only.vault]))).toEqual(['only']);
    expect(only.asked()).toBe(0);
  });

  it('are asked no longer when the command is stopped', async () => {
    const stop = new AbortController();
    const { context } = command(stop.signal);
    const away = failing('away', 'LB_VAULT_UNAVAILABLE');
    stop.abort(new Error('enough'));
    await expect(answering(context, [away.vault, new MemoryVault('near')])).rejects.toThrow('enough');
  });
});

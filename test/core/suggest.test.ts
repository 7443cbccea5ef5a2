import { describe, expect, it } from 'vitest';
import { nearest } from '../../src/core/suggest.ts';

describe('what was probably meant', () => {
  it('is the nearest name', () => {
    expect(nearest('buckt', ['type', 'bucket', 'prefix'])).toBe('bucket');
    expect(nearest('prdo', ['prod', 'staging'])).toBe('prod');
    expect(nearest('kube-config', ['context', 'kubeconfig'])).toBe('kubeconfig');
    expect(nearest('a', ['b'])).toBe('b');
  });

  it('is the only name with this beginning', () => {
    expect(nearest('dir', ['directory', 's3'])).toBe('directory');
    expect(nearest('pass', ['passphraseFile', 'passphraseEnv'])).toBeUndefined();
  });

  it('is nothing when nothing is near', () => {
    expect(nearest('schedule', ['version', 'sites', 'vaults'])).toBeUndefined();
    expect(nearest('x', [])).toBeUndefined();
  });
});

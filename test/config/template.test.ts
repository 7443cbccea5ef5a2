import { assert, constantFrom, property, record, string, stringMatching } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { NAME_PATTERN } from '../../src/config/schema.ts';
import { configTemplate } from '../../src/config/template.ts';

const name = stringMatching(NAME_PATTERN);
const text = string({ minLength: 1, unit: 'grapheme' }).filter((value) => !/\$[{(]/.test(value) && value.isWellFormed());

describe('the lifeboat.yaml that init writes', () => {
  it('says what it was told, whatever contexts, paths and names look like', () => {
    const values = record({ siteName: name, vaultName: name, context: text, folder: text, read: constantFrom('identityFile', 'passphraseFile', undefined) });
    assert(
      property(values, ({ siteName, vaultName, context, folder, read }) => {
        const path = `/${folder}`;
        const written = configTemplate({
          schema: './lifeboat.schema.json',
          siteName,
          site: { kubeconfig: path, context },
          vaults: new Map([[vaultName, { type: 'directory', path }]]),
          writeKeyFile: 'write.key',
          read: read === undefined ? undefined : read === 'identityFile' ? { identityFile: 'id' } : { passphraseFile: 'pass' },
        });
        expect(written.split('\n')[0]).toBe('# yaml-language-server: $schema=./lifeboat.schema.json');
        const config = parseConfig(written, '/etc/lifeboat.yaml');
        expect(config.sites.get(siteName)?.context).toBe(context);
        expect(config.vaults.get(vaultName)).toMatchObject({ name: vaultName, type: 'directory' });
        expect(config.plans.get(siteName)).toEqual({ site: siteName, vaults: [vaultName] });
        expect(config.readKey === undefined).toBe(read === undefined);
      }),
    );
  });
});

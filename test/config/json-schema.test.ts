import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { configJsonSchema } from '../../src/config/json-schema.ts';
import { parseConfig } from '../../src/config/load.ts';
import { expectKept, withPart } from '../support/kept-file.ts';
import { configReference } from './reference.ts';

describe('the example in docs/configuration.md', () => {
  it('is accepted', async () => {
    const page = await readFile(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
    const example = /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
    expect([...parseConfig(example, 'lifeboat.yaml').plans.keys()]).toEqual(['prod']);
  });
});

describe('what is published about lifeboat.yaml', () => {
  it('is the schema that lifeboat checks with: lifeboat.schema.json', async () => {
    await expectKept('lifeboat.schema.json', () => `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
  });

  it('says the same in docs/configuration.md', async () => {
    await expectKept('docs/configuration.md', (page) => withPart(page, 'reference', configReference(configJsonSchema())));
  });
});

import { describe, it } from 'vitest';
import { configJsonSchema } from '../../src/config/json-schema.ts';
import { expectKept, withPart } from '../support/kept-file.ts';
import { configReference } from './reference.ts';

describe('what is published about lifeboat.yaml', () => {
  it('is the schema that lifeboat checks with: lifeboat.schema.json', async () => {
    await expectKept('lifeboat.schema.json', () => `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
  });

  it('says the same in docs/configuration.md', async () => {
    await expectKept('docs/configuration.md', (page) => withPart(page, 'reference', configReference(configJsonSchema())));
  });
});

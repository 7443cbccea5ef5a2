import { describe, expect, it } from 'vitest';
import { expectKept, withPart } from '../support/kept-file.ts';
import { documentReference, undescribed } from './document-reference.ts';
import { DOCUMENTS } from './documents.ts';

describe('the documents that --json prints', () => {
  it('are in docs/json.md as they are', async () => {
    await expectKept('docs/json.md', (page) => withPart(page, 'documents', documentReference(DOCUMENTS)));
  });

  it('are described member by member', () => {
    expect(undescribed(DOCUMENTS)).toEqual([]);
  });
});

import { isObject, parseObject } from '../../adapt/json.ts';
import { Redactor } from '../../core/redact.ts';
import { typeName } from '../../site/types.ts';
import type { StateSource } from '../../site/types.ts';

/** Shorter values would hide ordinary words, and say little. */
const SHORTEST = 8;

/**
 * Takes out of what commands and servers said whatever the Secrets of the point hold, as text and in base64, and `more`. The Secrets are
 * read one by one: what is told to the redactor is only what is in one of the texts.
 */
export async function hideSecrets(source: StateSource, texts: readonly string[], more: readonly string[], signal: AbortSignal | undefined): Promise<string[]> {
  const redactor = new Redactor();
  for (const secret of more) redactor.add(secret);
  const said = texts.join('\n');
  for (const type of source.summary.types) {
    if (typeName(type) !== 'secrets' || said === '') continue;
    for await (const bytes of source.objects(type, { signal })) {
      const data = parseObject(bytes)['data'];
      if (!isObject(data)) continue;
      for (const value of Object.values(data)) {
        if (typeof value !== 'string') continue;
        const plain = Buffer.from(value, 'base64').toString('utf8');
        for (const form of [value, plain, ...plain.split(/\r?\n/).map((line) => line.trim())]) if (form.length >= SHORTEST && said.includes(form)) redactor.add(form);
      }
    }
  }
  return texts.map((text) => redactor.redact(text));
}

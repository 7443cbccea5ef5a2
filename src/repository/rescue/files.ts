import { readFile } from 'node:fs/promises';
import { RESCUE_PREFIX } from '../layout.ts';
import { sha256Hex } from '../bytes.ts';

/** A file that is put into every vault, so that the vault alone and a key are enough. */
export interface RescueFile {
  readonly key: string;
  readonly bytes: Uint8Array;
}

/** The rescue reader and its instructions, named by their contents: another version is another file. */
export async function rescueFiles(): Promise<RescueFile[]> {
  const [reader, readme] = await Promise.all([
    readFile(new URL('lifeboat-rescue.mjs', import.meta.url)),
    readFile(new URL('README.md', import.meta.url), 'utf8'),
  ]);
  const readerName = `lifeboat-rescue-${shortHash(reader)}.mjs`;
  const instructions = Buffer.from(readme.replaceAll('node rescue/lifeboat-rescue.mjs', `node rescue/${readerName}`));
  return [
    { key: `${RESCUE_PREFIX}${readerName}`, bytes: reader },
    { key: `${RESCUE_PREFIX}README-${shortHash(instructions)}.md`, bytes: instructions },
  ];
}

function shortHash(bytes: Uint8Array): string {
  return sha256Hex(bytes).slice(0, 16);
}

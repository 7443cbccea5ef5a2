import { RunEncoder } from '../../../../src/repository/bulk/byte-map.ts';
import { cutAll } from '../../../../src/repository/bulk/large-chunker.ts';
import { seal } from '../../../../src/repository/aead.ts';
import { ByteWriter } from '../../../../src/repository/bytes.ts';
import { blockContext, packKeys } from '../../../../src/repository/pack-format.ts';
import { made } from '../units.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** What fixed inputs give. docs/format.md says what each input is. */
export function computeBulkUnits(): Record<string, unknown> {
  const repositoryId = made('repository', 16);
  const keys = packKeys(made('content key', 32), repositoryId, 2);
  const block = blockContext(7, repositoryId, keys.commitment, 2);
  const data = made('large chunker', 12_000_000);
  return {
    largeCuts: [...cutAll(data, data.length, true)],
    commitment2: hex(keys.commitment),
    block2Sealed: hex(seal(keys.key, block.nonce, block.aad, Buffer.from('the contents of block 7'))),
    byteMap: hex(byteMap(made('ids', 96))),
  };
}

function byteMap(ids: Uint8Array): Buffer {
  const out = new ByteWriter();
  out.byte(0);
  const encoder = new RunEncoder();
  const run = (pack: number, block: number, index: number, lengths: readonly number[], from: number): void =>
    encoder.encode({ pack, block, index, lengths: Uint32Array.from(lengths), ids: ids.subarray(16 * from, 16 * (from + lengths.length)) }, out);
  encoder.encode({ hole: 5_000_000 }, out);
  run(0, 3, 0, [1_048_576, 1_048_576, 1_048_576], 0);
  run(0, 6, 0, [77], 3);
  run(2, 0, 9, [300, 4_194_304], 4);
  return out.finish();
}

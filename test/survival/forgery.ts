import type { Secret } from '../../src/keys/index.ts';
import { signFor } from '../../src/keys/signing.ts';

/** A point with its first line edited, and signed again if a key is given (docs/format.md, "Signed JSON"). */
export function editPoint(bytes: Buffer, edit: (line: string) => string, signingKey?: Secret): Buffer {
  const end = bytes.indexOf(10);
  const signatureEnd = bytes.indexOf(10, end + 1) + 1;
  const line = Buffer.from(edit(bytes.toString('utf8', 0, end)));
  const signature =
    signingKey === undefined
      ? bytes.subarray(end, signatureEnd)
      : Buffer.from(`\n{"signature":"${Buffer.from(signFor('lifeboat/1/point', line, signingKey)).toString('hex')}"}\n`);
  return Buffer.concat([line, signature, bytes.subarray(signatureEnd)]);
}

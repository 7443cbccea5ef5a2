import { generateIdentity } from '../../src/keys/index.ts';
import { describeSlots } from './slot-contract.ts';

describeSlots('passphrase', 'a passphrase', () =>
  Promise.resolve({
    bench: () =>
      Promise.resolve({
        lock: { kind: 'passphrase', passphrase: 'swordfish', workFactor: 4 },
        opener: { passphrases: ['swordfish'] },
        stranger: { passphrases: ['Swordfish'] },
      }),
  }),
);

for (const kind of ['x25519', 'post-quantum'] as const) {
  describeSlots(kind, `an age identity, ${kind}`, () =>
    Promise.resolve({
      bench: async () => {
        const [mine, other] = await Promise.all([generateIdentity(kind), generateIdentity(kind)]);
        return { lock: { kind: 'age', recipient: mine.recipient }, opener: { identities: [mine.identity] }, stranger: { identities: [other.identity] } };
      },
    }),
  );
}

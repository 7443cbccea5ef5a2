import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openKms, requireKmsKey } from '../../src/keys/index.ts';
import { startFaultProxy } from '../testbed/fault-proxy.ts';
import { startGcpKmsDouble, SUBJECT_TOKEN } from './doubles/gcp-kms.ts';
import { describeServiceSlots } from './slot-contract.ts';

describeServiceSlots('gcp-kms', 'a double of Google Cloud KMS', async () => {
  const double = await startGcpKmsDouble();
  const proxy = await startFaultProxy({ upstream: double.address });
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-gcp-'));
  await writeFile(join(folder, 'token'), SUBJECT_TOKEN);
  await writeFile(join(folder, 'credentials.json'), JSON.stringify(double.credentials(join(folder, 'token'))));
  const before = process.env['GOOGLE_APPLICATION_CREDENTIALS'];
  process.env['GOOGLE_APPLICATION_CREDENTIALS'] = join(folder, 'credentials.json');
  return {
    bench: () => {
      const [key, other] = [double.createKey(), double.createKey()];
      const open = (name: string) => openKms(requireKmsKey('gcp-kms', name), { endpoint: proxy.url });
      const provider = open(key);
      return Promise.resolve({
        lock: { kind: 'kms', provider },
        opener: { kms: [provider] },
        stranger: { kms: [open(other)] },
        service: {
          provider,
          proxy,
          secrets: [SUBJECT_TOKEN],
          rotate: async () => double.rotate(key),
          refuse: async () => double.permit(key, false),
          disable: async () => double.disable(key),
          remove: async () => double.remove(key),
        },
      });
    },
    stop: async () => {
      if (before === undefined) delete process.env['GOOGLE_APPLICATION_CREDENTIALS'];
      else process.env['GOOGLE_APPLICATION_CREDENTIALS'] = before;
      await proxy.close();
      await double[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
});

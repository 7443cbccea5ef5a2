import { describe, expect, it } from 'vitest';
import { generateRepositoryKeys, openKms, openSlot, requireKmsKey, sealSlot } from '../../src/keys/index.ts';
import type { KmsProvider } from '../../src/keys/index.ts';
import { startFaultProxy } from '../testbed/fault-proxy.ts';
import { startMoto } from '../testbed/kms/moto.ts';
import { describeServiceSlots } from './slot-contract.ts';

const REGION = 'eu-central-1';
const SECRET = 'a-secret-access-key-of-a-test';

/** Credentials from the environment, as on most machines; gives a way to put things back. */
function setCredentials(): () => void {
  const wanted = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: SECRET };
  const before = Object.keys(wanted).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, wanted);
  return () => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  };
}

const open = (endpoint: string, arn: string): KmsProvider => openKms(requireKmsKey('aws-kms', arn), { endpoint });

/** An error as the KMS API reference describes it. */
const answer = (type: string, status = 400) =>
  ({ do: 'answer', status, headers: { 'content-type': 'application/x-amz-json-1.1' }, body: JSON.stringify({ __type: type, message: 'no' }) }) as const;

describeServiceSlots('aws-kms', 'moto', async () => {
  const restore = setCredentials();
  const moto = await startMoto();
  const proxy = await startFaultProxy({ upstream: moto.address });
  return {
    bench: async () => {
      const [key, other] = [await moto.createKey(REGION), await moto.createKey(REGION)];
      const provider = open(proxy.url, key);
      return {
        lock: { kind: 'kms', provider },
        opener: { kms: [provider] },
        stranger: { kms: [open(proxy.url, other)] },
        service: {
          provider,
          proxy,
          secrets: [SECRET],
          // AWS KMS keeps old key material under the same ARN: nothing is to be seen of a rotation.
          rotate: () => Promise.resolve(),
          // moto lets everybody in, decrypts with disabled keys and keeps deleted ones: the proxy answers what AWS would.
          refuse: async () => void proxy.inject({ action: answer('AccessDeniedException'), times: 2 }),
          disable: async () => void proxy.inject({ action: answer('DisabledException'), times: 2 }),
          remove: async () => {
            proxy.clear();
            proxy.inject({ action: answer('NotFoundException'), times: 2 });
          },
        },
      };
    },
    stop: async () => {
      restore();
      await proxy.close();
      await moto.stop();
    },
  };
});

describe('a key of AWS KMS', () => {
  it('may be a replica in another region of the multi-Region key that locked the slot, and no other key', async () => {
    const keys = await generateRepositoryKeys();
    const wrapped = new Map<string, Uint8Array>();
    // Replicas share their material; here, a map. (moto cannot decrypt with such keys.)
    const replica = (arn: string): KmsProvider => ({
      key: requireKmsKey('aws-kms', arn),
      wrap: async (plaintext, context) => {
        wrapped.set(context.repositoryId, plaintext);
        return { version: '-', bytes: new Uint8Array(8) };
      },
      unwrap: async (_wrapped, context) => wrapped.get(context.repositoryId) ?? new Uint8Array(),
    });
    const arn = (region: string, account = '111122223333', id = 'mrk-1234abcd12ab34cd56ef1234567890ab'): string => `arn:aws:kms:${region}:${account}:key/${id}`;
    const slot = await sealSlot(keys, { kind: 'kms', provider: replica(arn('eu-central-1')) });
    expect(await openSlot(slot, { kms: [replica(arn('us-east-1'))] })).toBeDefined();
    for (const other of [arn('us-east-1', '999999999999'), arn('us-east-1', undefined, 'mrk-0'), arn('eu-central-1', undefined, '1234abcd-12ab-34cd-56ef-1234567890ab')]) {
      expect(await openSlot(slot, { kms: [replica(other)] })).toBeUndefined();
    }
    const single = await sealSlot(keys, { kind: 'kms', provider: replica(arn('eu-central-1', undefined, '1234abcd-12ab-34cd-56ef-1234567890ab')) });
    expect(await openSlot(single, { kms: [replica(arn('us-east-1', undefined, '1234abcd-12ab-34cd-56ef-1234567890ab'))] })).toBeUndefined();
  });

  it('fails as AWS documents it, and each way is told apart', async () => {
    const restore = setCredentials();
    await using proxy = await startFaultProxy({ upstream: 'http://127.0.0.1:9' });
    try {
      const provider = open(proxy.url, 'arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-0000-0000-000000000000');
      const context = { repositoryId: '0'.repeat(32), role: 'owner' } as const;
      for (const [type, code, status] of [
        ['AccessDeniedException', 'LB_KEY_ACCESS'],
        ['UnrecognizedClientException', 'LB_KEY_ACCESS'],
        ['ExpiredTokenException', 'LB_KEY_ACCESS'],
        ['com.amazonaws.kms#DisabledException', 'LB_KEY_DISABLED'],
        ['KMSInvalidStateException', 'LB_KEY_DISABLED'],
        ['NotFoundException', 'LB_KEY_GONE'],
        ['InvalidCiphertextException', 'LB_KEY_WRONG'],
        ['IncorrectKeyException', 'LB_KEY_WRONG'],
        ['InvalidKeyUsageException', 'LB_KEY_INVALID'],
        ['ThrottlingException', 'LB_KEY_UNAVAILABLE'],
        ['KMSInternalException', 'LB_KEY_UNAVAILABLE', 500],
      ] as const) {
        proxy.clear();
        proxy.inject({ action: answer(type, status), times: 10 });
        await expect(provider.unwrap({ version: '-', bytes: new Uint8Array(8) }, context)).rejects.toMatchObject({ code });
      }
    } finally {
      restore();
    }
  });
});

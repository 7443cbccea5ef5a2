import dns from 'node:dns';
import tls from 'node:tls';
import { openAzureKeyVault } from '../../src/keys/kms/azure.ts';
import { requireKmsKey } from '../../src/keys/index.ts';
import type { KmsProvider } from '../../src/keys/index.ts';
import { startFaultProxy } from '../testbed/fault-proxy.ts';
import { createAuthority } from '../../src/drill/cluster/certificates.ts';
import { startAzureKeyVaultDouble } from './doubles/azure-key-vault.ts';
import { describeServiceSlots } from './slot-contract.ts';

const HOST = 'acme-backup.vault.azure.net';

/** Lets this process take `HOST` for itself and trust an authority; gives a way to put things back. */
function pretend(certificate: string): () => void {
  const trusted = tls.getCACertificates('default');
  tls.setDefaultCACertificates([...trusted, certificate]);
  const { lookup } = dns;
  const answer = (...[options, callback]: readonly unknown[]): void => {
    const all = typeof options === 'object' && options !== null && 'all' in options && options.all === true;
    if (typeof callback === 'function') Reflect.apply(callback, undefined, all ? [null, [{ address: '127.0.0.1', family: 4 }]] : [null, '127.0.0.1', 4]);
  };
  Object.assign(dns, {
    lookup: (hostname: string, ...rest: unknown[]) => {
      if (hostname === HOST) answer(...rest);
      else Reflect.apply(lookup, dns, [hostname, ...rest]);
    },
  });
  return () => {
    Object.assign(dns, { lookup });
    tls.setDefaultCACertificates(trusted);
  };
}

describeServiceSlots('azure-key-vault', 'a double of Azure Key Vault', async () => {
  const authority = createAuthority('double of Azure');
  const { certificate: cert, key: privateKey } = authority.issue({ commonName: HOST, usage: 'server', dnsNames: [HOST] });
  const restore = pretend(authority.certificate);
  let host = HOST;
  const double = await startAzureKeyVaultDouble(() => host);
  const proxy = await startFaultProxy({ upstream: double.address, tls: { cert, key: privateKey } });
  host = `${HOST}:${new URL(proxy.url).port}`;
  // Only the service has a double: how a token comes about is the credential's own affair.
  const credential = { getToken: () => Promise.resolve({ token: double.token, expiresOnTimestamp: Date.now() + 3_600_000 }) };
  const open = (name: string): KmsProvider => openAzureKeyVault(requireKmsKey('azure-key-vault', `https://${host}/keys/${name}`), credential);
  return {
    bench: () => {
      const [key, other] = [double.createKey(), double.createKey()];
      const provider = open(key);
      return Promise.resolve({
        lock: { kind: 'kms', provider },
        opener: { kms: [provider] },
        stranger: { kms: [open(other)] },
        service: {
          provider,
          proxy,
          secrets: [double.token],
          rotate: async () => double.rotate(key),
          refuse: async () => double.permit(key, false),
          disable: async () => double.disable(key),
          remove: async () => double.remove(key),
        },
      });
    },
    stop: async () => {
      restore();
      await proxy.close();
      await double[Symbol.asyncDispose]();
    },
  };
});

import { X509Certificate } from 'node:crypto';
import { createServer, get } from 'node:https';
import { describe, expect, it } from 'vitest';
import { createAuthority } from '../../src/drill/cluster/certificates.ts';

describe('an authority', () => {
  it('issues certificates with the names and purposes asked for', () => {
    const authority = createAuthority('test');
    const ca = new X509Certificate(authority.certificate);
    const client = new X509Certificate(
      authority.issue({ commonName: 'zoë', organizations: ['a', 'b'], usage: 'client' }).certificate,
    );
    const names = { dnsNames: ['localhost'], addresses: ['127.0.0.1'] };
    const server = new X509Certificate(authority.issue({ commonName: 's', usage: 'both', ...names }).certificate);
    expect(ca.ca).toBe(true);
    expect(ca.verify(ca.publicKey)).toBe(true);
    expect(client.checkIssued(ca) && client.verify(ca.publicKey)).toBe(true);
    expect(client.subject).toBe('O=a\nO=b\nCN=zoë');
    expect(client.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
    expect(server.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
    expect(server.subjectAltName).toBe('DNS:localhost, IP Address:127.0.0.1');
    expect(server.validFromDate.getTime()).toBeLessThan(Date.now());
    expect(server.validToDate.getTime()).toBeGreaterThan(Date.now());
    expect(server.serialNumber).not.toBe(client.serialNumber);
  });

  it('is what a client that trusts it accepts a server by, and no other', async () => {
    const authority = createAuthority('test');
    const { certificate, key } = authority.issue({ commonName: 's', usage: 'server', addresses: ['127.0.0.1'] });
    const server = createServer({ cert: certificate, key }, (_request, response) => response.end('hello'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const status = async (ca: string): Promise<number | undefined> =>
      await new Promise((resolve, reject) => {
        const request = get({ host: '127.0.0.1', port, ca, agent: false }, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        request.once('error', reject);
      });
    try {
      expect(await status(authority.certificate)).toBe(200);
      await expect(status(createAuthority('test').certificate)).rejects.toThrow(/signature|certificate/);
    } finally {
      server.close();
    }
  });
});

import { assert, asyncProperty, constantFrom, stringMatching } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LifeboatError } from '../../src/core/errors.ts';
import { createApp } from '../../src/server/app.ts';
import { decodeBatch, partsOfKey } from '../../src/server/audit/batch.ts';
import { OidcProviderDouble } from './doubles/oidc-provider-double.ts';
import { Scene } from './scene.ts';

/** A secret that is found in whatever form it is written. */
const secret = stringMatching(/^[A-Za-z0-9]{24,40}$/);

describe('a secret', () => {
  it('that somebody sends wherever it does not belong gets into no answer’s error, no record and no line of the log', async () => {
    const provider = await OidcProviderDouble.start();
    try {
      await assert(
        asyncProperty(secret, constantFrom('token', 'basic', 'plan', 'point', 'digest', 'id', 'query', 'idempotency', 'broken-json', 'object', 'certificate-name', 'route'), async (text, place) => {
          const scene = await Scene.open({ provider, outsideTest: true });
          const post = (body: unknown, headers: Record<string, string> = {}) => scene.ask('operate', 'POST', '/v1/restores', { body, headers });
          const response = await {
            token: () => scene.ask(undefined, 'GET', '/v1/plans', { headers: { authorization: `Bearer ${text}` } }),
            basic: () => scene.ask(undefined, 'GET', '/v1/plans', { headers: { authorization: `Basic ${text}` } }),
            plan: () => post({ plan: text, target: 'spare' }),
            point: () => post({ plan: 'prod', target: 'spare', point: { password: text } }),
            digest: () => scene.ask('administer', 'POST', '/v1/restores/restore.x/confirm', { body: { digest: text } }),
            id: () => scene.ask('look', 'GET', `/v1/restores/${text}%20`),
            query: () => scene.ask('look', 'GET', `/v1/points?plan=prod&before=${text}`),
            idempotency: () => post({ plan: 'prod', target: 'spare' }, { 'idempotency-key': text }),
            'broken-json': () => post(`{"plan": "${text}`),
            object: () => post({ plan: 'prod', target: 'spare', objects: [text] }),
            'certificate-name': () => scene.ask(undefined, 'GET', '/v1/plans', { peer: { address: '192.0.2.7', certificate: { commonNames: [text, 'other'], issuer: 'CN=x', fingerprint: 'ab' } } }),
            route: () => scene.ask(undefined, 'GET', `/${text}`),
          }[place]();
          const answer = await response.text();
          await scene.parts.audit.flush();
          const stored = [...scene.vault.objects].map(([key, bytes]) => {
            decodeBatch(partsOfKey(key)?.id ?? '', bytes, scene.key);
            return Buffer.from(bytes).toString('utf8');
          });
          for (const seen of [answer, JSON.stringify(scene.log), ...stored]) {
            expect(seen).not.toContain(text);
            expect(seen).not.toContain(Buffer.from(text).toString('base64').slice(0, 20));
          }
        }),
        { numRuns: 120 },
      );
    } finally {
      await provider.close();
    }
  });

  it('that is known to the server is taken out of errors, and what was not thrown on purpose says nothing', async () => {
    const scene = await Scene.open();
    scene.redactor.add('correct-horse-battery');
    scene.jobs.failing = new LifeboatError('LB_VAULT_ACCESS', 'Refused with correct-horse-battery', { hint: 'not correct-horse-battery', where: 'correct-horse-battery' });
    const known = await (await scene.ask('look', 'GET', '/v1/jobs')).text();
    expect(known).toContain('[secret]');
    expect(known).not.toContain('correct-horse');
    scene.jobs.failing = new TypeError('cannot read correct-horse at /home/somebody/x.ts:1');
    const app = createApp({ ...scene.parts, redact: (text) => text });
    const response = await app.fetch(new Request('http://lifeboat.test/v1/jobs', { headers: { authorization: `Bearer ${await scene.token('look')}` } }), {});
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({
      type: 'urn:lifeboat:error:LB_INTERNAL',
      title: 'A bug in lifeboat',
      status: 500,
      detail: 'Something unexpected happened',
      code: 'LB_INTERNAL',
      hint: 'The log of the server has more about this request.',
      docs: 'docs/errors.md#lb_internal',
      instance: expect.stringMatching(/^urn:uuid:/) as string,
    });
  });
});

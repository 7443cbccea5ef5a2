import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { awsHttp } from '../../src/functions/events/aws.ts';
import { api } from '../../src/functions/handlers/api.ts';
import type { HttpOutcome } from '../../src/functions/outcome.ts';
import { startIssuer } from './issuer-double.ts';
import type { Issuer } from './issuer-double.ts';
import { apiSurroundings } from './surroundings.ts';

let issuer: Issuer;
beforeAll(async () => {
  issuer = await startIssuer();
});
afterAll(() => issuer[Symbol.asyncDispose]());

/** A request as API Gateway hands it on, which has let it through. */
function gateway(method: string, path: string, token: string | undefined, body?: unknown): unknown {
  const headers = { 'Content-Type': 'application/json', ...(token !== undefined && { Authorization: `Bearer ${token}` }) };
  const authorizer = { jwt: { claims: { sub: 'ada', roles: '[leads]' }, scopes: null } };
  const requestContext = { requestId: 'r', timeEpoch: 1, stage: '$default', domainName: 'api.example.net', http: { method, sourceIp: '192.0.2.1' }, authorizer };
  return { version: '2.0', rawPath: path, rawQueryString: '', headers, requestContext, body: body === undefined ? null : JSON.stringify(body) };
}

const ORDER = { plan: 'shop', target: 'spare' };
const bodyOf = (outcome: HttpOutcome): Record<string, unknown> => JSON.parse(outcome.body) as Record<string, unknown>;

// What the API does is tried in test/server. Here it is what carries it.
describe('the API behind an HTTP API of AWS', () => {
  it('hands a restore over, shows it, and has put on record who asked', async () => {
    const surroundings = await apiSurroundings(issuer.address);
    const token = await issuer.token();
    const ordered = await api(awsHttp(gateway('POST', '/v1/restores', token, ORDER)), surroundings);
    expect(ordered.status).toBe(202);
    const [job] = await surroundings.queue.jobs();
    expect(job).toMatchObject({ kind: 'restore', requestedBy: 'token:ada', request: ORDER });
    expect(bodyOf(ordered)).toMatchObject({ id: job?.id, created: true });
    // The function may sleep as soon as it has answered: the record is there already.
    expect(await readdir(join(surroundings.vault, 'audit'))).toHaveLength(1);
    expect(bodyOf(await api(awsHttp(gateway('GET', `/v1/restores/${job?.id}`, token)), surroundings))).toMatchObject({ id: job?.id, state: 'waiting' });
  });

  it('believes no authorizer: each token is verified', async () => {
    const surroundings = await apiSurroundings(issuer.address);
    for (const token of [undefined, await issuer.token({}, { key: 'other' }), await issuer.token({ aud: 'mail' })]) {
      expect(await api(awsHttp(gateway('POST', '/v1/restores', token, ORDER)), surroundings)).toMatchObject({ status: 401 });
    }
    const viewer = await issuer.token({ roles: ['auditors'] });
    expect(await api(awsHttp(gateway('POST', '/v1/restores', viewer, ORDER)), surroundings)).toMatchObject({ status: 403 });
    expect(await surroundings.queue.jobs()).toEqual([]);
  });

  it('does not stream', async () => {
    const surroundings = await apiSurroundings(issuer.address);
    const answer = await api(awsHttp(gateway('GET', '/v1/restores/x/events', await issuer.token())), surroundings);
    expect([answer.status, bodyOf(answer)['code']]).toEqual([404, 'LB_API_NOT_FOUND']);
  });
});

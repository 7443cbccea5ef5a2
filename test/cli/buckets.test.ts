import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSite } from '../testbed/kubernetes/site.ts';
import type { Site } from '../testbed/kubernetes/site.ts';
import { startAzurite } from '../testbed/azure/azurite.ts';
import { startFakeGcs } from '../testbed/gcs/fake-gcs-server.ts';
import type { HttpServer } from '../testbed/http-server.ts';
import { startVersitygw } from '../testbed/s3/versitygw.ts';
import { backupDocument, doctorDocument, errorDocument, pointsDocument } from './documents.ts';
import { emptyFolder, lifeboat } from './lifeboat.ts';

let site: Site;

beforeAll(async () => {
  site = await startSite({ name: 'prod' });
});

afterAll(async () => {
  await site?.stop();
});

/** A store with a bucket: its address as a vault, and the environment that credentials are found in. */
interface Place {
  readonly server: HttpServer;
  readonly address: string;
  readonly env: Readonly<Record<string, string>>;
  readonly secret: string;
}

async function s3(): Promise<Place> {
  const server = await startVersitygw();
  const { accessKeyId, secretAccessKey: secret } = server.credentials;
  const address = `s3://${await server.createBucket()}/some/prefix?endpoint=${server.endpoint}&region=us-east-1&pathStyle=true`;
  return { server, address, env: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secret }, secret };
}

async function gcs(): Promise<Place> {
  const server = await startFakeGcs('memory');
  return { server, address: `gs://${await server.createBucket()}/some/prefix?endpoint=${server.url}`, env: {}, secret: 'there is none' };
}

async function azure(): Promise<Place> {
  const server = await startAzurite();
  const container = await server.createContainer();
  const address = `azure://${server.account}/${container}/some/prefix?endpoint=${server.endpoint}&accountKeyEnv=BACKUP_KEY`;
  return { server, address, env: { BACKUP_KEY: server.accountKey }, secret: server.accountKey };
}

describe.each([
  ['of S3', s3],
  ['of Google Cloud Storage', gcs],
  ['of Azure Blob Storage', azure],
])('a vault in a bucket %s', (_, start) => {
  it('is set up, tried, written and read by its address and credentials from the environment', async () => {
    const { server, address, env, secret } = await start();
    await using _server = server;
    const cwd = await emptyFolder();
    const outputs: string[] = [];
    const run = async (...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await lifeboat([...args, '--json'], { cwd, env });
      outputs.push(stdout, stderr);
      expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' });
      return stdout;
    };
    await run('init', '--kubeconfig', site.kubeconfigPath, '--vault', `far=${address}`);
    const { findings } = doctorDocument.parse(JSON.parse(await run('doctor')));
    const about = findings.filter(({ subject }) => subject === 'vault "far"');
    // The credentials may do everything, which a writer's should not.
    expect(about.filter(({ status }) => status !== 'ok').map(({ check, status }) => [check, status])).toEqual([
      ['overwrite', 'warn'],
      ['delete', 'warn'],
    ]);
    expect(about.map(({ check }) => check)).toEqual(expect.arrayContaining(['exclusive', 'consistent', 'repository', 'read-key', 'rescue', 'clock']));
    const { point } = backupDocument.parse(JSON.parse(await run('backup')));
    await run('verify', '--data');
    await rm(join(cwd, 'lifeboat.yaml'));
    const { points } = pointsDocument.parse(JSON.parse(await run('points', '--vault', address)));
    expect(points.map(({ id }) => id)).toEqual([point.id]);
    await run('show', point.id, '--vault', address, '--identity', 'lifeboat-identity.txt');
    expect(outputs.filter((output) => output.includes(secret))).toEqual([]);
  });
});

describe('a vault in a bucket', () => {
  it('with wrong credentials, or none, is one clear error', async () => {
    await using store = await startVersitygw();
    const cwd = await emptyFolder();
    const address = `s3://${await store.createBucket()}?endpoint=${store.endpoint}`;
    const env = { AWS_ACCESS_KEY_ID: 'nobody', AWS_SECRET_ACCESS_KEY: 'wrong-secret-access-key' };
    const wrong = await lifeboat(['points', '--vault', address, '--json'], { cwd, env });
    expect(wrong.code).toBe(1);
    expect(errorDocument.parse(JSON.parse(wrong.stdout)).error.code).toBe('LB_VAULT_ACCESS');
    expect(wrong.stdout).not.toContain('wrong-secret-access-key');
    const none = await lifeboat(['points', '--vault', address, '--json'], { cwd, env: { AWS_EC2_METADATA_DISABLED: 'true' } });
    expect(errorDocument.parse(JSON.parse(none.stdout)).error.code).toBe('LB_VAULT_ACCESS');
  });
});

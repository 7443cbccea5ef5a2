import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSite } from '../testbed/kubernetes/site.ts';
import type { Site } from '../testbed/kubernetes/site.ts';
import type { S3Server } from '../testbed/s3/server.ts';
import { startVersitygw } from '../testbed/s3/versitygw.ts';
import { backupDocument, doctorDocument, errorDocument, pointsDocument } from './documents.ts';
import { emptyFolder, lifeboat } from './lifeboat.ts';

let site: Site;
let store: S3Server;

beforeAll(async () => {
  [site, store] = await Promise.all([startSite({ name: 'prod' }), startVersitygw()]);
});

afterAll(async () => {
  await Promise.all([site, store].map((one) => one?.stop()));
});

describe('a vault in a bucket', () => {
  it('is set up, tried, written and read by its address and credentials from the environment', async () => {
    const cwd = await emptyFolder();
    const { accessKeyId, secretAccessKey } = store.credentials;
    const env = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
    const address = `s3://${await store.createBucket()}/some/prefix?endpoint=${store.endpoint}&region=us-east-1&pathStyle=true`;
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
    expect(about.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(about.map(({ check }) => check)).toEqual(expect.arrayContaining(['exclusive', 'consistent', 'repository', 'read-key', 'rescue', 'clock']));
    const { point } = backupDocument.parse(JSON.parse(await run('backup')));
    await run('verify', '--data');
    await rm(join(cwd, 'lifeboat.yaml'));
    const { points } = pointsDocument.parse(JSON.parse(await run('points', '--vault', address)));
    expect(points.map(({ id }) => id)).toEqual([point.id]);
    await run('show', point.id, '--vault', address, '--identity', 'lifeboat-identity.txt');
    expect(outputs.filter((output) => output.includes(secretAccessKey))).toEqual([]);
  });

  it('with wrong credentials, or none, is one clear error', async () => {
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

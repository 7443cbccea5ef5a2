import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkLocks } from '../../src/cli/doctor/locks.ts';
import type { Finding } from '../../src/cli/doctor/finding.ts';
import { parseConfig } from '../../src/config/load.ts';
import { startSite } from '../testbed/kubernetes/site.ts';
import type { Site } from '../testbed/kubernetes/site.ts';
import { startVersitygw } from '../testbed/s3/versitygw.ts';
import { backupDocument, doctorDocument, pointsDocument, replicateDocument, verifyDocument } from './documents.ts';
import { edit, Home } from './home.ts';
import { emptyFolder } from './lifeboat.ts';

describe('a plan with `lock` whose vault is a bucket with object lock', () => {
  let site: Site;
  beforeAll(async () => {
    site = await startSite({ name: 'prod', controllers: false });
  });
  afterAll(async () => {
    await site?.stop();
  });

  it('has its points locked, by backups and by replicate, shown to be so, and what was put over them taken away', async () => {
    await using server = await startVersitygw();
    const { accessKeyId, secretAccessKey } = server.credentials;
    const env = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
    const buckets = [await server.createBucket({ lock: true }), await server.createBucket({ lock: true })] as const;
    const address = (bucket: string): string => `s3://${bucket}/p?endpoint=${server.endpoint}&region=us-east-1&pathStyle=true&lock=true`;
    const home = new Home(await emptyFolder());
    const made = await home.run(['init', '--kubeconfig', site.kubeconfigPath, '--vault', `near=dir:near`, '--vault', `far=${address(buckets[0])}`], { env });
    expect(made.code).toBe(0);
    await edit(home, 'lifeboat.yaml', /^( +)vaults: \[near, far\]$/m, '$1vaults: [near, far]\n$1lock: 1h');
    const { point } = await home.json(backupDocument, 0, ['backup'], { env });
    const { points } = await home.json(pointsDocument, 0, ['points'], { env });
    const lockOf = (vault: string, listed = points): number => Date.parse(listed[0]?.copies.find((copy) => copy.vault === vault)?.lockedUntil ?? '') - Date.now();
    expect(lockOf('far')).toBeGreaterThan(50 * 60_000);
    expect(lockOf('near')).toBeNaN();
    expect((await home.run(['points'], { env })).stdout).toMatch(/near, far \(locked for \d+ min\)\n/);

    await edit(home, 'lifeboat.yaml', /^vaults:\n/m, `vaults:\n  third:\n    type: s3\n    endpoint: ${server.endpoint}\n    region: us-east-1\n    bucket: ${buckets[1]}\n    prefix: p\n    lock: true\n`);
    await edit(home, 'lifeboat.yaml', /vaults: \[near, far\]/, 'vaults: [near, far, third]');
    await home.json(replicateDocument, 0, ['replicate'], { env });
    const three = await home.json(pointsDocument, 0, ['points'], { env });
    expect(lockOf('third', three.points)).toBeGreaterThan(50 * 60_000);

    const client = new S3Client({ endpoint: server.endpoint, credentials: server.credentials, region: 'us-east-1', forcePathStyle: true });
    await client.send(new PutObjectCommand({ Bucket: buckets[0], Key: `p/points/prod/${point.id}`, Body: 'a shadow' }));
    client.destroy();
    const shadowed = await home.json(pointsDocument, 4, ['points'], { env });
    expect(shadowed.points).toMatchObject([{ safe: true, copies: expect.arrayContaining([expect.objectContaining({ vault: 'far', state: 'complete', shadowed: 1 })]) as unknown }]);
    expect((await home.run(['points'], { env })).stdout).toMatch(/far \(1 object shadowed; locked for \d+ min\)/);
    const { findings } = await home.json(verifyDocument, 4, ['verify'], { env });
    expect(findings).toMatchObject([{ vault: 'far', object: `points/prod/${point.id}`, kind: 'shadowed', points: [] }]);
    await home.json(verifyDocument, 0, ['verify', '--heal'], { env });
    await home.json(pointsDocument, 0, ['points'], { env });

    const doctor = await home.json(doctorDocument, 0, ['doctor'], { env });
    const about = doctor.findings.filter(({ check }) => check === 'lock').map(({ subject, status }) => `${subject} ${status}`);
    expect(about).toEqual(['plan "prod" warn', 'plan "prod" ok', 'vault "third" ok', 'vault "far" ok']);
  });
});

describe('doctor', () => {
  const findings = (plan: string, vaults: string): [string, string][] => {
    const config = parseConfig(`version: 1\nsites:\n  prod:\n    kubeconfig: k\nvaults:\n${vaults}plans:\n  prod:\n    site: prod\n    vaults: [a, b]\n${plan}`, 'lifeboat.yaml');
    const found: Finding[] = [];
    for (const [name, one] of config.plans) checkLocks(config, name, one, (finding) => found.push(finding));
    return found.map(({ status, message }) => [status, message]);
  };
  const bucket = (name: string, lock: boolean): string => `  ${name}:\n    type: s3\n    bucket: ${name}-bucket\n${lock ? '    lock: true\n' : ''}`;
  const folder = (name: string): string => `  ${name}:\n    type: directory\n    path: ${name}\n`;

  it('warns of each vault of a plan with a lock that does not lock, and says which do', () => {
    expect(findings('    lock: 30d\n', bucket('a', true) + bucket('b', true))).toEqual([['ok', 'what it stores is locked for 30d in a, b']]);
    expect(findings('    lock: 30d\n', bucket('a', false) + folder('b'))).toEqual([
      ['warn', expect.stringContaining('"a" is not set to lock')],
      ['warn', expect.stringContaining('"b" is a folder, which cannot lock')],
    ]);
  });

  it('warns of vaults that could lock for a plan that does not ask for it, and says nothing where nobody speaks of locks', () => {
    expect(findings('', bucket('a', true) + folder('b'))).toEqual([['warn', expect.stringContaining('a could lock')]]);
    expect(findings('', bucket('a', false) + folder('b'))).toEqual([]);
  });
});

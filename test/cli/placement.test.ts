import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseWriteKey } from '../../src/keys/index.ts';
import { openWriter } from '../../src/repository/index.ts';
import { openVault } from '../../src/vault/open.ts';
import { doctorDocument, errorDocument, placementDocument } from './documents.ts';
import { edit, Home } from './home.ts';
import { emptyFolder } from './lifeboat.ts';

const VAULTS = `vaults:
  near: {type: s3, bucket: near-bucket, region: eu-central-1, domain: {account: "1"}}
  west: {type: s3, bucket: west-bucket, region: eu-west-1, domain: {account: "1"}}
  south: {type: directory, path: south, domain: {cloud: own, account: own, region: rome, zone: cellar}}
`;

/** A folder with a lifeboat.yaml for a site in eu-central-1 of aws. Its buckets do not exist, and nothing may ask for them. */
async function homeWith(plan: string, vaults = VAULTS): Promise<Home> {
  const folder = await emptyFolder();
  const site = 'sites: {prod: {kubeconfig: none, domain: {cloud: aws, account: "1", region: eu-central-1}}}';
  await writeFile(join(folder, 'lifeboat.yaml'), `version: 1\n${site}\n${vaults}keys: {write: {file: lifeboat-write.key}, read: {identityFile: lifeboat-identity.txt}}\nplans: {prod: {site: prod, ${plan}}}\n`);
  return new Home(folder);
}

describe('lifeboat placement', () => {
  it('shows of a good plan what each loss takes and leaves, and what a month costs', async () => {
    const home = await homeWith('vaults: [near, west, south], outlives: cloud, copies: 3');
    const { code, stdout, stderr } = await home.run(['placement', '--stored', '1000GiB', '--change', '1%', '--backups', '24']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('plan prod (lifeboat.yaml:8): promises to outlive a cloud, and does');
    expect(stdout).toContain('Key slots in the vaults: not compared with lifeboat.yaml: no vault is asked with --stored');
    expect(stdout).toMatch(/^cloud aws +the site, near, west +1 of 3 +1 of 1 +not given +survives$/m);
    expect(stdout).toMatch(/^region aws\/eu-west-1 +west +2 of 3 +1 of 1 +not given +survives$/m);
    expect(stdout).toContain('two clouds at once can be too much: cloud aws with cloud own');
    expect(stdout).toMatch(/^near +Amazon S3 Standard, eu-central-1 +\d+\.\d\d +\d+\.\d\d +\d+\.\d\d +\d+\.\d\d$/m);
    expect(stdout).toMatch(/^south +unknown: /m);
    expect(stdout).toContain('https://aws.amazon.com/s3/pricing/');
  });

  it('says nothing of pages with prices when it knows no price', async () => {
    const home = await homeWith('vaults: [near]', 'vaults: {near: {type: directory, path: near}}\n');
    const { code, stdout } = await home.run(['placement', '--stored', '1GiB']);
    expect(code).toBe(0);
    expect(stdout).toContain('What a month costs');
    expect(stdout).not.toContain('Prices are list prices');
  });

  it('explains a bad plan, proposes the nearest that would pass, and ends with 4', async () => {
    const home = await homeWith('vaults: [near, west], outlives: cloud');
    const { code, stdout } = await home.run(['placement', '--stored', '1TB']);
    expect(code).toBe(4);
    expect(stdout).toContain('promises to outlive a cloud, and DOES NOT; it could promise to outlive a region');
    expect(stdout).toMatch(/^cloud aws .*LOST, though promised$/m);
    expect(stdout).toContain('Why not:\n  - losing cloud aws takes every vault: near and west\n      near  cloud aws  lifeboat.yaml:4\n      west  cloud aws  lifeboat.yaml:5\n');
    expect(stdout).toContain(
      'The nearest plan that keeps it:\n  - add vault south to plans.prod.vaults (lifeboat.yaml:8)\n  - set `copies: 3` in plans.prod (now 2) (lifeboat.yaml:8)\n  a backup is then safe only when all 3 vaults have it; with one vault more, one may be down\n',
    );
  });

  it('says the same to scripts', async () => {
    const home = await homeWith('vaults: [near, west], outlives: cloud');
    const document = await home.json(placementDocument, 4, ['placement', 'prod', '--stored', '1TB']);
    expect(document).toMatchObject({
      ok: false,
      holds: false,
      couldPromise: 'region',
      reasons: [{ loss: 'cloud aws', takes: [{ of: 'vault', name: 'near', where: 'lifeboat.yaml:4' }, { of: 'vault', name: 'west', where: 'lifeboat.yaml:5' }] }],
      nearest: [[{ kind: 'add-vault', vault: 'south', where: 'lifeboat.yaml:8' }, { kind: 'raise-copies', to: 3 }]],
      slots: { unknown: expect.any(String) as string },
      cost: { usage: { stored: 1e12, addedPerDay: 2e10, backupsPerDay: 24 } },
    });
    expect(document.losses.filter(({ breaksPromise }) => breaksPromise).map(({ loss }) => loss)).toContain('cloud aws');
  });

  it('has nothing to hold against a plan that promises nothing, and says what it could', async () => {
    const home = await homeWith('vaults: [near, west]');
    const { code, stdout } = await home.run(['placement', '--stored', '1TB']);
    expect(code).toBe(0);
    expect(stdout).toContain('promises nothing (no `outlives`); as it stands it could promise to outlive a region');
  });

  it('refuses sizes and plans that it does not know, with a way out', async () => {
    const home = await homeWith('vaults: [near]');
    expect((await home.json(errorDocument, 2, ['placement', 'prdo'])).error).toMatchObject({ code: 'LB_USAGE', hint: 'Did you mean `prod`?' });
    expect((await home.json(errorDocument, 2, ['placement', '--stored', '500'])).error.message).toContain('Write a size such as 500GiB');
    expect((await home.json(errorDocument, 2, ['placement', '--change', 'lots'])).error.message).toContain('Write a share such as 2%');
    expect((await home.json(errorDocument, 2, ['placement', '--backups', '0'])).error.message).toContain('how many backups');
  });

  it('takes what is stored from the points when it is not told, and says that it does not know when there are none', async () => {
    const folders = 'vaults:\n  near: {type: directory, path: near, domain: {cloud: own, region: rome}}\n';
    const home = await homeWith('vaults: [near]', folders);
    expect((await home.json(placementDocument, 0, ['placement'])).cost).toMatchObject({ unknown: expect.stringContaining('could not be read') as string });
    expect((await home.run(['init'])).code).toBe(0);
    expect((await home.json(placementDocument, 0, ['placement'])).cost).toEqual({ unknown: 'there is no recovery point yet' });

    const writeKey = parseWriteKey(await readFile(home.path('lifeboat-write.key'), 'utf8'));
    const vault = await openVault({ type: 'directory', name: 'near', path: home.path('near') });
    const writer = await openWriter({ vaults: [vault], writeKey });
    const session = await writer.begin('prod');
    const records = session.records();
    await records.write(Buffer.from('{"kind":"ConfigMap"}'));
    const stream = await records.end();
    const { header } = await session.commit({ at: new Date().toISOString(), complete: true, manifest: { streams: { all: { ...stream } } } });
    await writer.close();
    await vault.close();
    const { cost } = await home.json(placementDocument, 0, ['placement']);
    expect(cost).toMatchObject({ usage: { stored: header.stats.storedBytes, backupsPerDay: 24 }, vaults: [{ name: 'near', unknown: expect.any(String) as string }] });
    expect(JSON.stringify(cost)).toContain('assumed');
  });
});

describe('the key slots in the vaults', () => {
  const VAULT = 'vaults:\n  near: {type: directory, path: near, domain: {cloud: own, region: rome}}\n  far: {type: directory, path: far, domain: {cloud: other, account: x, region: oslo, zone: a}}\n';

  it('are compared with keys.openers, by placement and by doctor', async () => {
    const home = await homeWith('vaults: [near, far], outlives: cloud', VAULT);
    expect((await home.json(placementDocument, 0, ['placement'])).slots).toEqual({ unknown: expect.stringContaining('could not be read') as string });
    expect((await home.run(['init'])).code).toBe(0);
    expect((await home.json(placementDocument, 0, ['placement'])).slots).toMatchObject({ findings: [], found: [{ kind: 'post-quantum', role: 'owner', vaults: ['near', 'far'] }], silent: [] });
    expect((await home.run(['placement'])).stdout).toContain('Key slots in the vaults: as lifeboat.yaml says, in every vault\nSLOT');

    await edit(home, 'lifeboat.yaml', 'keys: {', 'keys: {openers: [{kind: passphrase}], ');
    const { ok, holds, slots } = await home.json(placementDocument, 4, ['placement']);
    expect({ ok, holds }).toEqual({ ok: false, holds: true });
    expect(slots).toMatchObject({ findings: [{ kind: 'breaks' }, { kind: 'nothing-opened', where: 'lifeboat.yaml:6' }, { kind: 'not-named' }] });
    expect((await home.run(['placement'])).stdout).toContain('BREAKS THE PROMISE: losing cloud aws: nothing that is left (passphrase) opens a key slot');
    const { findings } = await home.json(doctorDocument, 4, ['doctor']);
    expect(findings.filter(({ check }) => check === 'key-slots').map(({ status }) => status)).toEqual(['fail', 'warn', 'warn']);

    await edit(home, 'lifeboat.yaml', 'kind: passphrase', 'kind: age');
    expect((await home.json(placementDocument, 0, ['placement'])).slots).toMatchObject({ findings: [] });
    expect((await home.json(doctorDocument, 4, ['doctor'])).findings.find(({ check }) => check === 'key-slots')).toMatchObject({ subject: 'plan "prod"', status: 'ok', message: expect.stringContaining('age') as string });
  });

  it('are missed where a vault lacks one, and a vault that is away hides nothing of the others', async () => {
    const home = await homeWith('vaults: [near, far], outlives: cloud', VAULT);
    expect((await home.run(['init'])).code).toBe(0);
    await rm(home.path('far/keys'), { recursive: true });
    expect((await home.json(placementDocument, 4, ['placement'])).slots).toMatchObject({ findings: [{ kind: 'breaks', text: expect.stringContaining('losing cloud own') as string }, { kind: 'not-everywhere' }] });
    await rm(home.path('far'), { recursive: true });
    expect((await home.json(placementDocument, 0, ['placement'])).slots).toMatchObject({ findings: [], found: [{ vaults: ['near'] }], silent: [{ vault: 'far' }] });
  });
});

describe('a plan that breaks its promise', () => {
  it('is refused by backup before anything is looked at or written', async () => {
    const home = await homeWith('vaults: [south], outlives: cloud');
    const { error } = await home.json(errorDocument, 2, ['backup']);
    expect(error).toMatchObject({
      code: 'LB_PLACEMENT_BROKEN',
      message: expect.stringContaining('losing cloud own takes its only vault, south') as string,
      where: 'lifeboat.yaml:8: plans.prod.outlives',
      hint: expect.stringContaining('Add vault near to plans.prod.vaults (lifeboat.yaml:8)') as string,
    });
    // The write key, the folder and the cluster are missing too: had anything else been tried first, that would have been the error.
  });

  it('is a failure that doctor finds', async () => {
    const folders = 'vaults:\n  near: {type: directory, path: near, domain: {cloud: own}}\n';
    const home = await homeWith('vaults: [near], outlives: cloud', folders);
    const { findings } = await home.json(doctorDocument, 4, ['doctor']);
    expect(findings.find(({ check }) => check === 'placement')).toMatchObject({ subject: 'plan "prod"', status: 'fail', message: expect.stringContaining('losing cloud own') as string });
  });
});

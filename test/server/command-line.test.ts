import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseAuditPublicKey } from '../../src/keys/index.ts';
import { auditInitDocument, auditListDocument, auditVerifyDocument, remoteAcceptedDocument, remoteRestoreDocument } from '../cli/documents.ts';
import { emptyFolder, lifeboat } from '../cli/lifeboat.ts';
import { JobServiceDouble } from './doubles/job-service-double.ts';
import { startServing } from './serving.ts';
import type { Serving } from './serving.ts';

const DIGEST = 'd'.repeat(64);

/** Waits until a job is there, and gives its id. */
async function firstJob({ jobs }: Serving): Promise<string> {
  for (;;) {
    const [id] = jobs.jobs.keys();
    if (id !== undefined) return id;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const submit = (serving: Serving, ...more: readonly string[]): readonly string[] => ['restore', 'latest', '--server', serving.url, '--to', 'spare', '--yes', ...more];

describe('lifeboat restore --server', () => {
  it('has a server do it, and prints what it is followed by', async () => {
    const serving = await startServing();
    const result = await serving.cli('operate', [...submit(serving, '-n', 'shop', '--map-namespace', 'shop=shop-test', '--wait', '90s', '--idempotency-key', 'once'), '--json']);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    const { id, created } = remoteAcceptedDocument.parse(JSON.parse(result.stdout));
    expect(created).toBe(true);
    expect(serving.jobs.jobs.get(id)?.job).toMatchObject({
      requestedBy: 'token:operater',
      request: { plan: 'prod', target: 'spare', point: 'latest', selection: { namespaces: ['shop'] }, renameNamespaces: { shop: 'shop-test' }, existing: 'skip', waitSeconds: 90, dryRun: false },
    });
    const again = await serving.cli('operate', [...submit(serving, '-n', 'shop', '--map-namespace', 'shop=shop-test', '--wait', '90s', '--idempotency-key', 'once'), '--json']);
    expect(remoteAcceptedDocument.parse(JSON.parse(again.stdout))).toMatchObject({ id, created: false });
  });

  it('with --follow stays until it has ended, and ends as it did', async () => {
    const serving = await startServing();
    const running = serving.cli('operate', submit(serving, '--follow'));
    const id = await firstJob(serving);
    serving.jobs.progress(id, { phase: 'apply', done: 1, total: 2, unit: 'objects' });
    await serving.jobs.told(id, 'active');
    serving.jobs.change(id, { state: 'done', result: { ok: true, report: { ok: true, source: 'p1', target: 'spare', seconds: 2, objects: { created: 7, failed: 0 } } }, finishedAt: new Date().toISOString() });
    const { code, stdout } = await running;
    expect({ code, stdout }).toEqual({ code: 0, stdout: `restored: ${id}\n  p1 into spare\n  7 created\n  in 2.0 s\n` });

    serving.jobs.change(id, { result: { ok: false, report: { ok: false, failures: [{ object: 'Pod a/b', outcome: 'failed', reason: 'no' }] } } });
    const partial = await serving.cli('look', ['restore', '--server', serving.url, '--follow', id, '--json']);
    expect(partial.code).toBe(3);
    expect(remoteRestoreDocument.parse(JSON.parse(partial.stdout))).toMatchObject({ ok: false, restore: { id, state: 'done' } });

    serving.jobs.change(id, { state: 'failed', failure: { code: 'LB_SITE_ACCESS', message: 'It may not', hint: 'Let it' } });
    const failed = await serving.cli('look', ['restore', '--server', serving.url, '--follow', id]);
    expect(failed).toMatchObject({ code: 1, stdout: '' });
    expect(failed.stderr).toContain('code: LB_SITE_ACCESS');
  });

  it('shows a plan that is to be confirmed, and goes on when somebody confirms it from another machine', async () => {
    const serving = await startServing();
    const running = serving.cli('operate', submit(serving, '--follow', '--existing', 'update'));
    const id = await firstJob(serving);
    serving.jobs.unconfirm(id, DIGEST);
    await serving.jobs.told(id, 'unconfirmed');
    const refused = await serving.cli('operate', ['restore', '--server', serving.url, '--follow', id, '--confirm', DIGEST]);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('code: LB_API_FORBIDDEN');
    const confirming = serving.cli('administer', ['restore', '--server', serving.url, '--follow', id, '--confirm', DIGEST]);
    while (serving.jobs.jobs.get(id)?.state !== 'waiting') await new Promise((resolve) => setTimeout(resolve, 20));
    serving.jobs.change(id, { state: 'done', result: { ok: true, report: { ok: true } }, finishedAt: new Date().toISOString() });
    const [one, other] = await Promise.all([running, confirming]);
    expect([one.code, other.code]).toEqual([0, 0]);
    expect(one.stderr).toContain('would be changed: ConfigMap shop/prices');
    expect(one.stderr).toContain(`--follow ${id} --confirm ${DIGEST}`);
  });

  it('shows the plan of a dry run, and asks nobody', async () => {
    const serving = await startServing();
    const running = serving.cli('operate', ['restore', '--server', serving.url, '--to', 'spare', '--plan', '--follow']);
    const id = await firstJob(serving);
    const job = serving.jobs.jobs.get(id)?.job;
    expect(job?.kind === 'restore' && job.request.dryRun).toBe(true);
    serving.jobs.change(id, { state: 'done', result: { dryRun: true, plan: { digest: DIGEST, source: { label: 'p1' }, target: { name: 'spare' }, actions: { create: 3, conflict: 1 }, conflict: ['ConfigMap a/b'] } } });
    const { code, stdout } = await running;
    expect(code).toBe(4);
    expect(stdout).toContain('p1 → spare');
    expect(stdout).toContain('there already, and differ: ConfigMap a/b');
  });

  it('goes on following over a new connection when one is lost', async () => {
    const serving = await startServing();
    const sockets = new Set<Socket>();
    const proxy = createServer((near) => {
      const far = connect(Number(new URL(serving.url).port), '127.0.0.1');
      for (const socket of [near, far]) sockets.add(socket.on('error', () => undefined));
      near.pipe(far).pipe(near);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void proxy.close());
    const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const running = serving.cli('operate', ['restore', '--server', url, '--to', 'spare', '--yes', '--follow']);
    const id = await firstJob(serving);
    await serving.jobs.told(id, 'waiting');
    const before = sockets.size;
    for (const socket of sockets) socket.destroy();
    while (sockets.size === before) await new Promise((resolve) => setTimeout(resolve, 20));
    serving.jobs.change(id, { state: 'done', result: { ok: true, report: { ok: true } } });
    expect((await running).code).toBe(0);
  });

  it('is not stopped by whoever stops following it', async () => {
    const serving = await startServing();
    const running = lifeboat(submit(serving, '--follow'), {
      cwd: serving.folder,
      env: { LIFEBOAT_TOKEN: await serving.provider.token({ claims: { roles: ['operate'] } }) },
      started: (child) => void firstJob(serving).then((id) => serving.jobs.told(id, 'waiting')).then(() => child.kill('SIGINT')),
    });
    const { code, stderr } = await running;
    expect(code).toBe(130);
    const [id = ''] = serving.jobs.jobs.keys();
    expect(stderr).toContain('goes on at the server');
    expect(stderr).toContain(`--server ${serving.url} --follow ${id}`);
    expect([...serving.jobs.jobs.values()].map(({ state }) => state)).toEqual(['waiting']);
  });

  const wrong: readonly (readonly [args: readonly string[], code: string])[] = [
    [['--to', 'spare'], 'LB_USAGE'],
    [['--yes'], 'LB_USAGE'],
    [['--to', 'spare', '--yes', '--kubeconfig', 'x'], 'LB_USAGE'],
    [['--follow', 'latest'], 'LB_USAGE'],
    [['--confirm', DIGEST], 'LB_USAGE'],
    [['--follow', 'restore.none', '--confirm', 'latest'], 'LB_USAGE'],
    [['--to', 'spar', '--yes'], 'LB_API_REQUEST'],
    [['--to', 'spare', '--yes', '--of-plan', 'x'], 'LB_API_REQUEST'],
    [['--follow', 'restore.none'], 'LB_API_NOT_FOUND'],
    [['--to', 'spare', '--yes', '--client-certificate', 'x'], 'LB_USAGE'],
  ];
  it('says what is wrong with how it is called, in one error', async () => {
    const serving = await startServing();
    for (const [args, code] of wrong) {
      const result = await serving.cli('operate', ['restore', '--server', serving.url, ...args, '--json']);
      expect([args, (JSON.parse(result.stdout) as { error: { code: string } }).error.code]).toEqual([args, code]);
    }
    const env = { LIFEBOAT_TOKEN: 'a-token-that-is-nobodys' };
    const cases = [
      [['--server', 'http://lifeboat.example.net', '--to', 'spare', '--yes'], 'LB_USAGE'],
      [['--server', 'ftp://x', '--to', 'spare', '--yes'], 'LB_USAGE'],
      [['--server', 'http://127.0.0.1:1', '--to', 'spare', '--yes'], 'LB_API_UNAVAILABLE'],
      [['--server', serving.provider.issuer, '--to', 'spare', '--yes'], 'LB_API_UNAVAILABLE'],
      [['--server', serving.url, '--to', 'spare', '--yes'], 'LB_API_UNAUTHENTICATED'],
      [['--follow', '--to', 'spare', '--yes'], 'LB_USAGE'],
    ] as const;
    for (const [args, code] of cases) {
      const result = await lifeboat(['restore', ...args, '--json'], { cwd: serving.folder, env });
      expect([args, (JSON.parse(result.stdout) as { error: { code: string } }).error.code]).toEqual([args, code]);
      expect(result.stdout + result.stderr).not.toContain('nobodys');
    }
    await writeFile(join(serving.folder, 'not.pem'), 'x');
    const pair = await lifeboat(['restore', '--server', serving.url, '--to', 'spare', '--yes', '--client-certificate', 'not.pem', '--client-key', 'not.pem', '--json'], { cwd: serving.folder });
    expect(JSON.parse(pair.stdout)).toMatchObject({ error: { code: 'LB_KEY_INVALID', where: join(serving.folder, 'not.pem') } });
    const none = await lifeboat(['restore', '--server', serving.url, '--to', 'spare', '--yes', '--json'], { cwd: serving.folder });
    expect(JSON.parse(none.stdout)).toMatchObject({ error: { code: 'LB_KEY_MISSING' } });
  });
});

describe('lifeboat serve', () => {
  it('answers with points of real vaults, logs what was asked for, and stops in order', async () => {
    const closed: string[] = [];
    const serving = await startServing('', () => Promise.resolve({ jobs: Object.assign(new JobServiceDouble(), { close: () => Promise.resolve() }), close: () => Promise.resolve(void closed.push('jobs')), run: (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(void closed.push('run')))) }));
    const headers = { authorization: `Bearer ${await serving.provider.token({ claims: { roles: ['look'] } })}` };
    // There is no repository in these vaults yet, and that is what is said.
    const plans = (await (await fetch(`${serving.url}/v1/plans`, { headers })).json()) as { plans: { name: string; problem?: string }[] };
    expect(plans.plans).toMatchObject([{ name: 'prod', problem: expect.stringContaining('repository') as string }]);
    expect(await serving.stop()).toBe(0);
    expect(closed).toEqual(['run', 'jobs']);
    const said = serving.said.join('');
    expect(said).toMatch(/ GET \/v1\/plans 200 \d+ ms token:ada\n/);
    expect(said).toContain('stopped');
    await expect(fetch(`${serving.url}/healthz`)).rejects.toThrow('fetch failed');
  });

  it('does not start without what it needs', async () => {
    await expect(startServing('queue: { type: nothing }\n')).rejects.toThrow(expect.objectContaining({ code: 'LB_CONFIG_INVALID' }));
    const { folder } = await startServing();
    const alone = await lifeboat(['serve', '--concurrency', '0', '--json'], { cwd: folder });
    expect([alone.code, (JSON.parse(alone.stdout) as { error: { code: string } }).error.code]).toEqual([1, 'LB_QUEUE_UNSUITABLE']);
  });
});

describe('lifeboat audit', () => {
  it('makes a key that only its owner reads, and overwrites none', async () => {
    const cwd = await emptyFolder();
    const { code, stdout } = await lifeboat(['audit', 'init', '--json'], { cwd });
    const { publicKey, server } = auditInitDocument.parse(JSON.parse(stdout));
    expect([code, parseAuditPublicKey(publicKey).server]).toEqual([0, server]);
    const secret = (await readFile(join(cwd, 'lifeboat-audit.key'), 'utf8')).split('\n').at(-2) ?? '';
    expect(secret).toMatch(/^lifeboat-audit-key-1\./);
    expect(stdout).not.toContain(secret);
    expect(JSON.parse((await lifeboat(['audit', 'init', '--json'], { cwd })).stdout)).toMatchObject({ error: { code: 'LB_CONFIG_EXISTS' } });
  });

  it('shows what was asked of a server, and notices what was changed or taken away since', async () => {
    const serving = await startServing();
    await serving.cli('operate', submit(serving));
    await serving.cli('look', submit(serving));
    expect(await serving.stop()).toBe(0);
    const cwd = serving.folder;
    const listed = await lifeboat(['audit', 'list', '--json'], { cwd });
    const { records } = auditListDocument.parse(JSON.parse(listed.stdout));
    expect(records.filter(({ what }) => what.route === '/v1/restores').map(({ outcome, who }) => [who.subject, outcome])).toEqual([
      ['operater', 'begun'],
      ['operater', 'done'],
      ['lookr', 'refused'],
    ]);
    expect((await lifeboat(['audit', 'list', '--who', 'lookr'], { cwd })).stdout).toMatch(/lookr +viewer +127\.0\.0\.1 +POST \/v1\/restores +refused 403 LB_API_FORBIDDEN/);
    const whole = await lifeboat(['audit', 'verify', '--json'], { cwd });
    expect([whole.code, auditVerifyDocument.parse(JSON.parse(whole.stdout))]).toEqual([0, expect.objectContaining({ ok: true, findings: [] })]);

    const publicKey = /# public: (\S+)/.exec(await readFile(join(cwd, 'lifeboat-audit.key'), 'utf8'))?.[1] ?? '';
    const auditor = await emptyFolder();
    expect((await lifeboat(['audit', 'verify', '--vault', `dir:${join(cwd, 'near')}`, '--public-key', publicKey], { cwd: auditor })).code).toBe(0);
    expect((await lifeboat(['audit', 'verify', '--vault', `dir:${join(cwd, 'near')}`], { cwd: auditor })).stderr).toContain('LB_KEY_MISSING');

    const trail = join('audit', (await readdir(join(cwd, 'near', 'audit')))[0] ?? '');
    const [first = '', second = ''] = (await readdir(join(cwd, 'near', trail))).sort();
    await rm(join(cwd, 'far', trail, second), { force: true });
    const absent = await lifeboat(['audit', 'verify', '--json'], { cwd });
    expect([absent.code, auditVerifyDocument.parse(JSON.parse(absent.stdout)).findings]).toEqual([3, [expect.objectContaining({ kind: 'absent', vault: 'far' })]]);
    const edited = (await readFile(join(cwd, 'near', trail, first), 'utf8')).replace('operater', 'somebody');
    await rm(join(cwd, 'near', trail, first), { force: true });
    await writeFile(join(cwd, 'near', trail, first), edited);
    const changed = await lifeboat(['audit', 'verify'], { cwd });
    expect(changed.code).toBe(4);
    expect(changed.stdout).toContain(`damaged ${trail}/${first} in vault "near"`);

    await Promise.all(['near', 'far'].map((vault) => rm(join(cwd, vault, 'audit'), { recursive: true })));
    const gone = await lifeboat(['audit', 'verify'], { cwd });
    expect([gone.code, gone.stdout]).toEqual([3, expect.stringContaining('or all of it was removed')]);
    expect(gone.stdout).not.toContain('nothing was edited');
  });
});

import { spawn } from 'node:child_process';
import { chmod, chown, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { parseWriteKey } from '../../src/keys/index.ts';
import { signFor } from '../../src/keys/signing.ts';
import { LAUNCHER } from '../support/launcher.ts';
import { startFaultProxy } from '../testbed/fault-proxy.ts';
import { startSite } from '../testbed/kubernetes/site.ts';
import type { Site } from '../testbed/kubernetes/site.ts';
import { backupDocument, doctorDocument, errorDocument, pointsDocument } from './documents.ts';
import { edit, furnish, makeHome } from './home.ts';
import type { Home } from './home.ts';

let site: Site;
/** With one recovery point. Only read and copied. */
let home: Home;

beforeAll(async () => {
  site = await startSite({ name: 'prod' });
  await furnish(site, 'shop');
  home = await makeHome(site);
  await home.json(backupDocument, 0, ['backup']);
});

afterAll(async () => {
  await site?.stop();
  if (home !== undefined) await rm(home.folder, { recursive: true, force: true });
});

describe('a vault', () => {
  it('of a newer format is refused with the advice to upgrade', async () => {
    const broken = await home.copy();
    // As a later lifeboat would write it: signed, or it would be taken for damage.
    const { signingKey } = parseWriteKey(await readFile(broken.path('lifeboat-write.key'), 'utf8'));
    for (const vault of ['near', 'far']) {
      const path = broken.path(`${vault}/lifeboat.json`);
      const [line = ''] = (await readFile(path, 'utf8')).split('\n');
      const newer = line.replace('"version":1', '"version":2');
      const signature = Buffer.from(signFor('lifeboat/1/repository', Buffer.from(newer), signingKey)).toString('hex');
      await rm(path, { force: true });
      await writeFile(path, `${newer}\n{"signature":"${signature}"}\n`);
    }
    for (const args of [['points'], ['show', 'latest'], ['backup'], ['verify']]) {
      expect((await broken.json(errorDocument, 1, args)).error).toMatchObject({ code: 'LB_REPO_NEWER_FORMAT' });
    }
  });

  it('that fails does not keep the others from getting the point; it is said, with exit 3', async () => {
    const broken = await home.copy();
    await rm(broken.path('far'), { recursive: true });
    const result = await broken.run(['backup', '--json']);
    const document = backupDocument.parse(JSON.parse(result.stdout));
    expect(result.code).toBe(3);
    expect(document).toMatchObject({ ok: false, vaults: ['near'], absent: ['far'] });
    expect(document.warnings?.map((warning) => warning.kind)).toContain('vault-unavailable');
  });

  it('that holds no repository, or does not exist, is named with what to do', async () => {
    const broken = await home.copy();
    await mkdir(broken.path('empty'));
    expect((await broken.json(errorDocument, 1, ['points', '--vault', 'dir:empty'])).error.code).toBe('LB_REPO_MISSING');
    expect((await broken.json(errorDocument, 1, ['points', '--vault', 'dir:nowhere'])).error.code).toBe('LB_VAULT_NOT_FOUND');
  });

  it('that cannot be written to is one clear error', async (ctx) => {
    const broken = await home.copy();
    const root = process.getuid?.() === 0;
    const nobody = 65_534;
    const files = await readdir(broken.folder);
    for (const file of files) if (root) await chown(broken.path(file), nobody, nobody);
    if (root) await chown(broken.folder, nobody, nobody);
    for (const vault of ['near', 'far']) {
      if (root) await chown(broken.path(vault), 0, 0);
      for (const entry of await readdir(broken.path(vault), { recursive: true, withFileTypes: true })) {
        if (entry.isDirectory()) await chmod(join(entry.parentPath, entry.name), 0o555);
      }
      await chmod(broken.path(vault), 0o555);
    }
    onTestFinished(async () => {
      for (const vault of ['near', 'far']) {
        await chmod(broken.path(vault), 0o755);
        for (const entry of await readdir(broken.path(vault), { recursive: true, withFileTypes: true })) {
          if (entry.isDirectory()) await chmod(join(entry.parentPath, entry.name), 0o755);
        }
      }
    });
    const kubeconfig = broken.path('kubeconfig');
    await cp(site.kubeconfigPath, kubeconfig);
    if (root) await chown(kubeconfig, nobody, nobody);
    await edit(broken, 'lifeboat.yaml', site.kubeconfigPath, kubeconfig);
    const run = await asUser(broken, ['backup', '--json'], root ? nobody : undefined);
    ctx.skip(run === undefined, 'another user may not read the project folder, and root may write everywhere');
    expect(errorDocument.parse(JSON.parse(run?.stdout ?? '')).error.code).toMatch(/^LB_VAULT_(READ_ONLY|ACCESS)$/);
    expect(run?.code).toBe(1);
  });
});

/** Runs the command line as another user; undefined when that user cannot even read it. */
async function asUser(where: Home, args: readonly string[], uid: number | undefined): Promise<{ code: number; stdout: string } | undefined> {
  const child = spawn(process.execPath, [LAUNCHER, ...args], {
    cwd: where.folder,
    env: { PATH: process.env['PATH'] ?? '', HOME: where.folder },
    stdio: ['ignore', 'pipe', 'ignore'],
    ...(uid !== undefined && { uid, gid: uid }),
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  const code = await new Promise<number | undefined>((resolve) => {
    child.once('error', () => resolve(undefined));
    child.once('close', (status) => resolve(status ?? -1));
  });
  return code === undefined || stdout === '' ? undefined : { code, stdout };
}

describe('lifeboat doctor', () => {
  it('says exactly what the user may not list, and exits with 4', async () => {
    const limited = await home.copy();
    await site.api.apply([
      { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'reader' }, rules: [{ apiGroups: [''], resources: ['configmaps', 'namespaces'], verbs: ['get', 'list'] }] },
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRoleBinding',
        metadata: { name: 'reader' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reader' },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'ann' }],
      },
    ]);
    const kubeconfig = await site.kubeconfigFor({ user: 'ann' });
    await edit(limited, 'lifeboat.yaml', site.kubeconfigPath, kubeconfig);
    await edit(limited, 'lifeboat.yaml', /context: prod\n/, '');
    await edit(limited, 'lifeboat.yaml', '    # select:\n', '    select:\n      types: [configmaps, secrets, deployments.apps]\n    # select:\n');
    const { findings } = await limited.json(doctorDocument, 4, ['doctor']);
    const rights = findings.find((finding) => finding.check === 'rights');
    expect(rights).toMatchObject({ status: 'fail', message: 'may not list 2 types of 3: deployments.apps, secrets' });
    expect(rights?.fix).toContain('infra/kubernetes');

    await edit(limited, 'lifeboat.yaml', 'types: [configmaps, secrets, deployments.apps]', "types: ['*']");
    const { code, stdout, stderr } = await limited.run(['backup']);
    expect(code).toBe(3);
    expect(stderr).toMatch(/^warning: \d+ types were not read: not allowed to list them: .*secrets.* \(--verbose shows each\)$/m);
    expect(stderr.match(/secrets/g)).toHaveLength(1);
    expect(stdout).toMatch(/^ {2}without \d+ types: not allowed to list them: /m);
    const shown = await limited.run(['show', 'latest']);
    expect(shown.stderr).toMatch(/^warning: The latest point, \S+, is not complete/m);
    expect(shown.stdout).toMatch(/^ {2}\d+ types: not allowed to list them: /m);
  });

  it('warns of key files that others may read, and fails for a vault without repository', async () => {
    const sloppy = await home.copy();
    await chmod(sloppy.path('lifeboat-identity.txt'), 0o644);
    await rm(sloppy.path('far/lifeboat.json'), { force: true });
    const { findings } = await sloppy.json(doctorDocument, 4, ['doctor']);
    const unwell = findings.filter((finding) => finding.status !== 'ok');
    expect(unwell).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ subject: 'keys', check: 'file-mode', status: 'warn' }),
        expect.objectContaining({ subject: 'vault "far"', check: 'repository', status: 'fail' }),
      ]),
    );
  });

  it('goes on to the vaults when the site cannot be reached', async () => {
    const lost = await home.copy();
    await edit(lost, 'lifeboat.yaml', site.kubeconfigPath, await site.kubeconfigVia('https://127.0.0.1:1'));
    await edit(lost, 'lifeboat.yaml', /context: prod\n/, '');
    const { findings } = await lost.json(doctorDocument, 4, ['doctor']);
    expect(findings.find((finding) => finding.check === 'reachable')).toMatchObject({ subject: 'site "prod"', status: 'fail' });
    expect(findings.find((finding) => finding.check === 'exclusive')).toMatchObject({ status: 'ok' });
  });
});

describe('lifeboat points', () => {
  it('names the sites there are when there is no point of the one asked for', async () => {
    const { error } = await home.json(errorDocument, 1, ['points', '--site', 'nope']);
    expect(error).toMatchObject({ code: 'LB_POINT_NOT_FOUND', hint: 'There are points of prod.' });
  });
});

describe('Ctrl-C during a backup', () => {
  it('ends it with 130, leaves no point behind, and the next one succeeds', async () => {
    const stopped = await home.copy();
    const tls = { cert: await readFile(site.certFile, 'utf8'), key: await readFile(site.keyFile, 'utf8') };
    const proxy = await startFaultProxy({ upstream: site.url, upstreamCa: await readFile(site.caFile, 'utf8'), tls });
    onTestFinished(() => proxy.close());
    proxy.inject({ action: { do: 'hang' }, when: ({ url }) => url.startsWith('/apis/apps/v1/deployments'), times: 100 });
    await edit(stopped, 'lifeboat.yaml', site.kubeconfigPath, await site.kubeconfigVia(proxy.url));
    await edit(stopped, 'lifeboat.yaml', /context: prod\n/, '');
    const ended = stopped.run(['backup'], {
      started: (child) => {
        const looking = setInterval(() => {
          if (!proxy.requests.some(({ url }) => url.startsWith('/apis/apps/v1/deployments'))) return;
          clearInterval(looking);
          child.kill('SIGINT');
        }, 20);
      },
    });
    const { code, stdout, stderr } = await ended;
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    expect(stderr).toContain('stopping …');
    expect(stderr).toMatch(/error: Stopped before it was finished\n$/);
    const { points } = await stopped.json(pointsDocument, 0, ['points']);
    expect(points).toHaveLength(1);
    expect((await readdir(stopped.path('near'), { recursive: true })).filter((name) => name.startsWith('.tmp/'))).toEqual([]);
    proxy.clear();
    expect((await stopped.run(['backup'])).code).toBe(0);
    expect((await stopped.run(['verify', '--data'])).code).toBe(0);
  });
});

describe('no output', () => {
  it('ever contains a secret, whatever goes wrong', async () => {
    const noisy = await home.copy();
    const secrets = await noisy.secrets();
    expect(secrets.every((secret) => secret.length > 10)).toBe(true);
    const outputs: string[] = [];
    const attempts = [
      ['backup'],
      ['show', 'latest', '--objects'],
      ['show', 'latest', 'Secret/shop/db'],
      ['doctor'],
      ['diff', 'latest', 'site:prod'],
      ['keys', 'list'],
      ['verify', '--data'],
      ['restore', '--plan', '--to', 'prod'],
    ];
    for (const args of attempts) {
      const { stdout, stderr } = await noisy.run([...args, '--verbose']);
      outputs.push(stdout, stderr);
    }
    // A secret given where something else is wanted, as happens when pasting.
    const identity = secrets[0] ?? '';
    for (const args of [['points', '--vault', identity], ['show', identity], ['keys', 'add', '--recipient', identity], [identity], ['diff', identity, identity]]) {
      const { stdout, stderr } = await noisy.run([...args, '--verbose']);
      outputs.push(stdout, stderr);
    }
    await edit(noisy, 'lifeboat.yaml', 'context: prod', `context: prod\n    token: ${identity}`);
    outputs.push((await noisy.run(['backup', '--verbose'])).stderr, (await noisy.run(['backup', '--json'])).stdout);
    const leaks = outputs.filter((output) => secrets.some((secret) => output.includes(secret)));
    expect(leaks).toEqual([]);
  });
});

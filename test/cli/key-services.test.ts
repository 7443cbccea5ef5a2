import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { startFaultProxy } from '../testbed/fault-proxy.ts';
import type { FaultProxy } from '../testbed/fault-proxy.ts';
import { startOpenBao } from '../testbed/kms/openbao.ts';
import type { OpenBao } from '../testbed/kms/openbao.ts';
import { rescueReaderIn, runRescue } from '../repository/rescue.ts';
import { errorDocument, rotatedDocument, slotsDocument, verifyDocument } from './documents.ts';
import { emptyFolder, lifeboat } from './lifeboat.ts';
import type { Result } from './lifeboat.ts';

describe('a repository that OpenBao opens', () => {
  let bao: OpenBao;
  let proxy: FaultProxy;
  beforeAll(async () => {
    bao = await startOpenBao();
    proxy = await startFaultProxy({ upstream: bao.address });
  });
  afterAll(async () => {
    await proxy?.close();
    await bao?.stop();
  });

  it('is set up, opened, shared and rotated, and the token is never shown', async () => {
    const folder = await emptyFolder();
    const [mine, other] = (await Promise.all([bao.createKey(), bao.createKey()])).map((key) => `${proxy.url}/transit/${key}`) as [string, string];
    const outputs: string[] = [];
    const run = async (args: readonly string[], env: Readonly<Record<string, string>> = { VAULT_TOKEN: bao.rootToken }): Promise<Result> => {
      const result = await lifeboat(args, { cwd: folder, env });
      outputs.push(result.stdout, result.stderr);
      return result;
    };
    const failed = async (...[args, env]: Parameters<typeof run>) => errorDocument.parse(JSON.parse((await run([...args, '--json'], env)).stdout)).error;

    expect((await run(['init', '--site', 'prod', '--vault', 'dir:near', '--kms', `vault-transit:${mine}`])).code).toBe(0);
    const read = { identityFile: 'lifeboat-identity.txt', kms: [{ key: `vault-transit:${mine}` }] };
    expect(parse(await readFile(join(folder, 'lifeboat.yaml'), 'utf8'))).toMatchObject({ keys: { read } });
    await rename(join(folder, 'lifeboat-identity.txt'), join(folder, 'kept.txt'));
    const yaml = await readFile(join(folder, 'lifeboat.yaml'), 'utf8');
    await rm(join(folder, 'lifeboat.yaml'));
    await writeFile(join(folder, 'lifeboat.yaml'), yaml.replace(/ {4}identityFile: .*\n/, ''));

    // The token is taken from where OpenBao's own tools have it; without one, that is said.
    expect(verifyDocument.parse(JSON.parse((await run(['verify', '--data', '--json'])).stdout))).toMatchObject({ ok: true, depth: 'data-opened' });
    expect(await failed(['verify', '--data'], {})).toMatchObject({ code: 'LB_KEY_MISSING', where: join(folder, '.vault-token') });
    await writeFile(join(folder, '.vault-token'), `${bao.rootToken}\n`);
    expect((await run(['verify', '--data'], {})).code).toBe(0);
    expect(await failed(['verify', '--data'], { BAO_TOKEN: 'not-a-token' })).toMatchObject({ code: 'LB_KEY_ACCESS' });

    // A list calls nobody.
    const before = proxy.requests.length;
    const { slots } = slotsDocument.parse(JSON.parse((await run(['keys', 'list', '--json'])).stdout));
    expect(slots.map(({ kind, key, keyVersion }) => `${kind} ${key} ${keyVersion}`).sort()).toEqual(['post-quantum undefined undefined', `vault-transit vault-transit:${mine} v1`]);
    expect((await run(['keys', 'list'])).stdout).toContain(`vault-transit:${mine}`);
    // Nor does a key that only the slots name.
    expect(await failed(['show', 'latest', '--vault', 'dir:near', '--identity', 'kept.txt'])).toMatchObject({ code: 'LB_POINT_NOT_FOUND' });
    const elsewhere = await emptyFolder();
    const unnamed = await lifeboat(['show', 'latest', '--json', '--vault', `dir:${join(folder, 'near')}`], { cwd: elsewhere, env: { VAULT_TOKEN: bao.rootToken } });
    expect(errorDocument.parse(JSON.parse(unnamed.stdout)).error).toMatchObject({ code: 'LB_KEY_MISSING', hint: expect.stringContaining(`vault-transit:${mine}`) as string });
    expect(proxy.requests).toHaveLength(before);
    // As the instructions in the vault say: lifeboat and the service make a read key, and that opens the vault without either.
    const vault = join(folder, 'near');
    const named = await runRescue(await rescueReaderIn(vault), elsewhere, ['slots']);
    expect(named.stdout).toContain(`the key vault-transit:${mine}: with lifeboat`);
    const made = await lifeboat(['keys', 'export', '--role', 'read', '--vault', `dir:${vault}`, '--kms', `vault-transit:${mine}`, '-o', 'read.key'], { cwd: elsewhere, env: { VAULT_TOKEN: bao.rootToken } });
    expect({ code: made.code, stderr: made.stderr }).toEqual({ code: 0, stderr: '' });
    expect(await runRescue(await rescueReaderIn(vault), elsewhere, ['verify', '--key-file', join(elsewhere, 'read.key')])).toMatchObject({ code: 0, stderr: '' });
    expect(await failed(['show', 'latest', '--vault', 'dir:near', '--kms', `vault-transit:${mine}`])).toMatchObject({ code: 'LB_POINT_NOT_FOUND' });

    expect((await run(['keys', 'add', '--vault-transit', other, '--role', 'read'])).code).toBe(0);
    expect(await failed(['keys', 'add', '--vault-transit', 'transit/key'])).toMatchObject({ code: 'LB_KEY_INVALID', hint: expect.stringContaining('https://bao.example.net') as string });
    expect(await failed(['keys', 'export', '--role', 'write', '--kms', `vault-transit:${other}`])).toMatchObject({ code: 'LB_KEY_ROLE' });
    expect((await run(['keys', 'export', '--role', 'read', '--kms', `vault-transit:${other}`, '-o', 'read.key'])).code).toBe(0);

    await bao.write(`${new URL(mine).pathname.slice(1).replace('transit/', 'transit/keys/')}/rotate`);
    const partly = await run(['keys', 'rotate', '--json']);
    expect(partly.code).toBe(3);
    expect(rotatedDocument.parse(JSON.parse(partly.stdout)).rotated.map(({ key, kept }) => `${key} ${kept}`).sort()).toEqual(
      [`vault-transit:${mine} undefined`, `vault-transit:${other} not-named`].toSorted(),
    );
    const whole = await run(['keys', 'rotate', '--kms', `vault-transit:${other}`, '--identity', 'kept.txt']);
    expect({ code: whole.code, lines: whole.stdout.match(/is under the newest version of its key/g)?.length }).toEqual({ code: 0, lines: 2 });
    expect((await run(['verify', '--data'])).code).toBe(0);
    for (const output of outputs) for (const secret of [bao.rootToken, 'not-a-token']) expect(output).not.toContain(secret);
  });

  it('keeps its old slot while a vault is away that has no other', async () => {
    const folder = await emptyFolder();
    const key = await bao.createKey();
    const run = (args: readonly string[]): Promise<Result> => lifeboat(args, { cwd: folder, env: { VAULT_TOKEN: bao.rootToken } });
    expect((await run(['init', '--site', 'prod', '--vault', 'near=dir:near', '--vault', 'far=dir:far', '--kms', `vault-transit:${bao.address}/transit/${key}`])).code).toBe(0);
    const locked = async () => slotsDocument.parse(JSON.parse((await run(['keys', 'list', '--json'])).stdout)).slots.filter((slot) => slot.key !== undefined);
    const [old] = await locked();
    await bao.write(`transit/keys/${key}/rotate`);
    await rename(join(folder, 'far'), join(folder, 'away'));
    const partly = await run(['keys', 'rotate', '--json']);
    expect(partly.code).toBe(3);
    const kept = { slot: old?.id, kept: 'not-in-every-vault', successor: { vaults: ['near'], failed: [{ vault: 'far' }] } };
    expect(rotatedDocument.parse(JSON.parse(partly.stdout)).rotated).toMatchObject([kept]);
    await rename(join(folder, 'away'), join(folder, 'far'));
    expect((await locked()).find(({ id }) => id === old?.id)?.vaults).toEqual(['near', 'far']);
    expect((await run(['keys', 'rotate'])).code).toBe(0);
    expect((await locked()).filter(({ vaults }) => vaults.includes('far')).map(({ keyVersion }) => keyVersion)).toEqual(['v2']);
  });
});

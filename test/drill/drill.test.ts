import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { FinishedDrill } from '../../src/drill/drill.ts';
import { drillPage } from '../../src/drill/page/page.ts';
import { DRILL_REPORTS } from '../../src/drill/report.ts';
import type { DrillReport } from '../../src/drill/report.ts';
import { connectSite } from '../../src/site/connect.ts';
import { publicKeyFor } from '../../src/keys/index.ts';
import { openReport, readKeptReports, signReport } from '../../src/repository/index.ts';
import { fillSite } from '../fixtures/fill.ts';
import { town } from '../fixtures/town.ts';
import { flipBit } from '../repository/scene.ts';
import { BROKEN, PLANTED_SECRET, SOUND } from './planted.ts';
import { failuresOf, makeDrillScene } from './scene.ts';
import type { DrillScene } from './scene.ts';

let scene: DrillScene;
/** Of the site when everything in it was sound, and when something was broken. */
let sound: string;
let broken: string;
beforeAll(async () => {
  scene = await makeDrillScene();
  await scene.site.api.apply(SOUND);
  sound = await scene.backUp();
  await scene.site.api.apply(BROKEN);
  broken = await scene.backUp();
});
afterAll(async () => {
  await scene[Symbol.asyncDispose]();
});

const checkOf = (report: DrillReport, id: string): DrillReport['checks'][number] | undefined => report.checks.find((check) => check.id === id || check.title === id);

describe('a drill of a sound point', () => {
  let finished: FinishedDrill;
  beforeAll(async () => {
    finished = await scene.drill({ point: { id: sound }, objectives: { rpo: 3_600_000, rto: 3_600_000 }, inspect: undefined });
  });

  it('passes every check, and says what it did', () => {
    const { report } = finished;
    expect(failuresOf(report)).toEqual([]);
    expect(report).toMatchObject({
      ok: true,
      plan: 'prod',
      point: { id: sound, chosen: 'named', safe: true, vaults: ['near', 'far'], copies: 2 },
      cluster: { kind: 'control-plane', notRun: ['kube-scheduler', 'kubelet'], removed: true },
      restore: { outcomes: { failed: 0, kept: 0 } },
      rto: { verdict: 'met' },
      rpo: { verdict: 'met', withoutSeconds: 0 },
    });
    expect(report.checks.map(({ id, outcome }) => `${id} ${outcome}`)).toEqual(['complete passed', 'accepted passed', 'differences passed', 'definitions passed', 'images passed', 'pod-references passed', 'classes passed', 'bindings skipped', 'routes skipped', 'webhooks passed']);
    for (const rule of ['drill-suspended', 'drill-unscheduled', 'drill-webhooks', 'drill-conversion', 'drill-aggregated-apis', 'drill-load-balancers', 'drill-annotations']) expect(report.restore?.rules).toHaveProperty(rule);
  });

  it('measures every phase, and each wave', () => {
    const { phases, seconds = 0 } = finished.report.rto;
    expect(phases.map(({ name }) => name)).toEqual(['choose', 'start', 'open', 'load', 'discover', 'plan', 'apply', 'verify', 'checks']);
    expect(phases.reduce((sum, phase) => sum + phase.seconds, 0)).toBeCloseTo(seconds, 2);
    const waves = phases.find(({ name }) => name === 'apply')?.parts ?? [];
    expect(waves.map(({ name }) => name)).toEqual(expect.arrayContaining(['definitions', 'namespaces', 'workloads', 'admission webhooks']));
    expect(waves.reduce((sum, { objects }) => sum + objects, 0)).toBeGreaterThanOrEqual(finished.report.restore?.outcomes.created ?? Number.NaN);
  });

  it('is kept in every vault, signed by the read role', async () => {
    const { id, signed, vaults, report } = finished;
    expect(vaults).toEqual(['near', 'far']);
    expect(openReport(DRILL_REPORTS, signed, scene.keys, id)).toEqual(report);
    const { reports, bad } = await readKeptReports(DRILL_REPORTS, scene.vaults, scene.keys);
    expect(bad).toEqual([]);
    expect(reports.find((one) => one.id === id)).toEqual({ id, report, vaults: ['near', 'far'] });
  });

  it('leaves nothing', async () => {
    expect(await readdir(scene.folder)).toEqual([]);
  });
});

describe('a drill of a broken point', () => {
  it('names every reference that leads nowhere, and nothing else', async () => {
    const { report } = await scene.drill();
    expect(report).toMatchObject({ ok: false, point: { id: broken, chosen: 'newest' } });
    expect(failuresOf(report)).toEqual([
      'images: Deployment shop/no-image: container web has the image "example.invalid/Shop:UPPER:1", which is no image’s name',
      'pod-references: Deployment shop/no-account: it runs as the ServiceAccount nobody, which is not there',
      'pod-references: Deployment shop/no-claim: volume data needs the PersistentVolumeClaim lost, which is not there',
      'pod-references: Deployment shop/no-secret: container web needs the Secret gone, which is not there',
      'classes: Deployment shop/no-class: it names the PriorityClass urgent, which is not there',
      'classes: Ingress shop/no-class: it names the IngressClass public, which is not there',
      'bindings: RoleBinding shop/no-role: it gives the Role baker, which is not there',
      'routes: Ingress shop/no-class: it leads to the Service closed, which is not there',
      'webhooks: MutatingWebhookConfiguration broken: webhook broken.example.com is served by the Service shop/nothing, which is not there',
    ]);
  });
});

describe('a drill of a plan that selects a part', () => {
  it('names what the target has to have, and does not call it a failure', async () => {
    const part = await scene.backUp({ namespaces: ['shop'], excludeTypes: ['Ingress', 'RoleBinding'] });
    const { report } = await scene.drill({ point: { id: part } });
    expect(failuresOf(report).map((failure) => failure.replace(/:.*/, ''))).toEqual(['images', 'pod-references', 'pod-references', 'pod-references']);
    const notes = report.checks.find(({ id }) => id === 'classes')?.findings;
    expect(notes).toContainEqual({ object: 'PersistentVolumeClaim shop/data', message: 'it names the StorageClass fast, which is not there; it is not among what is restored, so that the target has to have it already', failure: false });
  });
});

describe('the cluster of a drill', () => {
  const cronJob = z.object({ spec: z.object({ suspend: z.boolean(), jobTemplate: z.object({ spec: z.object({ template: z.object({ spec: z.object({ schedulerName: z.string() }) }) }) }) }) });
  const webhooks = z.object({ webhooks: z.array(z.object({ objectSelector: z.object({ matchLabels: z.record(z.string(), z.string()) }), failurePolicy: z.string() })) });

  it('can be looked at, holds everything, and nothing in it acts', async () => {
    const seen = new Map<string, unknown>();
    let inspected: FinishedDrill | undefined;
    const { report } = await scene.drill({
      point: { id: sound },
      inspect: async ({ kubeconfig }, finished) => {
        inspected = finished;
        const connection = await connectSite({ name: 'inspected', kubeconfig });
        for (const path of [
          '/apis/batch/v1/namespaces/shop/cronjobs/mail',
          '/apis/batch/v1/namespaces/shop/jobs',
          '/api/v1/namespaces/shop/services/web',
          '/api/v1/pods',
          '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/sound',
          '/apis/apiregistration.k8s.io/v1/apiservices/v1.things.example.org',
          '/apis/example.com/v1/namespaces/shop/boats/ada',
          '/api/v1/namespaces/shop/secrets/db',
        ]) {
          seen.set(path.split('/').at(-1) ?? '', JSON.parse((await connection.request({ path, doing: 'look' })).body.toString('utf8')));
        }
        await connection.close();
      },
    });
    expect(inspected?.report).toBe(report);
    expect(report.cluster.removed).toBe(false);
    expect(cronJob.parse(seen.get('mail')).spec).toMatchObject({ suspend: true, jobTemplate: { spec: { template: { spec: { schedulerName: 'lifeboat-drill-none' } } } } });
    expect(seen.get('jobs')).toMatchObject({ items: [] });
    expect(seen.get('web')).toMatchObject({ spec: { type: 'ClusterIP' } });
    expect(JSON.stringify(seen.get('web'))).not.toContain('external-dns');
    const pods = z.object({ items: z.array(z.object({ spec: z.object({ nodeName: z.string().optional(), schedulerName: z.string() }) })) }).parse(seen.get('pods')).items;
    expect(pods.map(({ spec }) => [spec.nodeName, spec.schedulerName])).toEqual(pods.map(() => [undefined, 'lifeboat-drill-none']));
    expect(webhooks.parse(seen.get('sound')).webhooks).toMatchObject([{ objectSelector: { matchLabels: { 'lifeboat-drill-none': 'true' } }, failurePolicy: 'Ignore' }]);
    expect(JSON.stringify(seen.get('v1.things.example.org'))).not.toContain('"service"');
    expect(seen.get('ada')).toMatchObject({ spec: { sails: 2 } });
    expect(seen.get('db')).toMatchObject({ data: { password: Buffer.from(PLANTED_SECRET).toString('base64') } });
    expect(await readdir(scene.folder)).toEqual([]);
  });
});

describe('checks of the plan', () => {
  it('pass, fail or are skipped with a reason, and show no secret of the site', async () => {
    const finished = await scene.drill({
      point: { id: sound },
      checks: [
        { name: 'a command that is content', command: ['/bin/sh', '-c', `test -r "$KUBECONFIG" && echo "password ${PLANTED_SECRET}" && env | cut -d= -f1 | sort`], timeoutMs: 60_000 },
        { name: 'a command that is not', command: ['/bin/sh', '-c', 'echo no >&2; exit 3'], timeoutMs: 60_000 },
        { name: 'a command that takes too long', command: ['/bin/sh', '-c', 'trap "" TERM; sleep 1000 & wait'], timeoutMs: 300 },
        { name: 'a command that is not there', command: ['/nowhere/nothing'], timeoutMs: 60_000 },
        { name: 'a request', url: '/api/v1/namespaces/shop/secrets/db', contains: '"name":"db"', timeoutMs: 60_000 },
        { name: 'a request for what is not there', url: '/api/v1/namespaces/shop/secrets/none', timeoutMs: 60_000 },
        { name: 'a request that expects so', url: '/api/v1/namespaces/shop/secrets/none', status: 404, contains: 'not found', timeoutMs: 60_000 },
        { name: 'a request to a pod', url: '/api/v1/namespaces/shop/services/web:80/proxy/health', timeoutMs: 60_000 },
      ],
    });
    const custom = finished.report.checks.filter(({ id }) => id === 'custom');
    expect(custom.map(({ title, outcome }) => `${title}: ${outcome}`)).toEqual([
      'a command that is content: passed',
      'a command that is not: failed',
      'a command that takes too long: failed',
      'a command that is not there: failed',
      'a request: passed',
      'a request for what is not there: failed',
      'a request that expects so: passed',
      'a request to a pod: skipped',
    ]);
    expect(failuresOf(finished.report)).toEqual([
      'a command that is not: it ended with 3',
      'a command that takes too long: it was ended after 0.3 s',
      expect.stringMatching(/^a command that is not there: .*ENOENT/),
      'a request for what is not there: it answered with 404, not one of 200 to 299',
    ]);
    expect(checkOf(finished.report, 'a command that is content')?.output).toBe('password [secret]\nHOME\nKUBECONFIG\nLIFEBOAT_DRILL_POINT\nLIFEBOAT_DRILL_SITE\nPATH\nPWD\nTMPDIR');
    const page = drillPage({ ...finished, reportPublicKey: publicKeyFor(DRILL_REPORTS.purpose, scene.keys) });
    for (const text of [JSON.stringify(finished.report), page, finished.signed.toString()]) {
      expect(text).not.toContain(PLANTED_SECRET);
      expect(text).not.toContain(Buffer.from(PLANTED_SECRET).toString('base64'));
    }
    expect(await readdir(scene.folder)).toEqual([]);
  });
});

describe('a drill that shows that something is wrong', () => {
  it('says so when the point cannot be read any more, and keeps a report of it', async () => {
    const intact = scene.vaults.map((vault) => new Map(vault.objects));
    for (const { objects } of scene.vaults) for (const [key, bytes] of objects) if (key.startsWith('packs/')) objects.set(key, flipBit(bytes, bytes.length >> 1));
    try {
      const { report, vaults } = await scene.drill({ point: { id: sound } });
      expect(report).toMatchObject({ ok: false, failure: { code: 'LB_REPO_DAMAGED' }, checks: [], rto: { verdict: 'unknown' } });
      expect(report.rto).not.toHaveProperty('seconds');
      expect(vaults).toEqual(['near', 'far']);
    } finally {
      for (const [index, { objects }] of scene.vaults.entries()) for (const [key, bytes] of intact[index] ?? []) objects.set(key, bytes);
    }
    expect(await readdir(scene.folder)).toEqual([]);
  });

  it('says so when an objective is missed', async () => {
    const { report } = await scene.drill({ point: { id: sound }, objectives: { rpo: 1, rto: 1 } });
    expect(failuresOf(report)).toEqual([]);
    expect(report).toMatchObject({ ok: false, rto: { verdict: 'missed' }, rpo: { verdict: 'missed' } });
  });

  it('says so when a point is not safe, and finds no other', async () => {
    await expect(scene.drill({ copies: 3 })).rejects.toMatchObject({ code: 'LB_DRILL_NO_POINT' });
    const { report } = await scene.drill({ point: { id: sound }, copies: 3 });
    expect(report.point).toMatchObject({ safe: false, vaults: ['near', 'far'], copies: 3 });
    expect(report.rpo).toMatchObject({ points: 0 });
  });
});

describe('reports of drills', () => {
  it('that were forged, edited or renamed are told, and count for nothing', async () => {
    const finished = await scene.drill({ point: { id: sound } });
    const [near] = scene.vaults;
    const key = `reports/drill/${finished.id}`;
    const edited = Buffer.from(finished.signed.toString().replace('"plan":"prod"', '"plan":"fake"'));
    expect(() => openReport(DRILL_REPORTS, edited, scene.keys)).toThrow(expect.objectContaining({ code: 'LB_REPO_FORGED' }));
    const other = { ...finished.report, repository: '0'.repeat(32) };
    const foreign = signReport(DRILL_REPORTS, other, scene.keys);
    const renamed = `reports/drill/20200101T000000Z-${'0'.repeat(64)}`;
    await near?.put(renamed, finished.signed);
    await near?.put(`reports/drill/${foreign.id}`, foreign.bytes);
    await near?.delete(key);
    await near?.put(key, edited);
    const { reports, bad } = await readKeptReports(DRILL_REPORTS, scene.vaults, scene.keys);
    expect(reports.find(({ id }) => id === finished.id)).toMatchObject({ vaults: ['far'], report: { plan: 'prod' } });
    expect(new Set(bad.map(({ id, vault }) => `${vault} ${id}`))).toEqual(new Set([`near ${finished.id}`, `near ${renamed.slice('reports/drill/'.length)}`, `near ${foreign.id}`]));
    expect(reports.every(({ report }) => report.plan === 'prod')).toBe(true);
    const { report } = await scene.drill({ point: { id: sound } });
    expect(report.warnings.filter(({ kind }) => kind === 'report-ignored').map(({ where }) => where)).toContain(`vault "near", ${key}`);
    // The time looked at begins with the genuine drill before.
    expect(report.rpo.from).toBe(finished.report.startedAt);
    for (const one of [renamed, key, `reports/drill/${foreign.id}`]) await near?.delete(one);
  });
});

describe('a drill of a whole site', () => {
  it('brings everything back, and finds the webhooks that nobody serves', async () => {
    await using big = await makeDrillScene();
    await fillSite(big.site.api, town(800));
    await big.backUp();
    const { report } = await big.drill({ point: 'random' });
    expect(failuresOf(report)).toEqual([
      'webhooks: MutatingWebhookConfiguration town-sidecars: webhook sidecars.town.example is served by the Service platform/admission, which is not there',
      'webhooks: ValidatingWebhookConfiguration town-boats: webhook boats.town.example is served by the Service platform/admission, which is not there',
    ]);
    expect(report).toMatchObject({ point: { chosen: 'random' }, restore: { outcomes: { failed: 0, unsupported: 0, kept: 0 } } });
  });
});

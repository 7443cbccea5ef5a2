import { spawnSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { METRIC_GROUPS, METRICS } from '../../src/telemetry/metrics/definitions.ts';
import type { MetricDefinition } from '../../src/telemetry/metrics/definitions.ts';
import { documentTable, undescribed } from '../cli/document-reference.ts';
import { messageBody } from '../jobs/message-body.ts';
import { expectKept, withPart } from '../support/kept-file.ts';
import { startHttpDouble } from '../testbed/http-double.ts';
import { findPrometheus, startPrometheus } from '../testbed/prometheus.ts';
import { everyMetric } from './every-metric.ts';

const project = fileURLToPath(new URL('../../', import.meta.url));
const ALERTS = `${project}infra/monitoring/alerts.yaml`;

const rulesSchema = z.object({
  groups: z.array(z.object({ name: z.string(), rules: z.array(z.object({ alert: z.string(), expr: z.string(), labels: z.object({ severity: z.enum(['critical', 'warning']) }), annotations: z.object({ summary: z.string(), description: z.string() }) })) })),
});
const target = z.object({ expr: z.string(), refId: z.string() });
const dashboardSchema = z.object({
  uid: z.literal('lifeboat'),
  panels: z.array(z.object({ id: z.int(), title: z.string(), gridPos: z.object({ x: z.int(), y: z.int(), w: z.int(), h: z.int() }), targets: z.array(target).default([]) })),
});

async function alerts() {
  return rulesSchema.parse(parse(await readFile(ALERTS, 'utf8'))).groups.flatMap(({ rules }) => rules);
}

async function panels() {
  return dashboardSchema.parse(JSON.parse(await readFile(`${project}infra/monitoring/dashboard.json`, 'utf8'))).panels;
}

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'lifeboat-monitoring-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function promtool(args: readonly string[], cwd: string, input = ''): Promise<{ status: number | null; output: string }> {
  const { status, stdout, stderr } = spawnSync((await findPrometheus()).promtool, args, { cwd, input, encoding: 'utf8' });
  return { status, output: stdout + stderr };
}

/** What an expression uses that is none of ours, or has none of these labels. */
function unknownIn(expr: string): string[] {
  const definitions: Readonly<Record<string, MetricDefinition>> = METRICS;
  return [...expr.matchAll(/\b((?:lifeboat|process)_[a-z_]+)(?:\{([^}]*)\})?/g)].flatMap(([, used = '', selector = '']) => {
    const histogram = definitions[used.replace(/_(?:bucket|sum|count)$/, '')];
    const definition = definitions[used] ?? (histogram?.type === 'histogram' ? histogram : undefined);
    if (definition === undefined) return [used];
    const labels = [...selector.matchAll(/([a-z_]+)\s*(?:=~|!=|!~|=)/g)].map(([, label = '']) => label);
    return labels.filter((label) => !definition.labels.includes(label)).map((label) => `${used}{${label}}`);
  });
}

describe('the alerts', () => {
  it('are taken by Prometheus, and fire when they should and not before', async () => {
    const cwd = await folder();
    await cp(ALERTS, join(cwd, 'alerts.yaml'));
    await cp(`${project}test/telemetry/alerts.promtool.yaml`, join(cwd, 'tests.yaml'));
    expect(await promtool(['check', 'rules', '--lint=all', '--lint-fatal', 'alerts.yaml'], cwd)).toMatchObject({ status: 0 });
    expect(await promtool(['test', 'rules', 'tests.yaml'], cwd)).toMatchObject({ status: 0 });
  });

  it('use metrics and labels that there are', async () => {
    const rules = await alerts();
    expect(rules.length).toBeGreaterThan(15);
    expect(rules.flatMap(({ expr }) => unknownIn(expr))).toEqual([]);
    expect(unknownIn('lifeboat_no_such_thing > lifeboat_rpo_objective_seconds{vault="x"}')).toEqual(['lifeboat_no_such_thing', 'lifeboat_rpo_objective_seconds{vault}']);
  });
});

describe('the dashboard', () => {
  it('uses metrics and labels that there are, in expressions that Prometheus takes', async () => {
    const expressions = (await panels()).flatMap(({ targets }) => targets.map(({ expr }) => expr));
    expect(expressions.length).toBeGreaterThan(20);
    expect(expressions.flatMap(unknownIn)).toEqual([]);
    const cwd = await folder();
    const plain = expressions.map((expr) => expr.replaceAll('$__rate_interval', '5m').replaceAll('$plan', '.*'));
    const rules = plain.map((expr, i) => ({ record: `panel:${i}`, expr }));
    await writeFile(join(cwd, 'panels.yaml'), JSON.stringify({ groups: [{ name: 'panels', rules }] }));
    expect(await promtool(['check', 'rules', 'panels.yaml'], cwd)).toMatchObject({ status: 0 });
  });

  it('has its panels beside each other', async () => {
    const all = await panels();
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    const taken = new Set<string>();
    for (const { title, gridPos } of all) {
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect({ title, x, y, free: x < 24 && !taken.has(`${x},${y}`) }).toEqual({ title, x, y, free: true });
          taken.add(`${x},${y}`);
        }
      }
    }
  });
});

describe('the metrics', () => {
  it('are what Prometheus calls well named and well written', async () => {
    const { text } = await everyMetric().text();
    expect(await promtool(['check', 'metrics'], project, text)).toEqual({ status: 0, output: '' });
  });

  it('are scraped by a real Prometheus, which loads the alerts', async () => {
    const metrics = everyMetric();
    await using double = await startHttpDouble(async () => {
      const { contentType, text } = await metrics.text();
      return { status: 200, headers: { 'content-type': contentType }, body: text };
    });
    await using prometheus = await startPrometheus(new URL(double.url).host, [ALERTS]);
    const names = async (): Promise<readonly string[]> => {
      const answer = (await (await fetch(`${prometheus.url}/api/v1/label/__name__/values`)).json()) as { readonly data: readonly string[] };
      return answer.data.map((name) => name.replace(/_(?:bucket|sum|count)$/, ''));
    };
    await expect.poll(names, { timeout: 60_000, interval: 500 }).toEqual(expect.arrayContaining(Object.keys(METRICS)));
    const rules = (await (await fetch(`${prometheus.url}/api/v1/rules`)).json()) as { readonly data: { readonly groups: readonly { readonly rules: readonly { readonly health: string }[] }[] } };
    expect(rules.data.groups.flatMap((group) => group.rules)).toHaveLength((await alerts()).length);
  });
});

describe('docs/monitoring.md', () => {
  it('has every metric as it is', async () => {
    const table = (group: Readonly<Record<string, MetricDefinition>>): string =>
      ['| metric | type | labels | what it is |', '| --- | --- | --- | --- |', ...Object.entries(group).map(([name, { type, labels, help }]) => `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help}. |`)].join('\n');
    await expectKept('docs/monitoring.md', (page) => Object.entries(METRIC_GROUPS).reduce((now, [name, group]) => withPart(now, `${name} metrics`, table(group)), page));
  });

  it('has the body of messages as it is, member by member', async () => {
    expect(undescribed({ message: messageBody })).toEqual([]);
    await expectKept('docs/monitoring.md', (page) => withPart(page, 'message body', documentTable(messageBody)));
  });

  it('names every alert', async () => {
    const page = await readFile(`${project}docs/monitoring.md`, 'utf8');
    expect((await alerts()).map(({ alert }) => alert).filter((alert) => !page.includes(`\`${alert}\``))).toEqual([]);
  });
});

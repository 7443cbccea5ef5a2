import { rename, rm } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { iso, telling } from './telling.ts';

const PROD = 'prod: {site: prod, vaults: [near, far], copies: 2, schedule: {cron: "*/5 * * * *"}, objectives: {rpo: 15m, rto: 10m}, drill: {schedule: {every: 1h}}}';

describe('how the plans stand', () => {
  it('is in the metrics, as read from the vaults, once a minute at most', async () => {
    const { point, at, metrics } = await telling(PROD);
    await point('prod', iso(-1));
    expect(await metrics()).toEqual(
      expect.arrayContaining([
        'lifeboat_safe_point_age_seconds{plan="prod"} 60',
        'lifeboat_vault_point_age_seconds{plan="prod",vault="far"} 60',
        'lifeboat_rpo_objective_seconds{plan="prod"} 900',
        'lifeboat_rto_objective_seconds{plan="prod"} 600',
        'lifeboat_objective_met{plan="prod",objective="rpo"} 1',
        'lifeboat_schedule_missed{plan="prod",kind="backup"} 0',
        `lifeboat_schedule_next_timestamp_seconds{plan="prod",kind="backup"} ${Date.parse(iso(5)) / 1000}`,
        'lifeboat_vault_reachable{vault="near"} 1',
        'lifeboat_plans_unknown 0',
      ]),
    );
    await point('prod', iso(0.5));
    at(0.9);
    expect(await metrics()).toContain('lifeboat_safe_point_age_seconds{plan="prod"} 114');
    at(1.5);
    expect(await metrics()).toContain('lifeboat_safe_point_age_seconds{plan="prod"} 60');
  });

  it('has what was seen in a vault before it was away', async () => {
    const { home, point, at, metrics } = await telling(PROD);
    await point('prod', iso(-1));
    await metrics();
    await rename(home.path('far'), home.path('gone'));
    at(2);
    const shown = await metrics();
    expect(shown).toContain('lifeboat_safe_point_age_seconds{plan="prod"} 180');
    expect(shown).toContain('lifeboat_vault_point_age_seconds{plan="prod",vault="far"} 180');
    expect(shown).toContain('lifeboat_vault_reachable{vault="far"} 0');
    expect(shown).toContain('lifeboat_plans_unknown 1');
    await rename(home.path('gone'), home.path('far'));
    at(4);
    expect(await metrics()).toContain('lifeboat_plans_unknown 0');
  });

  it('has the last drill', async () => {
    let drill = { at: iso(-10), ok: true, rtoSeconds: 30 };
    const { point, at, metrics, telemetry, messages } = await telling(PROD, { lastDrills: () => Promise.resolve(new Map([['prod', drill]])) });
    await point('prod', iso(-1));
    expect(await metrics()).toEqual(expect.arrayContaining(['lifeboat_drill_ok{plan="prod"} 1', 'lifeboat_rto_measured_seconds{plan="prod"} 30', 'lifeboat_objective_met{plan="prod",objective="rto"} 1']));
    drill = { at: iso(10), ok: false, rtoSeconds: 1200 };
    at(12);
    await point('prod', iso(11));
    await telemetry.ticked();
    expect(await metrics()).toEqual(expect.arrayContaining(['lifeboat_drill_ok{plan="prod"} 0', 'lifeboat_objective_met{plan="prod",objective="rto"} 0']));
    expect((await messages()).map(({ id, text }) => [id, text])).toEqual([[`objective-missed.rto.prod.${iso(10)}`, 'lifeboat: plan "prod" took 20 min 00 s to restore in its last drill, and promises 10 min 00 s']]);
  });
});

describe('a tick', () => {
  it('gives the heartbeat while every plan is on time, and tells once of what is not, again only after it was well', async () => {
    const { point, at, telemetry, messages, heartbeats } = await telling(PROD);
    const tick = async (minutes: number): Promise<void> => {
      at(minutes);
      await telemetry.ticked();
    };
    const told = async (): Promise<readonly string[]> => (await messages()).map(({ event, id }) => `${event} ${id}`);
    const first = await point('prod', iso(-1));
    await tick(0);
    await tick(2);
    expect(await heartbeats()).toBe(2);
    await tick(9);
    expect(await told()).toEqual([`schedule-missed schedule-missed.backup.prod.${iso(5)}`]);
    await tick(12);
    expect(await told()).toHaveLength(1);
    for (const minutes of [15, 20, 30]) await tick(minutes);
    expect((await told()).slice(1)).toEqual([`objective-missed objective-missed.rpo.prod.${first}`]);
    expect(await heartbeats()).toBe(2);
    await point('prod', iso(30));
    await tick(31.5);
    expect(await heartbeats()).toBe(3);
    await tick(60);
    expect(await told()).toHaveLength(4);
    const [, missed] = await messages();
    expect(missed).toMatchObject({ ok: false, plan: 'prod', site: 'prod', details: { objective: 'rpo', objectiveSeconds: 900, point: first } });
  });

  it('does not give the heartbeat when vaults cannot be looked at, nor calls that a missed objective', async () => {
    const { home, point, telemetry, messages, heartbeats, lines } = await telling(PROD);
    await point('prod', iso(-1));
    await rm(home.path('far'), { recursive: true });
    await rm(home.path('near'), { recursive: true });
    await telemetry.ticked();
    expect(await heartbeats()).toBe(0);
    expect(await messages()).toEqual([]);
    expect(lines().filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('gives a plan that never had a point some minutes for the first', async () => {
    const { telemetry, at, messages } = await telling(PROD);
    await telemetry.ticked();
    at(8);
    await telemetry.ticked();
    expect(await messages()).toEqual([]);
    at(12);
    await telemetry.ticked();
    expect((await messages()).map(({ event }) => event).sort()).toEqual(['objective-missed', 'schedule-missed']);
  });
});

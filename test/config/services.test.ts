import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { ConfigError } from '../../src/config/problem.ts';

const BASE = `version: 1
sites:
  prod: {}
  spare: {}
vaults:
  near: { type: directory, path: /backups }
`;

const plan = (fields: string): string => `${BASE}plans:\n  prod:\n    site: prod\n    vaults: [near]\n${fields}`;

function problemsOf(text: string): readonly string[] {
  try {
    parseConfig(text, 'lifeboat.yaml');
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ line, path, message }) => `${line} ${path} ${message}`);
  }
}

describe('what happens by itself', () => {
  it('is written in the plan', () => {
    const text = plan(`    schedule: { every: 15m }
    objectives: { rpo: 30m, rto: 1h }
    verify: { schedule: { cron: "0 4 * * *" }, sample: 0.1 }
    drill:
      schedule: { cron: "30 2 * * 0", timezone: Europe/Berlin }
      point: random
      into: spare
      checks:
        - { name: shop, http: { url: /api/v1/namespaces/shop, status: 200 } }
        - { name: script, command: [./check.sh], timeout: 2m }
maintenance: { schedule: { every: 1d } }
`);
    expect(problemsOf(text)).toEqual([]);
    expect(parseConfig(text, '/etc/lifeboat.yaml').plans.get('prod')?.schedule).toEqual({ every: '15m' });
  });

  it('has one schedule, and one that can be understood', () => {
    expect(problemsOf(plan('    schedule: {}\n'))).toEqual(['11 plans.prod.schedule needs exactly one of `every` and `cron`']);
    expect(problemsOf(plan('    schedule: { cron: "61 * * * *" }\n'))).toEqual([expect.stringMatching(/^11 plans\.prod\.schedule\.cron is not a cron expression/)]);
    expect(problemsOf(plan('    schedule: { cron: "0 3 * * *", timezone: Berlin }\n'))).toEqual([
      '11 plans.prod.schedule.timezone is not a time zone such as `Europe/Berlin`',
    ]);
  });

  it('happens no oftener than every second', () => {
    for (const every of ['0s', '999ms']) expect(problemsOf(plan(`    schedule: { every: ${every} }\n`))).toEqual(['11 plans.prod.schedule.every is shorter than a second']);
    expect(problemsOf(plan('    schedule: { every: 1s }\n'))).toEqual([]);
    expect(problemsOf(plan('    schedule: { every: often }\n'))).toEqual([expect.stringMatching(/^11 plans\.prod\.schedule\.every write a number/)]);
  });

  it('names a spare site that there is', () => {
    expect(problemsOf(plan('    drill: { into: spares }\n'))).toEqual(['11 plans.prod.drill.into there is no site `spares`']);
  });
});

describe('the queue', () => {
  it('is a folder beside lifeboat.yaml when nothing is said', () => {
    expect(parseConfig(plan(''), '/etc/lifeboat/lifeboat.yaml').queue).toEqual({ type: 'embedded', path: '/etc/lifeboat/.lifeboat/queue' });
  });

  it('has no password in its address', () => {
    expect(problemsOf(`${plan('')}queue: { type: redis, url: "rediss://lifeboat:secret@queue.example.net" }\n`)).toEqual(['11 queue.url holds a password']);
    expect(problemsOf(`${plan('')}queue: { type: postgres, url: "postgres://lifeboat:secret@db.example.net/jobs" }\n`)).toEqual(['11 queue.url holds a password']);
    expect(problemsOf(`${plan('')}queue: { type: redis, url: "rediss://lifeboat@queue.example.net", passwordEnv: QUEUE_PASSWORD }\n`)).toEqual([]);
  });
});

describe('the server', () => {
  it('says who may use it', () => {
    expect(problemsOf(`${plan('')}server: { audit: { keyEnv: AUDIT_KEY } }\n`)).toEqual(['11 server needs `oidc` or `mtls`']);
    expect(problemsOf(`${plan('')}server: { audit: {}, oidc: { issuer: "https://id.example.net", audience: lifeboat, roles: {} } }\n`)).toEqual(['11 server.audit needs exactly one of `key` and `keyEnv`']);
    const oidc = 'server: { oidc: { issuer: "https://id.example.net", audience: lifeboat, roles: { operator: [platform] } }, audit: { keyEnv: AUDIT_KEY } }\n';
    expect(problemsOf(plan('') + oidc)).toEqual([]);
    expect(problemsOf(plan('') + oidc.replace('https', 'http'))).toEqual(['11 server.oidc.issuer use a URL that starts with https://']);
    expect(problemsOf(plan('') + oidc.replace('https://id.example.net', 'http://127.0.0.1:9000'))).toEqual([]);
  });

  it('has files relative to lifeboat.yaml, and client certificates only with TLS', () => {
    const mtls = (more: string): string => `server: { mtls: { ca: clients.pem, roles: { admin: [ops] } }, audit: { key: audit.key }${more} }\n`;
    expect(problemsOf(plan('') + mtls(''))).toEqual(['11 server `mtls` needs `certificate` and `key`']);
    expect(parseConfig(plan('') + mtls(', certificate: tls.pem, key: tls.key'), '/etc/lifeboat.yaml').server).toMatchObject({
      certificate: '/etc/tls.pem',
      key: '/etc/tls.key',
      mtls: { ca: '/etc/clients.pem' },
      audit: { key: '/etc/audit.key' },
    });
  });
});

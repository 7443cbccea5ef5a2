import { onTestFinished } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/load.ts';
import { systemClock } from '../../src/core/clock.ts';
import { Redactor } from '../../src/core/redact.ts';
import { generateAuditKey } from '../../src/keys/index.ts';
import type { AuditKey } from '../../src/keys/index.ts';
import { createApp } from '../../src/server/app.ts';
import { readTrail } from '../../src/server/audit/read.ts';
import type { AuditRecord } from '../../src/server/audit/record.ts';
import { openTrail } from '../../src/server/audit/trail.ts';
import { authenticator } from '../../src/server/auth/authenticate.ts';
import type { Peer } from '../../src/server/auth/authenticate.ts';
import type { PointDocument } from '../../src/server/documents.ts';
import type { AppParts, RequestLog } from '../../src/server/parts.ts';
import { MemoryVault } from '../support/memory-vault.ts';
import { JobServiceDouble } from './doubles/job-service-double.ts';
import { OidcProviderDouble } from './doubles/oidc-provider-double.ts';

export const ROLES = '{ viewer: [look], operator: [operate], admin: [administer] }';

export function configOf(issuer: string, more = ''): Config {
  return parseConfig(
    `version: 1
sites: { prod: {}, spare: {} }
vaults: { near: { type: directory, path: /backups } }
plans:
  prod: { site: prod, vaults: [near], schedule: { every: 15m }, objectives: { rpo: 30m } }
server:
  oidc: { issuer: "${issuer}", audience: lifeboat, roles: ${ROLES} }
  certificate: tls.pem
  key: tls.key
  mtls: { ca: clients.pem, roles: ${ROLES} }
  audit: { keyEnv: AUDIT_KEY }
${more}`,
    'lifeboat.yaml',
  );
}

/** A point of `minutes` ago. */
export const point = (minutes: number, more: Partial<PointDocument> = {}): PointDocument => ({
  id: `2026010${minutes % 10}T000000Z-00000000`,
  site: 'prod',
  at: new Date(Date.now() - minutes * 60_000).toISOString(),
  committedAt: new Date().toISOString(),
  complete: true,
  safe: true,
  vaults: ['near'],
  ...more,
});

type Role = 'look' | 'operate' | 'administer' | 'nothing';

/** The API in this process, with a double of an OpenID Connect provider and one of the jobs' service, and an audit trail in memory. */
export class Scene {
  readonly provider: OidcProviderDouble;
  readonly jobs = new JobServiceDouble();
  readonly vault = new MemoryVault('near');
  readonly key: AuditKey = generateAuditKey();
  readonly log: RequestLog[] = [];
  readonly redactor = new Redactor();
  points: PointDocument[] = [point(5), point(20, { safe: false })];
  parts!: AppParts;
  app!: ReturnType<typeof createApp>;

  private constructor(provider: OidcProviderDouble) {
    this.provider = provider;
  }

  /** With its own provider, closed after the test, unless one is given. */
  static async open(options: { readonly more?: string; readonly parts?: Partial<AppParts>; readonly provider?: OidcProviderDouble; readonly outsideTest?: boolean } = {}): Promise<Scene> {
    const provider = options.provider ?? (await OidcProviderDouble.start());
    if (options.provider === undefined) onTestFinished(() => provider.close());
    const scene = new Scene(provider);
    const config = configOf(provider.issuer, options.more);
    if (config.server === undefined) throw new Error('there is no server');
    scene.parts = {
      jobs: scene.jobs,
      config,
      authenticate: authenticator(config.server, systemClock, 0),
      audit: await openTrail({ vaults: [scene.vault], key: scene.key, clock: systemClock, warn: () => undefined }),
      points: { ofPlan: () => Promise.resolve(scene.points) },
      clock: systemClock,
      version: '1.2.3',
      redact: (text) => scene.redactor.redact(text),
      log: (line) => scene.log.push(line),
      ...options.parts,
    };
    scene.app = createApp(scene.parts);
    if (options.outsideTest !== true) onTestFinished(() => scene.parts.audit.close());
    return scene;
  }

  token(role: Role, subject = `${role}r`): Promise<string> {
    return this.provider.token({ subject, claims: { roles: [role] } });
  }

  async ask(role: Role | undefined, method: string, path: string, options: { readonly body?: unknown; readonly headers?: Record<string, string>; readonly subject?: string; readonly peer?: Peer; readonly signal?: AbortSignal } = {}): Promise<Response> {
    const { body, headers, peer = { address: '192.0.2.7' }, signal, subject } = options;
    const request = new Request(`http://lifeboat.test${path}`, {
      method,
      headers: {
        ...(role !== undefined && { authorization: `Bearer ${await this.token(role, subject)}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      ...(signal !== undefined && { signal }),
    });
    return this.app.fetch(request, { peer });
  }

  /** Everything on record. */
  async records(): Promise<readonly AuditRecord[]> {
    await this.parts.audit.flush();
    const stored = await Array.fromAsync(readTrail([this.vault], { keys: [this.key] }));
    return stored.flatMap(({ batch }) => batch?.records ?? []).toSorted((a, b) => a.seq - b.seq);
  }
}

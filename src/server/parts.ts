import type { MiddlewareHandler } from 'hono';
import type { Config } from '../config/load.ts';
import type { Clock } from '../core/clock.ts';
import type { JobService } from '../jobs/service.ts';
import type { Tracing } from '../telemetry/traces/tracing.ts';
import type { AuditTrail } from './audit/trail.ts';
import type { Authenticate, Peer } from './auth/authenticate.ts';
import type { Principal, ServerRole } from './auth/principal.ts';
import type { PointDocument } from './documents.ts';

/** Where points are looked up. */
export interface PointsSource {
  /** The points of a plan's site in its vaults, the newest first. Throws what the vaults throw. */
  ofPlan(plan: string, signal: AbortSignal): Promise<readonly PointDocument[]>;
}

/** Metrics as Prometheus reads them. */
export interface MetricsSource {
  read(): Promise<{ readonly contentType: string; readonly text: string }>;
}

/** One line for the log of the server: no bodies, no credentials. */
export interface RequestLog {
  readonly id: string;
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly milliseconds: number;
  readonly who?: string;
  readonly code?: string;
  /** What was thrown, when it was not thrown on purpose. */
  readonly error?: unknown;
}

/** What the API is made of. */
export interface AppParts {
  readonly jobs: JobService;
  readonly config: Pick<Config, 'plans' | 'server' | 'sites'>;
  readonly authenticate: Authenticate;
  readonly audit: AuditTrail;
  readonly points: PointsSource;
  readonly clock: Clock;
  readonly version: string;
  readonly metrics?: MetricsSource | undefined;
  /** Makes spans of requests; default: none. */
  readonly tracing?: Tracing | undefined;
  /** Takes secrets out of what is answered. */
  readonly redact: (text: string) => string;
  readonly log?: ((line: RequestLog) => void) | undefined;
  /** Fires when the server ends: streams of events end then. */
  readonly stopping?: AbortSignal | undefined;
  /** How long a request may take, ms; streams of events may take any time. Default: 30 s. */
  readonly patience?: number;
  /** How often a stream of events says that it is alive, ms. Default: 15 s. */
  readonly heartbeat?: number;
}

/** What whoever runs the app gives it with each request: `app.fetch(request, { peer })`. */
export interface AppBindings {
  readonly peer?: Peer;
}

export interface AppEnv {
  Bindings: AppBindings;
  Variables: {
    requestId: string;
    /** Where what is asked for is, as it is in the document. */
    route: string;
    /** Whoever asks, once that is known. */
    principal: Principal;
  };
}

/** Lets nobody through who has not at least this role. */
export type Guard = (role: ServerRole, route: string) => MiddlewareHandler<AppEnv>;

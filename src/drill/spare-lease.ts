import { z } from 'zod';
import { LifeboatError, messageOf } from '../core/errors.ts';
import type { OnWarning } from '../core/progress.ts';
import { createObject, replaceObject } from '../site/apply.ts';
import type { SiteConnection } from '../site/connect.ts';
import { isRefusal } from '../site/errors.ts';
import { objectPath } from '../site/url.ts';

const LEASES = { group: 'coordination.k8s.io', version: 'v1', resource: 'leases', kind: 'Lease' };
const NAMESPACE = 'default';
const NAME = 'lifeboat-drill';
/** A drill that was killed is waited for so long. */
const HELD_SECONDS = 60;
const RENEW_MS = 15_000;

const leaseSchema = z.object({
  metadata: z.object({ uid: z.string(), resourceVersion: z.string() }),
  spec: z.object({ holderIdentity: z.string().default(''), leaseDurationSeconds: z.number().default(HELD_SECONDS), renewTime: z.string().default('') }),
});

/** A spare site that is this drill's alone for a while. */
export interface HeldSite {
  release(): Promise<void>;
}

/**
 * Takes a Lease in a spare site, and renews it until it is released: a second drill would take what the first creates for the leavings of one
 * that was killed, and remove it. Times are those of the API server. Throws `LB_DRILL_SITE_BUSY` while another drill holds it.
 */
export async function holdSite(connection: SiteConnection, mark: string, options: { readonly signal?: AbortSignal | undefined; readonly onWarning: OnWarning }): Promise<HeldSite> {
  const { signal, onWarning } = options;
  const asked = await connection.request({ path: '/version', doing: 'get /version', signal });
  // Two machines that drill into one site need not agree on the time; its API server agrees with itself.
  const ahead = (asked.date ?? Date.now()) - Date.now();
  const now = (): number => Date.now() + ahead;
  let held = await take(connection, mark, now, signal);
  let renewing: Promise<void> = Promise.resolve();
  const renew = async (): Promise<void> => {
    try {
      held = await write(connection, mark, now, held.metadata.resourceVersion);
    } catch (error) {
      onWarning({ kind: 'drill-lease', message: `The Lease ${NAMESPACE}/${NAME} could not be renewed: ${messageOf(error)}`, where: `site "${connection.name}"` });
    }
  };
  const timer = setInterval(() => {
    renewing = renew();
  }, RENEW_MS).unref();
  return {
    async release() {
      clearInterval(timer);
      await renewing;
      const body = JSON.stringify({ kind: 'DeleteOptions', apiVersion: 'v1', preconditions: { uid: held.metadata.uid, resourceVersion: held.metadata.resourceVersion } });
      await connection.request({ method: 'DELETE', path: objectPath(LEASES, NAME, NAMESPACE), body, doing: 'delete leases' }).catch((error: unknown) => {
        // It runs out by itself, and whoever has it now keeps it.
        if (!isRefusal(error)) throw error;
      });
    },
  };
}

type Lease = z.output<typeof leaseSchema>;

async function take(connection: SiteConnection, mark: string, now: () => number, signal: AbortSignal | undefined): Promise<Lease> {
  const created = await createObject(connection, LEASES, NAMESPACE, leaseText(mark, now()), { signal });
  if (created.outcome === 'created') return read(created.body);
  const answer = await connection.request({ path: objectPath(LEASES, NAME, NAMESPACE), doing: 'get leases', signal });
  const { metadata, spec } = read(answer.body);
  const left = Date.parse(spec.renewTime) + spec.leaseDurationSeconds * 1000 - now();
  if (left > 0) throw busy(connection, `for ${Math.ceil(left / 1000)} s more, unless it renews that`);
  try {
    return await write(connection, mark, now, metadata.resourceVersion);
  } catch (error) {
    if (isRefusal(error, 409)) throw busy(connection, 'since just now');
    throw error;
  }
}

async function write(connection: SiteConnection, mark: string, now: () => number, resourceVersion: string): Promise<Lease> {
  return read(await replaceObject(connection, LEASES, NAMESPACE, NAME, leaseText(mark, now(), resourceVersion)));
}

function leaseText(mark: string, now: number, resourceVersion?: string): string {
  // MicroTime: six digits.
  const renewTime = new Date(now).toISOString().replace('Z', '000Z');
  const metadata = { name: NAME, namespace: NAMESPACE, ...(resourceVersion !== undefined && { resourceVersion }) };
  return JSON.stringify({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec: { holderIdentity: mark, leaseDurationSeconds: HELD_SECONDS, renewTime } });
}

function read(raw: Buffer): Lease {
  return leaseSchema.parse(JSON.parse(raw.toString('utf8')));
}

function busy(connection: SiteConnection, how: string): LifeboatError {
  return new LifeboatError('LB_DRILL_SITE_BUSY', `Another drill holds site "${connection.name}" ${how}`, {
    where: `Lease ${NAMESPACE}/${NAME}`,
    hint: 'Start it again when that one is over; what it leaves when it is killed is removed then.',
  });
}

import { DefinitionReader } from './definitions.ts';
import type { Definitions } from './definitions.ts';
import { byTypeName } from './discover.ts';
import type { Discovery, ServedType } from './discover.ts';
import { computedGroup, holdsNothing } from './known-types.ts';
import { limitedTo } from './parallel.ts';
import { readType } from './read-type.ts';
import type { ReadContext, TypePlan } from './read-type.ts';
import { isKeptApart } from './revision.ts';
import type { CutType, SkippedType } from './types.ts';
import { typeName } from './types.ts';
import { collectionPath } from './url.ts';

export interface AttemptOptions {
  readonly discovery: Discovery;
  /** Types read at once. */
  readonly concurrency: number;
  /** True when the cut cannot start again: types that would make it do so are recorded as missing. */
  readonly last: boolean;
}

const DEFINITIONS = 'customresourcedefinitions.apiextensions.k8s.io';
const API_SERVICES = 'apiservices.apiregistration.k8s.io';

/**
 * Reads every selected type at one moment. The definitions come first, because they say in which version custom types
 * are stored, which of them existed at that moment, and which APIs are another server's; the core group, which is
 * never any of these, is read meanwhile.
 */
export async function readEverything(
  context: Omit<ReadContext, 'signal'> & { readonly signal?: AbortSignal | undefined },
  options: AttemptOptions,
): Promise<{ readonly types: readonly CutType[]; readonly skipped: readonly SkippedType[] }> {
  const { discovery } = options;
  const { selection } = context;
  const stop = new AbortController();
  const signal = context.signal === undefined ? stop.signal : AbortSignal.any([context.signal, stop.signal]);
  const limit = limitedTo(options.concurrency);
  const readings: Promise<CutType | undefined>[] = [];
  const read = (planned: TypePlan, look?: () => Promise<TypePlan>): Promise<CutType | undefined> => {
    const reading = limit(async () => {
      signal.throwIfAborted();
      const plan = look === undefined ? planned : await look();
      const type = await readType({ ...context, signal }, options.last && plan.notFound === 'stale' ? { ...plan, notFound: 'missing' } : plan);
      context.tally.sized(plan.type, type?.count ?? 0);
      return type;
    });
    readings.push(reading);
    // The first failure stops the others; `Promise.all` below reports it.
    reading.catch((error: unknown) => stop.abort(error));
    return reading;
  };

  const served = new Set(discovery.types.map(typeName));
  const skipped = discovery.types.flatMap((type) => {
    const reason = selection.hasType(type) ? holdsNothing(type, served) : undefined;
    return reason === undefined ? [] : [{ group: type.group, resource: type.resource, reason }];
  });
  const wanted = discovery.types.filter((type) => selection.hasType(type) && holdsNothing(type, served) === undefined);

  try {
    const definitions = readDefinitions(discovery, wanted, read);
    for (const type of wanted) {
      if (type.group !== '') continue;
      const plan = planFor(type, undefined);
      void (typeName(type) === 'events' ? read(plan, () => whereEventsAre(plan, { ...context, signal })) : read(plan));
    }
    const known = await definitions;
    const rest = wanted.filter((type) => type.group !== '' && typeName(type) !== DEFINITIONS && typeName(type) !== API_SERVICES);
    for (const type of rest) void read(planFor(type, known));
    for (const custom of known.customTypes?.values() ?? []) {
      if (custom.established && !served.has(typeName(custom.type)) && selection.hasType(custom.type)) {
        void read({ type: custom.type, versions: custom.versions, notFound: 'stale', selected: true });
      }
    }
    context.tally.planned(readings.length);
    const types = (await Promise.all(readings)).filter((type) => type !== undefined && selection.hasType(type)) as CutType[];
    const silent = silentApis(discovery, known).filter(({ group }) => selection.mayHaveGroup(group));
    return {
      types: [...types, ...silent.filter(({ group }) => computedGroup(group) === undefined)].toSorted(byTypeName),
      skipped: [
        ...skipped,
        ...silent.flatMap(({ group }) => {
          const reason = computedGroup(group);
          return reason === undefined ? [] : [{ group, resource: '*', reason }];
        }),
      ].toSorted(byTypeName),
    };
  } catch (error) {
    stop.abort(error);
    // What made the others stop, rather than that they were stopped.
    throw context.signal?.aborted ? context.signal.reason : (stop.signal.reason ?? error);
  } finally {
    await Promise.allSettled(readings);
  }
}

async function readDefinitions(
  discovery: Discovery,
  wanted: readonly ServedType[],
  read: (plan: TypePlan) => Promise<CutType | undefined>,
): Promise<Definitions> {
  const reader = new DefinitionReader();
  const [definitions] = await Promise.all(
    [DEFINITIONS, API_SERVICES].map(async (name) => {
      const type = discovery.types.find((candidate) => typeName(candidate) === name);
      if (type === undefined) return undefined;
      return read({
        type,
        versions: type.versions,
        notFound: 'missing',
        selected: wanted.includes(type),
        inspect: name === DEFINITIONS ? (raw) => reader.definition(raw) : (raw) => reader.apiService(raw),
      });
    }),
  );
  return reader.definitions(definitions?.fidelity === 'exact');
}

function planFor(type: ServedType, known: Definitions | undefined): TypePlan {
  const custom = known?.customTypes?.get(typeName(type));
  if (custom !== undefined) return { type: custom.type, versions: custom.versions, notFound: 'stale', selected: true };
  if (known?.aggregated.has(`${type.group}/${type.version}`)) {
    return {
      type,
      versions: [type.version],
      elsewhere: 'an aggregated API: another server keeps these objects, at revisions of its own',
      notFound: 'missing',
      selected: true,
    };
  }
  // Discovered, but not defined at the revision: it had been deleted by then, unless it is built in.
  return { type, versions: [type.version], notFound: known?.customTypes === undefined ? 'missing' : 'absent', selected: true };
}

/** Events are what many clusters keep in an etcd of its own, because they are so many. */
async function whereEventsAre(plan: TypePlan, { connection, moment, signal }: Pick<ReadContext, 'connection' | 'moment' | 'signal'>): Promise<TypePlan> {
  const apart = await isKeptApart(connection, moment, collectionPath(plan.type), signal);
  return apart ? { ...plan, elsewhere: 'kept in another etcd, at revisions of its own' } : plan;
}

/** APIs that are registered and of which nobody knows what they serve. */
function silentApis(discovery: Discovery, known: Definitions): readonly CutType[] {
  const answered = new Set(discovery.types.map(({ group, version }) => `${group}/${version}`));
  const reasons = new Map(discovery.unavailable.map(({ group, version, reason }) => [`${group}/${version}`, reason]));
  for (const api of known.aggregated) {
    if (!answered.has(api) && !reasons.has(api)) reasons.set(api, 'the API is registered, but the site does not serve it');
  }
  return [...reasons].flatMap(([api, reason]) => {
    if (answered.has(api)) return [];
    const [group = '', version = ''] = api.split('/');
    return [{ group, version, resource: '*', kind: '*', namespaced: false, count: 0, bytes: 0, fidelity: 'missing' as const, reason }];
  });
}

import { LifeboatError } from '../../core/errors.ts';
import { nearest } from '../../core/suggest.ts';
import { parseObjectName } from '../../pipeline/select.ts';
import type { OpenPoint } from '../../repository/api.ts';
import { peekIdentity } from '../../site/peek.ts';
import type { CutType, StateSource } from '../../site/types.ts';
import { typeName } from '../../site/types.ts';
import type { Context } from '../context.ts';
import { withPoint } from '../../access/repository.ts';
import { formatBytes, formatCount, formatTable, plural } from '../text.ts';
import { groupReasons } from '../warning-groups.ts';
import { findObject, typesMeant, withoutManagedFields, withoutSecrets } from './objects.ts';
import type { ReadKeyOptions, VaultOptions } from '../../access/options.ts';

export interface ShowOptions extends VaultOptions, ReadKeyOptions {
  readonly site?: string;
  readonly objects?: boolean;
  readonly namespace?: readonly string[];
  readonly type?: readonly string[];
  readonly output: 'yaml' | 'json';
  readonly reveal?: boolean;
  readonly managedFields?: boolean;
}

/** `lifeboat show POINT`: what the point is, and its types. */
export async function showSummary(context: Context, id: string, options: ShowOptions): Promise<void> {
  await withPoint(context, id, options, async (source, point) => {
    const { header, vaults } = point;
    await context.output.result({ ok: true, point: header, vaults, summary: source.summary }, () => summaryText(source, point, context.globals.verbose === true));
  });
}

function summaryText(source: StateSource, point: OpenPoint, verbose: boolean): string {
  const { header, vaults } = point;
  const { summary } = source;
  const objects = summary.types.reduce((sum, type) => sum + type.count, 0);
  const facts = [
    ['point', header.id],
    ['site', `${header.site} (Kubernetes ${summary.kubernetesVersion}, cluster ${summary.clusterUid})`],
    ['shows', `${header.at}, revision ${summary.revision}`],
    ['holds', `${plural(objects, 'object')} of ${plural(summary.types.filter((type) => type.count > 0).length, 'type')}, ${formatBytes(header.stats.plaintextBytes)}`],
    ['added', `${formatBytes(header.stats.storedBytes)} to each vault`],
    ['vaults', vaults.join(', ')],
    ['follows', header.previous.map((one) => one.id).join(', ') || 'none: the first of its site'],
    ['complete', header.complete ? 'yes' : 'no: see below'],
  ];
  const width = Math.max(...facts.map(([label]) => (label ?? '').length));
  const head = facts.map(([label, value]) => `${(label ?? '').padEnd(width)}  ${value ?? ''}`);
  const imperfect = summary.types
    .filter((type) => type.fidelity !== 'exact')
    .map((type) => ({ name: typeName(type), reason: `${FIDELITY[type.fidelity]}${type.reason === undefined ? '' : `: ${type.reason}`}` }));
  const lacking = (verbose ? imperfect.map(({ name, reason }) => `${name}: ${reason}`) : groupReasons(imperfect)).map((line) => `  ${line}`);
  return [
    ...head,
    ...(lacking.length > 0 ? ['', 'Not as they were at that moment:', ...lacking] : []),
    '',
    typeTable(summary.types.filter((type) => type.count > 0)),
  ].join('\n');
}

const FIDELITY: Readonly<Record<CutType['fidelity'], string>> = {
  exact: 'read at the revision',
  inconsistent: 'read whole, but not at the revision',
  missing: 'not read',
};

function typeTable(types: readonly CutType[]): string {
  return formatTable(
    [{ title: 'type' }, { title: 'version' }, { title: 'objects', right: true }, { title: 'size', right: true }],
    types.map((type) => [typeName(type), type.version, formatCount(type.count), formatBytes(type.bytes)]),
  );
}

/** `lifeboat show POINT --objects`: every selected object by name. */
export async function showObjects(context: Context, id: string, options: ShowOptions): Promise<void> {
  const { compileSelection } = await import('../../site/selection.ts');
  const selection = compileSelection({
    ...(options.namespace !== undefined && { namespaces: options.namespace }),
    ...(options.type !== undefined && { types: options.type }),
  });
  await withPoint(context, id, options, async (source, point) => {
    const unmatched = selection.unmatched(source.summary.types);
    if (unmatched.length > 0) {
      throw new LifeboatError('LB_USAGE', `The point has no type ${unmatched.join(', ')}`, { hint: `\`lifeboat show ${point.header.id}\` lists its types.` });
    }
    const objects: { readonly type: string; readonly namespace?: string; readonly name: string }[] = [];
    const types = source.summary.types.filter((type) => type.count > 0 && selection.hasType(type));
    for (const type of types) {
      for await (const record of source.objects(type, { signal: context.signal })) {
        const { namespace, name } = peekIdentity(record);
        if (type.namespaced && !selection.hasNamespace(namespace)) continue;
        // A Namespace belongs to itself: others than those asked for are not meant.
        if (typeName(type) === 'namespaces' && !selection.hasNamespace(name)) continue;
        objects.push({ type: typeName(type), ...(type.namespaced && { namespace }), name });
      }
    }
    await context.output.result({ ok: true, point: point.header.id, objects }, () =>
      formatTable(
        [{ title: 'type' }, { title: 'namespace' }, { title: 'name' }],
        objects.map(({ type, namespace = '-', name }) => [type, namespace, name]),
      ),
    );
  });
}

/** `lifeboat show POINT OBJECT`: the object as the API server sent it, but for what is hidden or left out by default. */
export async function showObject(context: Context, id: string, object: string, options: ShowOptions): Promise<void> {
  const reference = parseObjectName(object);
  await withPoint(context, id, options, async (source, point) => {
    const types = typesMeant(reference, source.summary.types);
    const found = await findObject(source, reference, context.signal);
    if (found === undefined) {
      const kinds = [...new Set(source.summary.types.map((type) => type.kind))];
      const close = types.length === 0 ? nearest(reference.kind, kinds) : undefined;
      throw new LifeboatError('LB_OBJECT_NOT_FOUND', `The point holds no ${object}`, {
        where: source.label,
        hint: close === undefined ? `\`lifeboat show ${point.header.id} --objects\` lists what it holds` : `Is it ${close}, with or without a namespace?`,
      });
    }
    const kept = options.managedFields === true ? found : withoutManagedFields(found);
    const shown = options.reveal === true ? kept : withoutSecrets(kept);
    if (context.globals.json === true) {
      await context.output.verbatim(`${JSON.stringify({ ok: true, point: point.header.id, object: shown }, null, 2)}\n`);
    } else if (options.output === 'json') {
      await context.output.verbatim(`${JSON.stringify(shown, null, 2)}\n`);
    } else {
      const { toYaml } = await import('./yaml.ts');
      await context.output.verbatim(toYaml(shown));
    }
  });
}

import { join, resolve } from 'node:path';
import { bundleFunctions, entriesOf } from '../functions/bundle.ts';
import { writeZip } from '../functions/zip.ts';
import { lambdaFunction } from './parts.ts';

/** A function of serverless.yml, as the framework keeps it. */
export interface ServerlessFunction {
  package?: { artifact?: string };
  readonly events?: readonly { readonly schedule?: { readonly input?: Record<string, unknown> } }[];
}

export interface Packaging {
  /** The folder of serverless.yml. */
  readonly folder: string;
  readonly functions: Readonly<Record<string, ServerlessFunction>>;
  /** Where the archives go. Default: `.serverless`. */
  readonly output?: string | undefined;
}

/** Bundles the functions, and gives each its archive: its code, what that loads, and lifeboat.yaml. */
export async function packageFunctions({ folder, functions, output }: Packaging): Promise<void> {
  const names = Object.keys(functions).map((name) => lambdaFunction(name));
  const to = output ?? join(folder, '.serverless');
  const bundles = await bundleFunctions(join(to, 'bundles'), { entries: entriesOf(names) });
  const config = resolve(folder, process.env['LIFEBOAT_CONFIG'] ?? 'lifeboat.yaml');
  for (const bundle of bundles) {
    const archive = join(to, `${bundle.name}.zip`);
    const files = [...bundle.files, 'package.json'].map((path) => ({ path, from: join(bundle.folder, path) }));
    await writeZip(archive, [...files, { path: 'lifeboat.yaml', from: config }]);
    const own = functions[bundle.name];
    if (own !== undefined) own.package = { artifact: archive };
  }
}

/** For serverless-offline: what EventBridge Scheduler would have filled in is taken out of the events of schedules. The functions then take the time of day. */
export function withoutScheduler(functions: Packaging['functions']): void {
  for (const { events = [] } of Object.values(functions)) {
    for (const { schedule } of events) {
      const input = schedule?.input;
      for (const [name, value] of Object.entries(input ?? {})) if (String(value).startsWith('<aws.scheduler.')) delete input?.[name];
    }
  }
}

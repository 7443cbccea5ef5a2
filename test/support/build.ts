import { buildCommandLine } from '../../infra/cli/build.ts';

/** Before any test: the command line is built from the sources as they are, because that is what users start. */
export default async function setup(): Promise<void> {
  await buildCommandLine();
}

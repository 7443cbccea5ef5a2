import { isLifeboatError, messageOf } from '../../../src/core/errors.ts';
import type { Program } from '../program.ts';
import type { World } from '../world.ts';

/** What a lifeboat is made to do. Gives what came of it, in few words. */
export interface Act {
  readonly name: string;
  run(world: World, program: Program): Promise<string>;
}

/**
 * Runs it to its end, or until it is killed. An error is an outcome like any other, if it is one that lifeboat documents:
 * anything else is a crash.
 */
export async function perform(act: Act, world: World, options: { readonly mayBeKilled: boolean }): Promise<void> {
  const program = world.program(act.name, options);
  const outcome = await Promise.race([
    world.machine.spawn(program, () => act.run(world, program)).catch((error: unknown) => failed(error, world, act.name)),
    program.death.then(() => 'was killed'),
  ]);
  world.tell(`${program.name}: ${outcome}`);
}

function failed(error: unknown, { ledger }: World, what: string): string {
  if (isLifeboatError(error) && error.code !== 'LB_INTERNAL') return `${error.code}: ${error.message}`;
  ledger.violations.push(`${what} crashed: ${error instanceof Error ? (error.stack ?? error.message) : messageOf(error)}`);
  return 'crashed';
}

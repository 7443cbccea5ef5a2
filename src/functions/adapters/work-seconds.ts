import { LifeboatError } from '../../core/errors.ts';

/** How long `work` works where the platform does not say how long a call may take. */
const WORK_SECONDS = 240;

/** `LIFEBOAT_WORK_SECONDS`: a little less than the time-out that the function was deployed with. Throws `LB_CONFIG_INVALID`. */
export function workSeconds(env: NodeJS.ProcessEnv): number {
  const text = env['LIFEBOAT_WORK_SECONDS'];
  if (text === undefined || text === '') return WORK_SECONDS;
  const seconds = Number(text);
  if (Number.isFinite(seconds) && seconds > 0) return seconds;
  throw new LifeboatError('LB_CONFIG_INVALID', '`LIFEBOAT_WORK_SECONDS` is not a number of seconds');
}

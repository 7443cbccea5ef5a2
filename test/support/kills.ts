/**
 * How often something is killed in a test: `LIFEBOAT_KILLS=all` for as often as it is promised to survive, a part of that otherwise, so that
 * `npm test` stays short.
 */
export function kills(all: number, usual: number): number {
  return process.env['LIFEBOAT_KILLS'] === 'all' ? all : usual;
}

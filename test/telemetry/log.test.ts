import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LifeboatError } from '../../src/core/errors.ts';
import { Redactor } from '../../src/core/redact.ts';
import { createLog, levelOf } from '../../src/telemetry/log/log.ts';
import type { Log, LogOptions } from '../../src/telemetry/log/log.ts';

interface Kept {
  readonly log: Log;
  readonly text: () => string;
  readonly lines: () => Record<string, unknown>[];
}

function kept(options: Partial<LogOptions> & { readonly tty?: boolean } = {}): Kept {
  let text = '';
  const stream = { write: (more: string) => (text += more), isTTY: options.tty === true };
  const log = createLog({ redactor: new Redactor(), level: 'trace', env: {}, ...options, stream });
  return {
    log,
    text: () => text,
    lines: () =>
      text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

/** A value with the secret somewhere in it, wrapped in whatever a library may hand over. */
function holding(secret: string): fc.Arbitrary<unknown> {
  const around = fc.tuple(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 })).map(([before, after]) => `${before}${secret}${after}`);
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      around,
      around.map((text) => new Error(text)),
      around.map((text) => Symbol(text)),
      fc.tuple(around, tie('value')).map(([text, cause]) => new LifeboatError('LB_INTERNAL', text, { where: text, hint: text, cause })),
      fc.tuple(around, tie('value')).map(([text, inner]) => Object.assign(new Error(text), { inner, [text]: 1 })),
      fc.array(tie('value'), { maxLength: 3 }).map((errors) => new AggregateError(errors, secret)),
      fc.tuple(around, tie('value')).map(([name, inner]) => ({ [name]: inner, toJSON: () => secret })),
      fc.tuple(around, tie('value')).map(([name, inner]) => new Map([[name, inner]])),
      fc.tuple(around, tie('value')).map(([name, inner]) => new Set([name, inner])),
      fc.array(tie('value'), { maxLength: 4 }),
      tie('value').map((inner) => ({ get inner() { return inner; }, [Symbol.for('x')]: inner })),
      around.map((text) => ({ toString: () => text, nested: { deeper: { text } } })),
      around.map((text) => Buffer.from(text)),
      around.map((text) => ({ json: JSON.stringify({ text }) })),
    ),
  }));
  return value;
}

/** As text of JSON, and as what that says. */
function shows(output: string, secret: string): boolean {
  if (output.includes(secret) || output.includes(JSON.stringify(secret).slice(1, -1))) return true;
  const told = (value: unknown): boolean =>
    typeof value === 'string' ? value.includes(secret)
    : typeof value === 'number' ? String(value).includes(secret)
    : typeof value === 'object' && value !== null && Object.entries(value).some(([name, one]) => name.includes(secret) || told(one));
  return output.split('\n').some((line) => line !== '' && told(JSON.parse(line)));
}

const TOLD = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9+/=_-]{8,60}$/),
  fc.stringMatching(/^[ -~]{8,40}$/).filter((text) => text.trim() === text && !text.startsWith('#')),
  fc.integer({ min: 10_000_000, max: 2 ** 40 }).map(String),
  fc.constantFrom('p"a\\ss"word\\', '{"type":"service_account","private_key":"abc"}', 'übergeheim-✓✓', '"msg":"x"'),
);

describe('the log', () => {
  it('shows no secret that the redactor was told, in whatever it is wrapped', () => {
    fc.assert(
      fc.property(
        TOLD.chain((secret) => fc.tuple(fc.constant(secret), holding(secret), fc.boolean())),
        ([secret, value, tty]) => {
          const redactor = new Redactor();
          redactor.add(secret);
          const { log, text } = kept({ redactor, tty: false });
          log.with({ about: value, [`n${secret}`]: 1 }).error(`it failed: ${secret}`, { err: value, where: `https://host/${secret}`, number: Number(secret) });
          log.info(secret, { json: safeParse(secret) });
          expect(shows(text(), secret)).toBe(false);
          const terminal = kept({ redactor, tty });
          terminal.log.error(secret, { err: value, hint: secret, value });
          expect(terminal.text()).not.toContain(secret);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('shows nothing that is secret by its looks', () => {
    const looks = [
      ['AGE-SECRET-KEY-1QQPQGZ7X2VJ0E', 'AGE-SECRET-KEY-1QQPQGZ7X2VJ0E'],
      ['lifeboat-write-key-1.QmFzZTY0QmFzZTY0QmFzZTY0', 'QmFzZTY0QmFzZTY0QmFzZTY0'],
      ['postgres://lifeboat:open-sesame@db.example.net/jobs', 'open-sesame'],
    ] as const;
    fc.assert(
      fc.property(fc.constantFrom(...looks).chain(([shown, secret]) => fc.tuple(fc.constant(secret), holding(shown.padEnd(shown.length + 1)))), ([secret, value]) => {
        const { log, text } = kept();
        log.warn('trouble', { err: value, value });
        expect(shows(text(), secret)).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  it('leaves out a line that is put together to a secret, and says so', () => {
    const redactor = new Redactor();
    redactor.add('{"type":"service_account","private_key":"abc"}');
    const { log, lines } = kept({ redactor });
    log.info('opened', { key: { type: 'service_account', private_key: 'abc' } });
    expect(lines()).toEqual([{ level: 'warn', msg: 'A line was left out: it held a secret' }]);
  });

  it('has stable names: of the error its code, where and what to do, and its stack below', () => {
    const { log, lines } = kept();
    const error = new LifeboatError('LB_VAULT_UNAVAILABLE', 'no answer', { where: 'vault "far"', hint: 'Wait.', cause: new Error('ECONNRESET') });
    log.with({ job: 'backup.prod.1', kind: 'backup' }).error('backup failed', { err: error, seconds: 1.5 });
    expect(lines()).toEqual([
      {
        level: 'error',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
        msg: 'backup failed',
        job: 'backup.prod.1',
        kind: 'backup',
        code: 'LB_VAULT_UNAVAILABLE',
        where: 'vault "far"',
        hint: 'Wait.',
        seconds: 1.5,
        err: expect.objectContaining({ type: 'LifeboatError', message: 'no answer', stack: expect.stringContaining('log.test.ts') as string, cause: expect.objectContaining({ message: 'ECONNRESET' }) as unknown }) as unknown,
      },
    ]);
  });

  it('survives what cannot be read, circles, depth and size, and keeps its own names', () => {
    const { log, lines } = kept();
    const circle: Record<string, unknown> = { level: 'mine', time: 1, msg: 'mine' };
    circle['self'] = circle;
    const evil = { get x(): string { throw new Error('no'); } };
    log.info('odd', { ...circle, circle, evil, huge: 'x'.repeat(100_000), big: 1n, list: Array.from({ length: 1000 }, (_, i) => i), nothing: undefined, not: Number.NaN });
    const [line] = lines();
    expect(line).toMatchObject({ level: 'info', msg: 'odd', level_: 'mine', msg_: 'mine', time_: 1, evil: '[unreadable]', big: '1', not: 'NaN', circle: { self: '[circular]' } });
    expect(JSON.stringify(line).length).toBeLessThan(20_000);
  });

  it('has in a line nothing of another', () => {
    const { log, lines } = kept();
    log.with({ job: 'a' }).info('one', { plan: 'prod' });
    log.info('two', { site: 'edge' });
    expect(lines().map(({ time: _time, ...line }) => line)).toEqual([
      { level: 'info', job: 'a', plan: 'prod', msg: 'one' },
      { level: 'info', site: 'edge', msg: 'two' },
    ]);
  });

  it('is as loud as LIFEBOAT_LOG says', () => {
    expect(['', 'debug', 'WARN', 'loud'].map((level) => levelOf({ LIFEBOAT_LOG: level }))).toEqual(['info', 'debug', 'warn', 'info']);
    const quiet = kept({ level: 'warn' });
    quiet.log.info('no');
    quiet.log.warn('yes');
    expect(quiet.lines().map(({ msg }) => msg)).toEqual(['yes']);
    const silent = kept({ level: 'silent' });
    silent.log.error('no');
    expect(silent.text()).toBe('');
  });

  it('is short on a terminal, coloured unless NO_COLOR is set, and moves no cursor', () => {
    const plain = kept({ tty: true, env: { NO_COLOR: '1' } });
    plain.log.warn('slow \u001b[2J', { vault: 'far', seconds: 2, note: 'two words', hint: 'Wait.' });
    expect(plain.text()).toMatch(/^\d\d:\d\d:\d\d warn {2}slow \uFFFD\[2J vault=far seconds=2 note="two words"\n {9}fix: Wait\.\n$/);
    const coloured = kept({ tty: true });
    coloured.log.error('bad', { err: new Error('worse') });
    expect(coloured.text()).toContain('\u001b[31merror');
    expect(coloured.text()).toContain('log.test.ts');
  });
});

function safeParse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ProgressView } from '../../src/cli/progress.ts';
import type { ProgressMode } from '../../src/cli/progress.ts';
import { styleFor } from '../../src/cli/style.ts';

/** A view with a clock that is set by hand; `text` is all it wrote. */
function viewOf(mode: ProgressMode, columns = 100) {
  const state = { now: 0, text: '' };
  const view = new ProgressView({
    mode,
    write: (text) => {
      state.text += text;
    },
    style: styleFor({}, {}, false),
    columns: () => columns,
    now: () => state.now,
  });
  const at = (seconds: number, done: number, extra: { total?: number; bytes?: number; detail?: string } = {}): void => {
    state.now = seconds * 1000;
    view.report({ phase: 'cut', done, unit: 'objects', ...extra });
  };
  return { state, view, at };
}

describe('progress without a terminal', () => {
  it('is a plain line now and then, with rate and remaining time', () => {
    const { state, view, at } = viewOf('lines');
    for (let second = 0; second <= 12; second += 1) at(second, second * 100, { total: 2000, bytes: second * 1e6 });
    expect(state.text).toBe('cut        300 of 2,000 objects  3.00 MB  100/s  15%  17 s left\n');
    at(13, 1300, { total: 2000, bytes: 13e6 });
    expect(state.text.split('\n')).toHaveLength(3);
    at(20, 2000, { total: 2000, bytes: 20e6 });
    expect(state.text.split('\n').at(-2)).toBe('cut        2,000 of 2,000 objects  20.0 MB  in 20 s');
    view.finish();
    expect(state.text.split('\n')).toHaveLength(4);
  });

  it('is one line at the end for short work, with no control characters', () => {
    const { state, view, at } = viewOf('lines');
    at(0, 0);
    at(1, 42, { total: 42 });
    view.finish();
    expect(state.text).toBe('cut        42 of 42 objects  in 1.0 s\n');
  });

  it('does not say how a phase ended whose last count need not be final', () => {
    const { state, view, at } = viewOf('lines');
    at(0, 0);
    at(1, 256);
    view.finish();
    expect(state.text).toBe('');
  });

  it('ends a phase with the count it ends with, also when more was counted on the way', () => {
    const { state, view, at } = viewOf('lines');
    at(0, 0);
    at(1, 256);
    at(2, 203, { total: 203 });
    view.finish();
    expect(state.text).toBe('cut        203 of 203 objects  in 2.0 s\n');
  });

  it('shows nothing when it was told to be silent', () => {
    const { state, view, at } = viewOf('none');
    at(0, 0);
    at(60, 42);
    view.finish();
    expect(state.text).toBe('');
  });
});

describe('progress on a terminal', () => {
  it('rewrites one line a phase and never wraps', () => {
    const { state, view, at } = viewOf('live', 30);
    at(0, 0, { total: 1000 });
    at(1, 100, { total: 1000, detail: 'a very long detail that does not fit' });
    view.finish();
    const frames = state.text.split('\u001b[1A');
    expect(frames).toHaveLength(3);
    for (const line of state.text.split('\n')) expect(stripVTControlCharacters(line).replace('\r', '').length).toBeLessThan(30);
    expect(state.text.endsWith('\n')).toBe(true);
  });

  it('makes room for a warning and comes back', () => {
    const { state, view, at } = viewOf('live');
    at(0, 1);
    view.interrupt(() => {
      state.text += 'warning\n';
    });
    const [, afterwards = ''] = state.text.split('\u001b[1A\r\u001b[0J');
    expect(afterwards).toBe('warning\n\r\u001b[2Kcut        1 object\n');
    view.finish();
  });

  it('times a phase anew when it starts again', () => {
    const { state, view, at } = viewOf('lines');
    at(0, 0);
    at(10, 5000);
    at(11, 0);
    at(13, 20, { total: 20 });
    view.finish();
    expect(state.text.split('\n').at(-2)).toBe('cut        20 of 20 objects  in 2.0 s');
  });
});

describe('colours', () => {
  const dressed = (stream: { isTTY?: boolean }, env: Record<string, string>, wanted = true): boolean => styleFor(stream, env, wanted).red('x') !== 'x';

  it('are for terminals only, unless forced or refused', () => {
    expect(dressed({ isTTY: true }, {})).toBe(true);
    expect(dressed({ isTTY: true }, { TERM: 'dumb' })).toBe(false);
    expect(dressed({}, {})).toBe(false);
    expect(dressed({}, { FORCE_COLOR: '1' })).toBe(true);
    expect(dressed({ isTTY: true }, { FORCE_COLOR: '0' })).toBe(false);
    expect(dressed({ isTTY: true }, { NO_COLOR: '1' })).toBe(false);
    expect(dressed({ isTTY: true }, {}, false)).toBe(false);
  });
});

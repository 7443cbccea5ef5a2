const LEVELS: Readonly<Record<string, string>> = { trace: '2', debug: '2', info: '32', warn: '33', error: '31' };
/** Shown in front, or not of use to whoever sits there. */
const ELSEWHERE: ReadonlySet<string> = new Set(['level', 'time', 'msg', 'err', 'hint', 'trace_id', 'span_id']);

/** Turns JSON lines into short ones for people: `14:02:11 info  backup done  job=… seconds=1.2`. */
export function forTerminal(coloured: boolean): (line: string) => string {
  const dress = (code: string, text: string): string => (coloured ? `\u001b[${code}m${text}\u001b[0m` : text);
  return (line) => {
    const { time, level, msg, err, hint, ...fields } = JSON.parse(line) as Record<string, unknown>;
    const name = typeof level === 'string' ? level : '';
    const rest = Object.entries(fields).flatMap(([field, value]) => (ELSEWHERE.has(field) ? [] : [`${field}=${shown(value)}`]));
    const parts = [
      typeof time === 'string' ? dress('2', time.slice(11, 19)) : '',
      dress(LEVELS[name] ?? '0', name.padEnd(5)),
      visible(typeof msg === 'string' ? msg : ''),
      dress('2', rest.join(' ')),
    ];
    const below = [typeof hint === 'string' ? `fix: ${hint}` : '', stackOf(err)].filter((text) => text !== '');
    return `${parts.filter((part) => part !== '').join(' ').trimEnd()}\n${below.map((text) => dress('2', `${visible(text).replaceAll(/^/gm, '         ')}\n`)).join('')}`;
  };
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return visible(/[\s"=]/.test(text) && typeof value === 'string' ? JSON.stringify(text) : text);
}

function stackOf(err: unknown): string {
  if (typeof err !== 'object' || err === null) return err === undefined ? '' : shown(err);
  const { stack, message } = err as { readonly stack?: unknown; readonly message?: unknown };
  return typeof stack === 'string' ? stack : typeof message === 'string' ? message : shown(err);
}

/** What a server says must not move the cursor. */
function visible(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what this is about
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\u{fffd}');
}

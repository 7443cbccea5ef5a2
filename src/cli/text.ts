/** A count with thousands marked: `12,345`. */
export function formatCount(value: number): string {
  return Math.round(value).toString().replaceAll(/\B(?=(\d{3})+$)/g, ',');
}

/** Bytes in decimal units, three figures: `512 B`, `4.19 MB`, `12.3 GB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} B`;
  const units = ['kB', 'MB', 'GB', 'TB', 'PB'];
  let value = bytes;
  let unit = -1;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toPrecision(3)} ${units[unit] ?? ''}`;
}

/** `1 object`, `2 objects`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** How long ago, roughly: `40 s`, `12 min`, `5 h`, `3 d`. */
export function formatAge(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 100) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 72 ? `${hours} h` : `${Math.round(hours / 24)} d`;
}

/**
 * `text` without control characters, so that what comes from elsewhere (an API server, a vault) cannot play with
 * the terminal. Line feeds, tabs, and the few sequences for colour and weight that lifeboat itself writes remain.
 */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what this is about
  return text.replaceAll(/\u001b\[(?:1|2|22|31|32|33|36|39)m|[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, (match) =>
    match.length > 1 ? match : '\u{fffd}',
  );
}

export interface Column {
  readonly title: string;
  /** Numbers stand to the right. Default: left. */
  readonly right?: boolean;
}

/** A table with a title line, columns as wide as their contents, no lines drawn: easy on the eye, `cut` and `awk`. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  // Not Math.max(...rows): a call takes some hundred thousand arguments at most.
  const widths = columns.map((column, index) => rows.reduce((width, row) => Math.max(width, (row[index] ?? '').length), column.title.length));
  const line = (cells: readonly string[]): string =>
    columns
      .map((column, index) => {
        const cell = cells[index] ?? '';
        const width = widths[index] ?? 0;
        return column.right === true ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  return [line(columns.map((column) => column.title.toUpperCase())), ...rows.map(line)].join('\n');
}

const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

/**
 * Whether an expression of EventBridge Scheduler rings in a minute, in UTC. Written from AWS's description of it, and sharing nothing with what
 * makes such expressions: `cron(minutes hours day-of-month month day-of-week year)`.
 */
export function rings(expression: string, at: Date): boolean {
  const fields = /^cron\((\S+) (\S+) (\S+) (\S+) (\S+) \*\)$/.exec(expression)?.slice(1);
  if (fields?.length !== 5) throw new Error(`AWS does not take ${expression}`);
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = fields;
  if ((day === '?') === (weekday === '?')) throw new Error(`AWS wants exactly one \`?\` in ${expression}`);
  const last = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 0)).getUTCDate();
  return (
    holds(minute, at.getUTCMinutes(), 59) &&
    holds(hour, at.getUTCHours(), 23) &&
    (day === '?' || (day === 'L' ? at.getUTCDate() === last : holds(day, at.getUTCDate(), 31))) &&
    holds(month, at.getUTCMonth() + 1, 12) &&
    (weekday === '?' || weekday === '*' || weekday.split(',').includes(DAYS[at.getUTCDay()] ?? ''))
  );
}

function holds(field: string, value: number, most: number): boolean {
  if (field === '*') return true;
  return field.split(',').some((part) => {
    const [from = '', step] = part.split('/');
    if (!/^\d+$/.test(from) || Number(from) > most) throw new Error(`AWS does not take ${field}`);
    return step === undefined ? value === Number(from) : value >= Number(from) && (value - Number(from)) % Number(step) === 0;
  });
}

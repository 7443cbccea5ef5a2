import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { parseDuration } from '../../core/duration.ts';
import type { AuditInitOptions } from '../audit/init.ts';
import type { AuditReadOptions } from '../audit/keys.ts';
import type { AuditListOptions } from '../audit/list.ts';
import { addVaultOptions, collect, COMMON_EXITS, helpTail } from '../command.ts';
import type { Define } from '../command.ts';

/** `lifeboat audit …` */
export const defineAudit: Define = (parent, run) => {
  const audit = parent
    .command('audit')
    .summary('who asked a server for what')
    .description('The server keeps in the vaults who asked it for what: signed, chained, and never changed. docs/api.md says what is on record.');

  audit
    .command('init')
    .summary('make the key that signs the audit trail')
    .description('Makes an audit key, and prints its public half, which checks the trail. The key opens nothing and signs nothing else.')
    .option('-o, --output <file>', 'where to; never overwritten', 'lifeboat-audit.key')
    .addHelpText('after', helpTail([['audit init', 'before a server is started for the first time']], [[0, 'written'], ...COMMON_EXITS]))
    .action(run(async (context, options: AuditInitOptions) => (await import('../audit/init.ts')).auditInit(context, options)));

  addTrailOptions(
    audit
      .command('verify')
      .summary('check that the audit trail is whole and genuine')
      .description('Reads the whole audit trail in every vault and checks signatures, and that nothing is missing between. Needs no key that opens the repository.'),
  )
    .addHelpText(
      'after',
      helpTail(
        [
          ['audit verify', 'with the key of lifeboat.yaml'],
          ['audit verify --vault s3://backups/prod --public-key lifeboat-audit-public-1.…', 'by an auditor, who has nothing else'],
        ],
        [[0, 'whole and genuine'], ...COMMON_EXITS, [3, 'genuine, but a vault lacks a part that others have; or there is no trail'], [4, 'something was edited, removed or forged']],
      ),
    )
    .action(run(async (context, options: AuditReadOptions) => (await import('../audit/verify.ts')).auditVerify(context, options)));

  addTrailOptions(
    audit
      .command('list')
      .summary('show who asked for what')
      .description('Shows the newest records of the audit trail.')
      .addOption(new Option('--since <duration>', 'what happened since then: 1h, 7d').argParser(duration).default(7 * 24 * 3600 * 1000, '7d'))
      .addOption(new Option('--limit <count>', 'so many records at most').argParser(whole).default(200))
      .option('--who <subject>', 'only what this person asked for'),
  )
    .addHelpText('after', helpTail([['audit list --since 1d', 'of the last day'], ['audit list --who ada --json', 'of one person, for a script']], [[0, 'shown'], ...COMMON_EXITS]))
    .action(run(async (context, options: AuditListOptions) => (await import('../audit/list.ts')).auditList(context, options)));
};

function addTrailOptions(command: Command): Command {
  const withKeys = command.addOption(
    new Option('--public-key <text>', 'public half of the audit key of a server that is to be believed; can be repeated. Instead of `server.audit` of lifeboat.yaml').argParser(collect),
  );
  return addVaultOptions(withKeys);
}

function duration(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined) throw new InvalidArgumentError('Write a duration such as 90s, 5m, 12h or 7d.');
  return milliseconds;
}

function whole(text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1 || count > 100_000) throw new InvalidArgumentError('Write a whole number, at most 100000.');
  return count;
}

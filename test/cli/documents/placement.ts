import { z } from 'zod';
import { flag, int, number, ok, text, texts, warnings } from './parts.ts';

const domain = z
  .strictObject({ cloud: text('Cloud.').optional(), account: text('Account.').optional(), region: text('Region.').optional(), zone: text('Zone.').optional() })
  .meta({ id: 'failure domain' });
const standing = z
  .strictObject({ name: text('Its name.'), domain: domain.nullable().describe('Where it stands; null for what no loss takes along.') })
  .meta({ id: 'thing in a failure domain' });
const fate = z
  .strictObject({ kept: texts('What is left for certain.'), lost: texts('What is lost for certain.'), doubtful: texts('What counts as lost because too little is known.') })
  .meta({ id: 'what a loss takes' });
const LEVELS = ['zone', 'region', 'account', 'cloud'] as const;
const HITS = ['no', 'perhaps', 'yes'] as const;
const OF = z.enum(['site', 'control', 'vault', 'opener']);
const line = text('The line of lifeboat.yaml.').regex(/^lifeboat\.yaml:\d+$/);
const unknown = z.strictObject({ unknown: text('Why it is not known.') });

export const placementDocument = z.strictObject({
  ok,
  plan: text('The plan.'),
  outlives: z.enum(LEVELS).nullable().describe('What it promises to outlive.'),
  holds: z.boolean().nullable().describe('Whether it keeps that; null without a promise.'),
  couldPromise: z.enum(LEVELS).nullable().describe('The most that it could promise.'),
  copies: int('Vaults that must hold a safe point.'),
  site: standing.describe('The site.'),
  control: standing.nullable().describe('The control side, where it is configured.'),
  vaults: z.array(standing).describe('Vaults of the plan.'),
  keys: z.array(standing).describe('What opens the repository.'),
  losses: z
    .array(
      z.strictObject({
        loss: text('The loss in words.'),
        level: z.enum(LEVELS).describe('Its level.'),
        domain: domain.describe('What is lost.'),
        site: z.enum(HITS).describe('Whether the site goes along.'),
        control: z.enum(HITS).nullable().describe('Whether the control side does.'),
        vaults: fate.describe('What becomes of the vaults.'),
        keys: fate.describe('What becomes of the ways to open the repository.'),
        copiesLeft: int('Vaults that surely still hold any one safe point.'),
        survives: flag('Whether a safe point can be restored afterwards.'),
        breaksPromise: flag('Whether the plan promised that, and does not keep it.'),
      }),
    )
    .describe('Every single loss.'),
  reasons: z
    .array(
      z.strictObject({
        text: text('Why, in words.'),
        loss: text('The loss that breaks it.'),
        takes: z.array(z.strictObject({ of: OF.describe('What kind of thing it takes.'), name: text('Its name.'), where: line })).describe('What it takes.'),
      }),
    )
    .describe('Why the promise is not kept.'),
  nearest: z
    .array(
      z.array(
        z.strictObject({
          kind: z.enum(['raise-copies', 'add-vault', 'new-vault', 'say-domain', 'add-opener', 'move-control']).describe('What to do.'),
          text: text('The same in words.'),
          where: line,
          to: int('With `raise-copies`.').optional(),
          vault: text('With `add-vault`.').optional(),
          level: z.enum(LEVELS).describe('With `new-vault` and `move-control`.').optional(),
          count: int('With `new-vault`.').optional(),
          of: OF.describe('With `say-domain`.').optional(),
          name: text('With `say-domain`.').optional(),
          fields: z.array(z.enum(LEVELS)).describe('With `say-domain`.').optional(),
        }),
      ),
    )
    .describe('The nearest plans that would pass: changes, all of which are to be made.'),
  slots: z
    .union([
      unknown,
      z.strictObject({
        found: z
          .array(
            z.strictObject({
              id: text('Its id.'),
              kind: text('How it is locked, as it says itself.'),
              role: text('Of which role the keys are that it holds; `owner`: all.'),
              key: text('The key of a key service that locks it.').optional(),
              keyVersion: text('Its version.').optional(),
              vaults: texts('Where it is.'),
              size: int('Bytes.'),
            }),
          )
          .describe('Key slots there are.'),
        findings: z
          .array(
            z.strictObject({
              kind: z.enum(['breaks', 'nothing-opened', 'not-named', 'not-everywhere']).describe('What is not as named.'),
              text: text('The same in words.'),
              where: line.optional(),
            }),
          )
          .describe('How they differ from what `keys.openers` names.'),
        silent: z.array(z.strictObject({ vault: text('The vault.'), problem: text('Why it does not say.') })).describe('Vaults that could not be asked.'),
      }),
    ])
    .describe('The key slots in the vaults, compared with those that are named.'),
  mistyped: texts('What looks mistyped, and therefore does not count as it is written.'),
  doubts: texts('What is not known and decides something.'),
  cost: z
    .union([
      unknown,
      z.strictObject({
        currency: z.literal('USD').describe('Of all amounts.'),
        usage: z
          .strictObject({
            stored: number('Bytes in each vault.'),
            addedPerDay: number('Bytes that a day adds to each.'),
            backupsPerDay: number('Backups a day.'),
            points: int('Points there are.'),
          })
          .describe('What was reckoned with.'),
        vaults: z
          .array(
            z.union([
              unknown.extend({ name: text('The vault.') }),
              z.strictObject({
                name: text('The vault.'),
                store: text('Whose prices.'),
                region: text('Of which region.'),
                unconfirmed: flag('Whether the prices are a guess.'),
                storage: number('A month of storage.'),
                requests: number('A month of requests.'),
                restore: number('Reading everything once.'),
              }),
            ]),
          )
          .describe('What each costs.'),
        sending: z
          .union([unknown, z.strictObject({ from: text('Where it is sent from.'), bytes: number('A month of it.'), usd: number('What that costs.') })])
          .describe('What leaves the cloud of the machine that makes backups.'),
        assumptions: texts('What was taken for granted.'),
        prices: z
          .array(z.strictObject({ store: text('Whose.'), source: text('Where they are from.'), entered: text('When they were entered.'), basis: text('What they are of.'), compared: z.strictObject({ on: z.iso.date().describe('When.'), with: text('With what.') }).describe('What they were last compared with.') }))
          .describe('The price tables that were used.'),
      }),
    ])
    .describe('What a month costs.'),
  warnings,
});

import type { Rule } from '../rule.ts';

/** Membership in something that spans clusters: its other members know the source, not the target. */
export const meshRules: readonly Rule[] = [
  {
    id: 'mesh-skupper',
    types: ['sites.skupper.io', 'links.skupper.io', 'accesstokens.skupper.io'],
    effect: 'note',
    when: 'always',
    why: 'A Skupper site is known by the UID of its Site object, and tokens are good once, for minutes.',
    advice: 'a restored Skupper site is a new one: link it again with fresh tokens, and remove the old one from its peers',
    applies: () => true,
  },
  {
    id: 'mesh-submariner',
    types: ['submariners.submariner.io', 'brokers.submariner.io'],
    effect: 'note',
    when: 'always',
    why: 'The broker knows the source by its cluster ID, and tokens belong to one broker.',
    advice: 'join the broker again with fresh credentials, and remove the old cluster from it first',
    applies: () => true,
  },
];

import { isObject, keyOf, metaEntry, nameOf, removeAt, removeKeys, textAt } from '../json.ts';
import type { JsonObject } from '../json.ts';
import type { Rule } from '../rule.ts';

const TOKEN_TYPE = 'kubernetes.io/service-account-token';
/** How the token controller of Kubernetes before 1.24 named the Secrets it made; source: apiserver's names.SimpleNameGenerator alphabet. */
const GENERATED_SUFFIX = /^-token-[bcdfghjklmnpqrstvwxz2456789]{5}$/;

const CLOUD_IDENTITIES = ['eks.amazonaws.com/role-arn', 'iam.gke.io/gcp-service-account', 'azure.workload.identity/client-id'];

/** ServiceAccounts and their tokens. */
export const accountRules: readonly Rule[] = [
  {
    id: 'token-generated',
    types: ['secrets'],
    effect: 'drop',
    when: `its type is \`${TOKEN_TYPE}\`, it is named as generated ones were (\`NAME-token-xxxxx\`), and its ServiceAccount lists it`,
    why: 'Older clusters made one for every ServiceAccount, signed by the source; pods now get tokens of their own.',
    drops: (object, facts) =>
      object['type'] === TOKEN_TYPE &&
      facts.listedSecrets.has(keyOf(object)) &&
      isGeneratedToken(nameOf(object), metaEntry(object, 'annotations', 'kubernetes.io/service-account.name')),
  },
  {
    id: 'bootstrap-token',
    types: ['secrets'],
    effect: 'drop',
    when: 'its type is `bootstrap.kubernetes.io/token`',
    why: 'It lets machines join the source.',
    drops: (object) => object['type'] === 'bootstrap.kubernetes.io/token',
  },
  {
    id: 'token-signed-here',
    types: ['secrets'],
    effect: 'change',
    fields: [
      'data[token]',
      'data[ca.crt]',
      'data[namespace]',
      'metadata.annotations[kubernetes.io/service-account.uid]',
      'metadata.labels[kubernetes.io/legacy-token-last-used]',
      'metadata.labels[kubernetes.io/legacy-token-invalid-since]',
      `only Secrets of type ${TOKEN_TYPE}`,
    ],
    why: 'The token was signed by the source. The target puts a token of its own into the same Secret.',
    change: (object) =>
      object['type'] === TOKEN_TYPE &&
      [
        removeKeys(object, ['data'], ['token', 'ca.crt', 'namespace']),
        removeKeys(object, ['metadata', 'annotations'], ['kubernetes.io/service-account.uid']),
        removeKeys(object, ['metadata', 'labels'], ['kubernetes.io/legacy-token-last-used', 'kubernetes.io/legacy-token-invalid-since']),
      ].includes(true),
  },
  {
    id: 'account-generated-tokens',
    types: ['serviceaccounts'],
    effect: 'change',
    fields: ['entries of `secrets` that name generated tokens'],
    why: 'Those Secrets are not restored.',
    change: (object) => {
      const secrets = object['secrets'];
      if (!Array.isArray(secrets)) return false;
      const kept = secrets.filter((secret) => !isObject(secret) || !isGeneratedToken(textAt(secret, 'name'), nameOf(object)));
      if (kept.length === secrets.length) return false;
      if (kept.length === 0) removeAt(object, 'secrets');
      else object['secrets'] = kept;
      return true;
    },
  },
  {
    id: 'aggregated-rules',
    types: ['clusterroles.rbac.authorization.k8s.io'],
    effect: 'aside',
    fields: ['rules, where aggregationRule is set'],
    why: 'A controller gathers them from other ClusterRoles.',
    remove: (object) => {
      if (isObject(object['aggregationRule'])) removeAt(object, 'rules');
    },
  },
  {
    id: 'account-cloud-identity',
    types: ['serviceaccounts'],
    effect: 'note',
    when: `it has one of the annotations ${CLOUD_IDENTITIES.map((name) => `\`${name}\``).join(', ')}`,
    why: 'The cloud trusts tokens of the source’s issuer, not of the target’s.',
    advice: 'the cloud identity it names has to trust the token issuer of this cluster',
    applies: (object) => CLOUD_IDENTITIES.some((name) => metaEntry(object, 'annotations', name) !== ''),
  },
  {
    id: 'short-lived-registry-login',
    types: ['secrets'],
    effect: 'note',
    when: 'its type is `kubernetes.io/dockerconfigjson` and it logs in to Amazon ECR',
    why: 'These logins are valid for 12 hours.',
    advice: 'its registry login has expired or soon will: make a new one',
    applies: (object) => object['type'] === 'kubernetes.io/dockerconfigjson' && mentionsEcr(object),
  },
];

/** True if `secret` is named as the token controller named the Secrets it made for `account`. */
function isGeneratedToken(secret: string, account: string): boolean {
  return account !== '' && secret.startsWith(account) && GENERATED_SUFFIX.test(secret.slice(account.length));
}

function mentionsEcr(object: JsonObject): boolean {
  const login = textAt(object, 'data', '.dockerconfigjson');
  return /\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\./.test(Buffer.from(login, 'base64').toString('latin1'));
}

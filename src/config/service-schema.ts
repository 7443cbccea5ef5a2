import { z } from 'zod';
import { text } from './keys-schema.ts';
import { durationText } from './retention-schema.ts';

const embeddedQueueSchema = z
  .strictObject({
    type: z.literal('embedded').describe('In this process, kept in a folder: for one machine.'),
    path: text('The folder, relative to this file. Default: `.lifeboat/queue`.').optional(),
  })
  .describe('A queue that needs no server.');

const redisQueueSchema = z
  .strictObject({
    type: z.literal('redis').describe('Valkey or Redis.'),
    url: z
      .url({ protocol: /^rediss?$/, error: 'use a URL that starts with rediss:// (or redis://)' })
      .refine((value) => !/\/\/[^/@]*:[^/@]+@/.test(value), { error: 'holds a password', params: { hint: 'name the variable that holds it: `passwordEnv`' } })
      .describe('Address of the server; `rediss://` with TLS.')
      .optional(),
    urlEnv: text('Environment variable that holds the address, which may have user and password in it.').optional(),
    passwordEnv: text('Environment variable that holds the password.').optional(),
    prefix: text('Begins all keys, so that several lifeboats can share a server. Default: `lifeboat`.').optional(),
  })
  .refine((queue) => (queue.url === undefined) !== (queue.urlEnv === undefined), {
    error: 'needs exactly one of `url` and `urlEnv`',
    params: { hint: 'name the server: `url: rediss://queue.example.net:6379`' },
  })
  .describe('A queue on a Valkey or Redis server.');

const postgresQueueSchema = z
  .strictObject({
    type: z.literal('postgres').describe('PostgreSQL.'),
    url: z
      .url({ protocol: /^postgres(?:ql)?$/, error: 'use a URL that starts with postgres://' })
      .refine((value) => !/\/\/[^/@]*:[^/@]+@/.test(value), { error: 'holds a password', params: { hint: 'name the variable that holds it: `passwordEnv`' } })
      .describe('Address of the server and its database.')
      .optional(),
    urlEnv: text('Environment variable that holds the address, which may have user and password in it.').optional(),
    passwordEnv: text('Environment variable that holds the password.').optional(),
    prefix: text('Name of the queue, so that several lifeboats can share a database. Default: `lifeboat`.').optional(),
  })
  .refine((queue) => (queue.url === undefined) !== (queue.urlEnv === undefined), {
    error: 'needs exactly one of `url` and `urlEnv`',
    params: { hint: 'name the database: `url: postgres://lifeboat@db.example.net/lifeboat`' },
  })
  .describe('A queue in a PostgreSQL database.');

const queueTypes = z.discriminatedUnion('type', [embeddedQueueSchema, redisQueueSchema, postgresQueueSchema]);

export const queueSchema = queueTypes.describe('Where jobs wait for workers. It holds no data: what is due or unfinished is found again in the vaults.');

const roleList = (role: string) => z.array(z.string().min(1, 'must not be empty')).describe(`Values that make somebody ${role}.`).optional();

const rolesSchema = z
  .strictObject({
    viewer: roleList('a viewer: sees points, jobs and reports'),
    operator: roleList('an operator: also starts backups, drills and restores'),
    admin: roleList('an admin: also confirms restores over what exists, and cancels what others started'),
  })
  .describe('Who may do what.');

/** Whoever can change what is said on the way could sign tokens of their own: without TLS only on this machine. */
const providerUrl = () =>
  z
    .url({ protocol: /^https?$/, error: 'use a URL that starts with https://' })
    .refine((value) => /^https:|^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?:[:/]|$)/.test(value), { error: 'use a URL that starts with https://' });

const oidcSchema = z
  .strictObject({
    issuer: providerUrl().describe('Who signs the tokens; `/.well-known/openid-configuration` is read there.'),
    audience: text('What the tokens are for: their `aud`.'),
    jwksUri: providerUrl().describe('Where the keys are. Default: as the issuer says.').optional(),
    rolesClaim: text('The claim that the roles are taken from; dots lead into objects. Default: `roles`.').optional(),
    roles: rolesSchema,
  })
  .describe('Tokens of an OpenID Connect provider.');

const mtlsSchema = z
  .strictObject({
    ca: text('File with the certificates of those who may issue client certificates, relative to this file.'),
    roles: rolesSchema,
  })
  .describe('Client certificates. The common name of the subject is what `roles` lists.');

const auditSchema = z
  .strictObject({
    key: text('File with the audit key, relative to this file; `lifeboat audit init` makes one.').optional(),
    keyEnv: text('Environment variable that holds the audit key.').optional(),
    lock: durationText('In vaults that lock, nobody can delete a record for so long. Default: not at all.').optional(),
  })
  .refine((audit) => (audit.key === undefined) !== (audit.keyEnv === undefined), {
    error: 'needs exactly one of `key` and `keyEnv`',
    params: { hint: 'name the file: `key: lifeboat-audit.key`' },
  })
  .describe('What signs the audit trail that the server keeps in the vaults.');

export const serverSchema = z
  .strictObject({
    listen: text('Address and port. Default: `127.0.0.1:8420`.').optional(),
    certificate: text('File with the certificate of the server, relative to this file. Without it, HTTP is spoken: for loopback, or behind what ends TLS.').optional(),
    key: text('File with the private key of the certificate, relative to this file.').optional(),
    oidc: oidcSchema.optional(),
    mtls: mtlsSchema.optional(),
    audit: auditSchema,
    secondPerson: z.boolean().describe('Whether a restore over what exists must be confirmed by another person than who asked for it. Default: false.').optional(),
  })
  .check((context) => {
    const { oidc, mtls, certificate, key } = context.value;
    const add = (message: string, hint: string): void => {
      context.issues.push({ code: 'custom', input: context.value, path: [], message, params: { hint } });
    };
    if (oidc === undefined && mtls === undefined) add('needs `oidc` or `mtls`', 'nobody could use it otherwise');
    if ((certificate === undefined) !== (key === undefined)) add('needs `certificate` and `key` together', 'name both files');
    if (mtls !== undefined && certificate === undefined) add('`mtls` needs `certificate` and `key`', 'client certificates are part of TLS');
  })
  .describe('The HTTP API: `lifeboat serve`, and the HTTP functions.');

const EVENTS = ['failure', 'objective-missed', 'schedule-missed', 'drill', 'backup', 'restore'] as const;

const webhookSchema = z
  .strictObject({
    url: z.url({ protocol: /^https?$/, error: 'use a URL that starts with https:// (or http://)' }).describe('Where the message is posted to, as JSON.').optional(),
    urlEnv: text('Environment variable that holds the address: many addresses of chat services are secrets.').optional(),
    secretEnv: text('Environment variable that holds a secret: the message is signed with it (`Lifeboat-Signature`, HMAC-SHA-256).').optional(),
    on: z.array(z.enum(EVENTS)).min(1, 'needs at least one').describe('What is told. Default: `failure`, `objective-missed`, `schedule-missed`.').optional(),
  })
  .refine((hook) => (hook.url === undefined) !== (hook.urlEnv === undefined), {
    error: 'needs exactly one of `url` and `urlEnv`',
    params: { hint: 'name the address: `urlEnv: LIFEBOAT_WEBHOOK`' },
  });

export const notifySchema = z
  .strictObject({
    webhooks: z.array(webhookSchema).describe('Who is told when something goes wrong.').optional(),
    heartbeat: z
      .strictObject({
        urlEnv: text('Environment variable that holds an address that is asked for (GET) after each tick in which every plan was on time.'),
        every: durationText('Not more often than this. Default: 1m.').optional(),
      })
      .describe('A dead-man’s switch: a service elsewhere that raises the alarm when it hears nothing.')
      .optional(),
  })
  .describe('Who is told of what.');

export type QueueConfig = z.output<typeof queueTypes>;
export type ServerConfig = z.output<typeof serverSchema>;
export type RolesConfig = z.output<typeof rolesSchema>;
export type NotifyConfig = z.output<typeof notifySchema>;
export type NotifyEvent = (typeof EVENTS)[number];

#!/usr/bin/env node
// The standalone reader of lifeboat repositories, format 1. It needs Node 24.7 or newer, a copy of a vault in a folder,
// and a passphrase, an age identity or an exported read key: nothing to install, no network. It shares no code with lifeboat; it is written
// from docs/format.md, whose sections the comments name.
import * as crypto from 'node:crypto';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as zlib from 'node:zlib';

const {
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  scryptSync,
} = crypto;
const self = fileURLToPath(import.meta.url);

const USAGE = `Reads a lifeboat vault that was copied to a folder.

  node ${basename(self)} COMMAND

  slots                     what opens the vault
  list                      the recovery points; needs a key only if lifeboat.json is lost
  verify                    every byte of every object; opens everything too when a key is given
  extract POINT FOLDER      one JSON file for each Kubernetes object; only you can read them: Secrets are in plain text
  extract POINT FOLDER --for-kubectl
                            the same, as another cluster takes them, in folders that kubectl applies one after the other
  extract POINT --ndjson    all objects, one a line, to standard output
  bytes POINT               the byte streams and block images in a point: where the manifest names them, and their sizes
  bytes POINT WHERE FILE    writes one of them to a file

POINT is an id, the beginning of one, or "latest".

  --vault FOLDER           the copied vault (default: the folder this file's folder is in)
  --site SITE              only points of this site
  --identity-file FILE     age identities (AGE-SECRET-KEY-…), one a line
  --passphrase-file FILE   a passphrase, in the first line
  --key-file FILE          an exported read key (lifeboat-read-key-…)
                           without any of the three, a passphrase is asked for
`;

// ---- Bytes ----

const utf8 = (text) => Buffer.from(text, 'utf8');
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const hkdf = (secret, salt, info) => Buffer.from(hkdfSync('sha256', secret, salt, info, 32));
const hmac = (key, ...parts) => parts.reduce((mac, part) => mac.update(part), createHmac('sha256', key)).digest();
const unbase64 = (text) => Buffer.from(text, 'base64');

function fail(message) {
  throw new Error(message);
}

function decryptAead(algorithm, key, nonce, aad, sealed) {
  const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: 16 });
  if (aad !== undefined) decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(-16));
  return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
}

/** Reads varints (unsigned LEB128), zigzag numbers and byte strings one after the other. */
function reader(bytes) {
  let at = 0;
  const take = (length) => {
    if (at + length > bytes.length) fail('bytes end too early');
    return bytes.subarray(at, (at += length));
  };
  const varint = () => {
    for (let value = 0, factor = 1; ; factor *= 128) {
      const byte = take(1)[0];
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  const zigzag = () => {
    const value = varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  };
  return { take, varint, zigzag, done: () => at === bytes.length };
}

// ---- Sealing: HPKE base mode (RFC 9180), KEM 0x647a MLKEM768-X25519 (X-Wing), KDF HKDF-SHA256 ----

const hpkeExtract = (suite, salt, label, ikm) => hmac(salt, utf8('HPKE-v1'), suite, utf8(label), ikm);
function hpkeExpand(suite, key, label, info, length) {
  const lengthBytes = Buffer.from([length >> 8, length & 255]);
  return hmac(key, lengthBytes, utf8('HPKE-v1'), suite, utf8(label), info, Buffer.from([1])).subarray(0, length);
}

const X25519_PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex');
const X25519_SPKI = Buffer.from('302a300506032b656e032100', 'hex');
const ED25519_SPKI = Buffer.from('302a300506032b6570032100', 'hex');
const MLKEM768_PKCS8 = Buffer.from('3054020100300b060960864801650304040204428040', 'hex');

const privateKey = (prefix, raw) =>
  createPrivateKey({ key: Buffer.concat([prefix, raw]), format: 'der', type: 'pkcs8' });
const publicKey = (prefix, raw) => createPublicKey({ key: Buffer.concat([prefix, raw]), format: 'der', type: 'spki' });
const rawPublic = (key) => createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32);

/** X-Wing: what was encapsulated to the key with this 32-byte seed. */
function decapsulateXWing(seed, encapsulated) {
  const expanded = createHash('shake256', { outputLength: 96 }).update(seed).digest();
  const lattice = privateKey(MLKEM768_PKCS8, expanded.subarray(0, 64));
  const curve = privateKey(X25519_PKCS8, expanded.subarray(64));
  const curveShare = encapsulated.subarray(1088);
  const latticeSecret = crypto.decapsulate(lattice, encapsulated.subarray(0, 1088));
  const curveSecret = diffieHellman({ privateKey: curve, publicKey: publicKey(X25519_SPKI, curveShare) });
  const parts = [latticeSecret, curveSecret, curveShare, rawPublic(curve), utf8('\\.//^\\')];
  return parts.reduce((hash, part) => hash.update(part), createHash('sha3-256')).digest();
}

/** HPKE's Open for a single message, with AEAD 2 (AES-256-GCM) or 3 (ChaCha20-Poly1305). */
function openHpke(seed, encapsulated, ciphertext, info, aad, aead) {
  const suite = Buffer.concat([utf8('HPKE'), Buffer.from([0x64, 0x7a, 0, 1, 0, aead])]);
  const none = Buffer.alloc(0);
  const context = Buffer.concat([
    Buffer.from([0]),
    hpkeExtract(suite, none, 'psk_id_hash', none),
    hpkeExtract(suite, none, 'info_hash', utf8(info)),
  ]);
  const secret = hpkeExtract(suite, decapsulateXWing(seed, encapsulated), 'secret', none);
  const key = hpkeExpand(suite, secret, 'key', context, 32);
  const nonce = hpkeExpand(suite, secret, 'base_nonce', context, 12);
  return decryptAead(aead === 2 ? 'aes-256-gcm' : 'chacha20-poly1305', key, nonce, aad, ciphertext);
}

const openSealed = (seed, sealed, info, aad) =>
  openHpke(seed, sealed.subarray(0, 1120), sealed.subarray(1120), info, aad, 2);

// ---- Key slots: age files (age-encryption.org/v1) ----

function parseAge(file) {
  const end = file.indexOf('\n---');
  const macEnd = file.indexOf('\n', end + 1);
  const lines = file.subarray(0, end).toString('latin1').split('\n');
  if (end < 0 || lines.shift() !== 'age-encryption.org/v1') fail('this is not an age file');
  const stanzas = [];
  for (const line of lines) {
    if (line.startsWith('-> ')) stanzas.push({ args: line.slice(3).split(' '), body: '' });
    else stanzas.at(-1).body += line;
  }
  const mac = unbase64(file.subarray(end + 5, macEnd).toString('latin1'));
  return { stanzas, mac, signed: file.subarray(0, end + 4), payload: file.subarray(macEnd + 1) };
}

const BECH32 = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';

/** The 32 bytes in an age identity. Its checksum is not needed: a wrong identity opens nothing. */
function identityBytes(identity) {
  let bits = 0;
  let value = 0;
  const bytes = [];
  for (const character of identity.slice(identity.lastIndexOf('1') + 1, -6).toLowerCase()) {
    value = ((value << 5) | BECH32.indexOf(character)) & 0xfff;
    bits += 5;
    if (bits >= 8) bytes.push((value >> (bits -= 8)) & 255);
  }
  return Buffer.from(bytes);
}

const unwrap = (key, body) => decryptAead('chacha20-poly1305', key, Buffer.alloc(12), undefined, body);

/** The file key in one stanza; `undefined` when the secret is of another kind. Throws when it does not fit. */
function openStanza({ args, body }, secret) {
  const [type, first, second] = args;
  const wrapped = unbase64(body);
  if (type === 'scrypt' && secret.passphrase !== undefined) {
    if (!(Number(second) <= 20)) fail('the work factor is too high');
    const N = 2 ** Number(second);
    const salt = Buffer.concat([utf8('age-encryption.org/v1/scrypt'), unbase64(first)]);
    return unwrap(scryptSync(secret.passphrase, salt, 32, { N, r: 8, p: 1, maxmem: 1024 * N + 2 ** 20 }), wrapped);
  }
  const post = secret.identity?.startsWith('AGE-SECRET-KEY-PQ-1');
  if (type === 'X25519' && post === false) {
    const own = privateKey(X25519_PKCS8, identityBytes(secret.identity));
    const share = unbase64(first);
    const shared = diffieHellman({ privateKey: own, publicKey: publicKey(X25519_SPKI, share) });
    return unwrap(hkdf(shared, Buffer.concat([share, rawPublic(own)]), 'age-encryption.org/v1/X25519'), wrapped);
  }
  if (type === 'mlkem768x25519' && post === true) {
    return openHpke(
      identityBytes(secret.identity),
      unbase64(first),
      wrapped,
      'age-encryption.org/mlkem768x25519',
      undefined,
      3,
    );
  }
  return undefined;
}

/** What an age file holds, or `undefined` when the secret does not open it. */
function openAge(file, secret) {
  const { stanzas, mac, signed, payload } = parseAge(file);
  for (const stanza of stanzas) {
    let fileKey;
    try {
      fileKey = openStanza(stanza, secret);
    } catch {
      continue;
    }
    if (fileKey === undefined) continue;
    if (!hmac(hkdf(fileKey, '', 'header'), signed).equals(mac)) fail('the header of an age file is damaged');
    const key = hkdf(fileKey, payload.subarray(0, 16), 'payload');
    const parts = [];
    for (let at = 16, counter = 0; at < payload.length; counter++) {
      const part = payload.subarray(at, (at += 65536 + 16));
      const nonce = Buffer.alloc(12);
      nonce.writeUInt32BE(counter, 7);
      nonce[11] = at >= payload.length ? 1 : 0;
      parts.push(decryptAead('chacha20-poly1305', key, nonce, undefined, part));
    }
    return Buffer.concat(parts);
  }
  return undefined;
}

// ---- The vault ----

/** Every object in the vault: key and size. */
function listVault(vault, folder = '') {
  return readdirSync(join(vault, folder), { withFileTypes: true })
    .filter((entry) => !entry.name.startsWith('.'))
    .flatMap((entry) =>
      entry.isDirectory() ? listVault(vault, `${folder}${entry.name}/`) : [`${folder}${entry.name}`],
    )
    .sort();
}

/** Signed JSON: a line with the document, a line with the signature over `purpose`, newline and the first line. */
function readSigned(bytes, purpose, keyOf) {
  const end = bytes.indexOf(10);
  const length = end + 1 + 145;
  const document = JSON.parse(bytes.subarray(0, end).toString('utf8'));
  const signature = /^\{"signature":"([0-9a-f]{128})"\}\n$/.exec(
    bytes.subarray(end + 1, length).toString('latin1'),
  )?.[1];
  const signed = Buffer.concat([utf8(`${purpose}\n`), bytes.subarray(0, end)]);
  const good =
    signature !== undefined &&
    crypto.verify(null, signed, publicKey(ED25519_SPKI, keyOf(document)), Buffer.from(signature, 'hex'));
  if (!good) fail('the signature does not match: edited, damaged, or made by someone else');
  if (document.version > 1) fail(`format version ${document.version} is newer than this reader: get a newer one`);
  return { document, length };
}

/** Throws unless the folder looks like a vault, whatever else of it was lost. */
function requireVault(vault) {
  if (!['lifeboat.json', 'keys', 'points'].some((name) => existsSync(join(vault, name))))
    fail(`${vault} is no copy of a vault: it has no lifeboat.json, keys or points. Name the folder that has with --vault`);
}

function requireHeader(vault) {
  if (!existsSync(join(vault, 'lifeboat.json')))
    fail(
      'the vault has lost its lifeboat.json. Put it back from another copy of the vault, or give a key with --identity-file, --passphrase-file or --key-file: with a key it is not needed',
    );
}

const readHeader = (vault) => {
  requireHeader(vault);
  return readSigned(readFileSync(join(vault, 'lifeboat.json')), 'lifeboat/1/repository', (header) =>
    unbase64(header.signingPublicKey),
  ).document;
};

/** The keys of the repository, from any slot that one of the secrets opens. */
function unlock(vault, secrets) {
  for (const { readKey } of secrets) if (readKey !== undefined) return readKey;
  if (!existsSync(join(vault, 'keys'))) fail('the vault has lost its key slots: put keys/ back from another copy of it');
  const slots = readdirSync(join(vault, 'keys')).filter((name) => /^[0-9a-f]{64}$/.test(name));
  for (const name of slots) {
    const file = readFileSync(join(vault, 'keys', name));
    if (sha256(file) !== name) console.error(`keys/${name} is damaged`);
    else {
      for (const secret of secrets) {
        const opened = openAge(file, secret);
        const keys = opened && readKeyOf(JSON.parse(opened.toString('utf8')));
        if (keys !== undefined) return keys;
      }
    }
  }
  return fail(`none of the ${slots.length} key slots opens with what was given; the command slots says what opens them`);
}

/** What a slot held, as far as reading needs it; `undefined` when it held the maintain role alone, which reads nothing. */
function readKeyOf(document) {
  if (document.format !== 'lifeboat-read-key' || ![1, 2].includes(document.version))
    fail('the slot holds no keys that this reader knows');
  if (document.version === 2 && !['owner', 'read'].includes(document.role)) return undefined;
  const bytes = (name) => Buffer.from(document[name], 'hex');
  const signingKey = () => privateKey(Buffer.from('302e020100300506032b657004220420', 'hex'), bytes('signingKey'));
  return {
    repository: document.repository,
    id: bytes('repository'),
    sealingKey: bytes('sealingKey'),
    dedupKey: bytes('dedupKey'),
    signingPublicKey: document.version === 1 ? rawPublic(signingKey()) : bytes('signingPublicKey'),
    maintainPublicKey: document.version === 1 ? rawPublic(signingKey()) : bytes('maintainPublicKey'),
  };
}

/** An exported read key: `lifeboat-read-key-1.<base64url>.<checksum>`. */
function parseReadKey(text) {
  const token = text.replace(/^\s*#.*$/gm, '').replace(/\s+/g, '');
  const [prefix, payload = '', checksum] = token.split('.');
  if (prefix !== 'lifeboat-read-key-1') fail('this is no exported read key that this reader knows');
  const key = Buffer.from(payload, 'base64url');
  if (sha256(utf8(`${prefix}.${payload}`)).slice(0, 8) !== checksum || key.length !== 1424)
    fail('the read key is incomplete or has a typing mistake');
  return {
    repository: key.toString('hex', 0, 16),
    id: key.subarray(0, 16),
    sealingKey: key.subarray(1232, 1264),
    dedupKey: key.subarray(1296, 1328),
    signingPublicKey: key.subarray(1360, 1392),
    maintainPublicKey: key.subarray(1392, 1424),
  };
}

/** What opens each slot, and what it holds. */
function slots(vault) {
  const names = existsSync(join(vault, 'keys')) ? readdirSync(join(vault, 'keys')).filter((name) => /^[0-9a-f]{64}$/.test(name)) : [];
  if (names.length === 0) fail('the vault has lost its key slots: put keys/ back from another copy of it');
  for (const name of names.sort()) {
    const file = readFileSync(join(vault, 'keys', name));
    const what = sha256(file) === name ? slotText(parseAge(file).stanzas) : 'damaged';
    console.log(`${name.slice(0, 12)}  ${what}${existsSync(join(vault, 'keys', `${name}.removed`)) ? '  (was removed)' : ''}`);
  }
  return true;
}

const OPENERS = {
  scrypt: () => 'a passphrase: --passphrase-file FILE, or typed in',
  X25519: () => 'an age identity: --identity-file FILE (AGE-SECRET-KEY-1…)',
  mlkem768x25519: () => 'an age identity: --identity-file FILE (AGE-SECRET-KEY-PQ-1…)',
  'lifeboat-kms': (service, key) => `the key ${service}:${key}: with lifeboat, see README, "A key service"`,
};

function slotText(stanzas) {
  const role = stanzas.find(({ args }) => args[0] === 'lifeboat-role')?.args[1];
  const opener = stanzas.map(({ args: [type, ...args] }) => OPENERS[type]?.(...args)).find((text) => text !== undefined);
  const holds = role === undefined ? '' : role === 'read' ? '  (holds the read key alone)' : `  (holds the ${role} key alone: it opens no points)`;
  return `${opener ?? 'something this reader does not know'}${holds}`;
}

/** A whole point, checked: signed head, pack table, sealed manifest. */
function readPoint(vault, { site, id }, access) {
  const bytes = readFileSync(join(vault, 'points', site, id));
  const { document: head, length } = readSigned(bytes, 'lifeboat/1/point', () => access.signingPublicKey);
  if (head.repository !== access.repository || head.site !== site || head.id !== id)
    fail('the point was put in another place than it is from');
  const packTable = bytes.subarray(length, length + head.packTable.bytes);
  const manifest = bytes.subarray(length + head.packTable.bytes);
  if (sha256(packTable) !== head.packTable.sha256 || sha256(manifest) !== head.manifest.sha256)
    fail('the point is damaged after its signed part');
  const packs = [];
  for (let at = 0; at < packTable.length; at += 68) {
    const entry = packTable.subarray(at, at + 68);
    packs.push({
      id: entry.toString('hex', 0, 32),
      size: entry.readUInt32LE(32),
      commitment: entry.toString('hex', 36),
    });
  }
  return { head, packs, manifest };
}

/** The manifest: HPKE-sealed, zstd, JSON. */
function openManifest(point, keys) {
  const aad = utf8(`${keys.repository}\n${point.head.site}\n${point.head.id}`);
  return JSON.parse(
    zlib.zstdDecompressSync(openSealed(keys.sealingKey, point.manifest, 'lifeboat/1/manifest', aad)).toString('utf8'),
  );
}

// ---- Packs ----

/** Opens packs, and keeps the few that were used last. */
function packOpener(vault, keys) {
  const open = new Map();
  return (pack) => {
    const known = open.get(pack.id);
    if (known !== undefined) return known;
    const bytes = readFileSync(join(vault, 'packs', pack.id.slice(0, 2), pack.id));
    if (sha256(bytes) !== pack.id) fail(`pack ${pack.id} is damaged`);
    if (open.size >= 3) open.delete(open.keys().next().value);
    open.set(pack.id, openPack(bytes, pack, keys));
    return open.get(pack.id);
  };
}

function openPack(bytes, pack, keys) {
  const version = bytes[7];
  if (bytes.toString('latin1', 0, 7) !== 'LBPACK\0' || (version !== 1 && version !== 2))
    fail(`pack ${pack.id} is of a format this reader does not know`);
  const contentKey = openSealed(keys.sealingKey, bytes.subarray(8, 1176), 'lifeboat/1/pack', keys.id);
  const commitment = hkdf(contentKey, keys.id, `lifeboat/${version}/pack/commitment`);
  if (commitment.toString('hex') !== pack.commitment || !commitment.equals(bytes.subarray(1176, 1208)))
    fail(`pack ${pack.id} is sealed with another key than its point names`);
  const key = hkdf(contentKey, keys.id, `lifeboat/${version}/pack/key`);
  const openBlock = (number, sealed) => {
    const nonce = Buffer.alloc(12);
    nonce.writeUInt32BE(number, 8);
    return decryptAead(
      'aes-256-gcm',
      key,
      nonce,
      Buffer.concat([utf8(`lifeboat/${version}/pack/block`), keys.id, commitment, nonce.subarray(8)]),
      sealed,
    );
  };
  const tableAt = bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8);
  const table = reader(zlib.zstdDecompressSync(openBlock(0xffffffff, bytes.subarray(tableAt, -8))));
  const blocks = [];
  let at = 1208;
  for (let left = table.varint(); left > 0; left--) {
    const sealed = bytes.subarray(at, (at += table.varint()));
    const compressed = table.take(1)[0] === 1;
    const lengths = Array.from({ length: table.varint() }, () => table.varint());
    blocks.push({ sealed, compressed, lengths });
  }
  const opened = new Map();
  /** The chunks of a block. */
  const block = (number) => {
    if (!opened.has(number)) {
      const { sealed, compressed, lengths } = blocks[number] ?? fail('a block is not in its pack');
      const plain = openBlock(number, sealed);
      const contents = compressed ? zlib.zstdDecompressSync(plain) : plain;
      let from = 0;
      if (opened.size >= 8) opened.delete(opened.keys().next().value);
      opened.set(
        number,
        lengths.map((length) => contents.subarray(from, (from += length))),
      );
    }
    return opened.get(number);
  };
  return { block };
}

// ---- Streams ----

/** The chunks of an extent list, in order; at the end their digest is compared. */
function* chunksOf(encoded, packs, openPackOf, keys) {
  const list = reader(encoded);
  const nested = list.take(1)[0] === 1;
  const digest = list.take(32);
  const actual = createHash('sha256');
  const chunks = (function* () {
    let [pack, block, next] = [0, 0, 0];
    for (let left = list.varint(); left > 0; left--) {
      const packStep = list.zigzag();
      const blockStep = list.zigzag();
      const firstStep = list.zigzag();
      pack += packStep;
      const newBlock = (packStep === 0 ? block : 0) + blockStep;
      const first = (packStep === 0 && newBlock === block ? next : 0) + firstStep;
      block = newBlock;
      next = first + list.varint() + 1;
      const contents = openPackOf(packs[pack] ?? fail('a stream names an unknown pack')).block(block);
      for (let index = first; index < next; index++) {
        const chunk = contents[index] ?? fail('a chunk is not where it should be');
        actual.update(hmac(keys.dedupKey, chunk).subarray(0, 16));
        yield chunk;
      }
    }
  })();
  if (nested) {
    const inner = Buffer.concat([...chunks]);
    if (!actual.digest().equals(digest)) fail('a stream has other chunks than were written');
    yield* chunksOf(inner, packs, openPackOf, keys);
    return;
  }
  yield* chunks;
  if (!actual.digest().equals(digest)) fail('a stream has other chunks than were written');
}

/** The records of a stream: each begins with its length, at the beginning of a chunk. */
function* recordsOf(stream, packs, openPackOf, keys) {
  let parts = [];
  let missing = 0;
  let records = 0;
  for (const chunk of chunksOf(unbase64(stream.extents), packs, openPackOf, keys)) {
    if (missing === 0) missing = chunk.readUInt32LE(0) + 4;
    parts.push(chunk);
    missing -= chunk.length;
    if (missing > 0) continue;
    if (missing < 0) fail('a record is longer than it says');
    yield Buffer.concat(parts).subarray(4);
    records++;
    parts = [];
  }
  if (records !== stream.records || missing !== 0) fail('a stream does not hold what it should');
}

// ---- Byte streams ----

/** The parts of a byte stream, in order: `bytes`, or a `hole` of so many zeros. Each chunk is compared with its id. */
function* piecesOf(map, packs, openPackOf, keys, nested = map[0] === 1) {
  if (nested) {
    const inner = [...piecesOf(map, packs, openPackOf, keys, false)];
    yield* piecesOf(Buffer.concat(inner.map(({ bytes }) => bytes)), packs, openPackOf, keys);
    return;
  }
  const list = reader(map.subarray(1));
  let [pack, next] = [0, 0];
  while (!list.done()) {
    const head = list.varint();
    const count = Math.floor(head / 2);
    if (head % 2 === 0) {
      yield { hole: count };
      continue;
    }
    const packStep = list.zigzag();
    pack += packStep;
    const block = (packStep === 0 ? next : 0) + list.zigzag();
    const index = list.varint();
    const common = list.varint();
    const lengths = Array.from({ length: count }, () => (common === 0 ? list.varint() : common));
    next = block + count;
    for (const [i, length] of lengths.entries()) {
      const id = list.take(16);
      const contents = openPackOf(packs[pack] ?? fail('a stream names an unknown pack')).block(block + i);
      const bytes = contents[index] ?? fail('a chunk is not where it should be');
      if (bytes.length !== length || !hmac(keys.dedupKey, bytes).subarray(0, 16).equals(id))
        fail('a chunk is another than was written');
      yield { bytes };
    }
  }
}

/** Hands the parts of a byte stream to `write`, each with its offset. */
function eachPiece(stream, packs, openPackOf, keys, write) {
  let offset = 0;
  for (const { bytes, hole } of piecesOf(unbase64(stream.map), packs, openPackOf, keys)) {
    if (bytes !== undefined) write(bytes, offset);
    offset += bytes?.length ?? hole;
  }
  if (offset !== stream.bytes) fail('a stream has another length than was written');
}

/** All streams that a manifest names, wherever in it, with their place as a JSON pointer (RFC 6901). */
function* streamsIn(manifest, where = '') {
  if (manifest === null || typeof manifest !== 'object') return;
  const members = Object.keys(manifest).sort().join();
  if (members === 'bytes,extents,records' || members === 'bytes,map') yield { where, stream: manifest };
  else {
    for (const [name, value] of Object.entries(manifest))
      yield* streamsIn(value, `${where}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`);
  }
}

// ---- Commands ----

/** The points of a vault that were not removed, oldest first. */
function pointNames(vault, site, access) {
  return listVault(vault)
    .map((key) => /^points\/([^/]+)\/(\d{8}T\d{6}Z-[0-9a-f]{8})$/.exec(key))
    .filter((match) => match !== null && (site === undefined || match[1] === site))
    .map(([, siteName, id]) => ({ site: siteName, id }))
    .filter((name) => removalOf(vault, name, access) === undefined)
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** The genuine tombstone of a point: signed by the maintain role, for this very point. Any other counts for nothing. */
function removalOf(vault, { site, id }, access) {
  const file = join(vault, 'points', site, `${id}.removed`);
  if (!existsSync(file)) return undefined;
  try {
    const { document } = readSigned(readFileSync(file), 'lifeboat/1/removed', () => access.maintainPublicKey);
    const same = document.repository === access.repository && document.site === site && document.id === id;
    return same && document.format === 'lifeboat-point-removed' ? document : undefined;
  } catch {
    return undefined;
  }
}

function choosePoint(vault, wanted, site, access) {
  const points = pointNames(vault, site, access);
  if (wanted === 'latest' && new Set(points.map((point) => point.site)).size > 1)
    fail('there are points of several sites: say which with --site');
  const matching = wanted === 'latest' ? points.slice(-1) : points.filter((point) => point.id.startsWith(wanted));
  if (matching.length !== 1) fail(`${matching.length} points match "${wanted}"`);
  return matching[0];
}

function accessOf(vault, keys) {
  if (keys !== undefined) return keys;
  const header = readHeader(vault);
  const signingPublicKey = unbase64(header.signingPublicKey);
  const maintain = header.maintainPublicKey;
  return { repository: header.id, signingPublicKey, maintainPublicKey: maintain === undefined ? signingPublicKey : unbase64(maintain) };
}

function list(vault, site, keys) {
  const access = accessOf(vault, keys);
  let bad = 0;
  for (const name of pointNames(vault, site, access)) {
    try {
      const { head } = readPoint(vault, name, access);
      console.log(
        `${name.id}  ${name.site}  ${head.at}  ${head.stats.recordsTotal} objects${head.complete ? '' : '  (not everything could be read)'}`,
      );
    } catch (error) {
      bad++;
      console.log(`${name.id}  ${name.site}  BAD: ${error.message}`);
    }
  }
  return bad === 0;
}

function verifyVault(vault, site, keys) {
  if (keys === undefined) requireHeader(vault);
  let bad = 0;
  const check = (what, work) => {
    try {
      work();
    } catch (error) {
      bad++;
      console.log(`BAD ${what}: ${error.message}`);
    }
  };
  const objects = listVault(vault);
  const rescue = new Map();
  check('lifeboat.json', () => {
    for (const file of readHeader(vault).rescue) rescue.set(file.key, file.sha256);
  });
  for (const key of rescue.keys()) if (!objects.includes(key)) check(key, () => fail('it is not there'));
  for (const key of objects) {
    const expected = rescue.get(key) ?? /^(?:packs\/..|index|keys)\/(?:\d{8}T\d{6}Z-)?([0-9a-f]{64})$/.exec(key)?.[1];
    if (expected !== undefined)
      check(key, () => sha256(readFileSync(join(vault, key))) === expected || fail('the bytes do not match the name'));
  }
  const access = accessOf(vault, keys);
  const openPackOf = keys && packOpener(vault, keys);
  const points = pointNames(vault, site, access);
  for (const name of points) {
    check(`points/${name.site}/${name.id}`, () => {
      const point = readPoint(vault, name, access);
      for (const previous of point.head.previous)
        if (!points.some(({ id }) => id === previous.id) && removalOf(vault, { site: name.site, id: previous.id }, access) === undefined)
          fail(`the point before it, ${previous.id}, is gone`);
      for (const pack of point.packs) {
        const size = statSync(join(vault, 'packs', pack.id.slice(0, 2), pack.id), { throwIfNoEntry: false })?.size;
        if (size !== pack.size) fail(`pack ${pack.id} is ${size === undefined ? 'not there' : 'not whole'}`);
      }
      if (keys === undefined) return;
      for (const { stream } of streamsIn(openManifest(point, keys))) {
        if (stream.map !== undefined) eachPiece(stream, point.packs, openPackOf, keys, () => {});
        else for (const _record of recordsOf(stream, point.packs, openPackOf, keys));
      }
    });
  }
  console.log(
    `${objects.length} objects and ${points.length} points read, ${bad} of them bad${keys === undefined ? ' (nothing was opened: no key was given)' : ''}`,
  );
  return bad === 0;
}

/** A file name for any name: what is not plain is written as %XX; so are capitals, because some file systems ignore case. */
function fileName(name) {
  const plain = utf8(name)
    .toString('latin1')
    .replace(
      /[^a-z0-9._-]|^\.|^(?=(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$))./g,
      (character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
    );
  return plain.length <= 200 ? plain : `${plain.slice(0, 180)}~${sha256(utf8(name)).slice(0, 16)}`;
}

/** The object as JSON on one line; list items carry no apiVersion and kind, so they are put in front. */
function completed(record, type) {
  const text = record
    .toString('utf8')
    .replaceAll(/[\r\n]/g, ' ')
    .trim();
  const object = JSON.parse(text);
  const version = type.group === '' ? type.version : `${type.group}/${type.version}`;
  const head = [
    ['apiVersion', version],
    ['kind', type.kind],
  ].filter(([name]) => object[name] === undefined);
  const inserted = head.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)},`).join('');
  return { object, text: `{${inserted}${text.slice(1)}` };
}

// ---- Objects as another cluster takes them: the main part of docs/restore.md, "Dropped objects" and "Changed fields" ----

/** Clusters make these themselves, or they tell of machines that are not there. */
const OF_THE_CLUSTER =
  /^(?:(?:events|nodes|componentstatuses|bindings|endpoints)|(?:endpointslices\.discovery|(?:events\.)?events|(?:leases|leasecandidates)\.coordination|(?:csinodes|volumeattachments|csistoragecapacities)\.storage|resourceslices\.resource|(?:ipaddresses|servicecidrs)\.networking|(?:storageversions)\.internal\.apiserver|storageversionmigrations\.storagemigration|(?:certificatesigningrequests|podcertificaterequests|clustertrustbundles)\.certificates|.*\.flowcontrol\.apiserver|.*\.metrics)\.k8s\.io|controllerrevisions\.apps)$/;

const SYSTEM_NAMESPACES = new Set(['kube-system', 'kube-public', 'kube-node-lease']);

/** Whether the cluster that takes the objects makes this one itself, or must not have it. */
function isLeftOut(type, { metadata, spec, status, type: secretType }) {
  const { name, namespace, labels = {}, annotations = {}, ownerReferences = [] } = metadata;
  if (OF_THE_CLUSTER.test(type) || metadata.deletionTimestamp !== undefined) return true;
  if (SYSTEM_NAMESPACES.has(namespace) || (type === 'namespaces' && SYSTEM_NAMESPACES.has(name))) return true;
  if (ownerReferences.some(({ controller }) => controller === true)) return true;
  if (labels['kubernetes.io/bootstrapping'] === 'rbac-defaults' || labels['kube-aggregator.kubernetes.io/automanaged'] !== undefined) return true;
  if (annotations['kubernetes.io/config.mirror'] !== undefined || annotations['pv.kubernetes.io/provisioned-by'] !== undefined) return true;
  if (type === 'configmaps' && name === 'kube-root-ca.crt') return true;
  if (type === 'services' && namespace === 'default' && name === 'kubernetes') return true;
  if (type === 'priorityclasses.scheduling.k8s.io' && name.startsWith('system-')) return true;
  if (type === 'secrets' && ['kubernetes.io/service-account-token', 'bootstrap.kubernetes.io/token'].includes(secretType)) return true;
  if (type === 'volumesnapshots.snapshot.storage.k8s.io') return spec.source.volumeSnapshotContentName === undefined;
  if (type === 'volumesnapshotcontents.snapshot.storage.k8s.io') return spec.source.volumeHandle !== undefined;
  if (type === 'pods') return ['Succeeded', 'Failed'].includes(status?.phase);
  return type === 'jobs.batch' && (status?.conditions ?? []).some((one) => ['Complete', 'Failed'].includes(one.type) && one.status === 'True');
}

const IDENTITY = ['uid', 'resourceVersion', 'generation', 'creationTimestamp', 'deletionGracePeriodSeconds', 'selfLink', 'managedFields', 'ownerReferences'];
const CONTROLLER_UID = ['controller-uid', 'batch.kubernetes.io/controller-uid'];
const BINDING = /^(?:pv\.kubernetes\.io\/|volume\.(?:beta\.)?kubernetes\.io\/(?:selected-node|storage-provisioner|storage-resizer)|kubectl\.kubernetes\.io\/last-applied-configuration$)/;

/** The object without what belongs to the cluster it was in. */
function portable(type, object) {
  const { metadata, spec } = object;
  for (const field of IDENTITY) delete metadata[field];
  for (const name of Object.keys(metadata.annotations ?? {})) if (BINDING.test(name)) delete metadata.annotations[name];
  if (!type.includes('.') || type.endsWith('.apps') || type.endsWith('.k8s.io') || /\.(?:batch|autoscaling|policy)$/.test(type)) delete object.status;
  if (type === 'namespaces') delete object.spec;
  if (type === 'services' && spec.clusterIP !== 'None' && spec.type !== 'ExternalName') {
    delete spec.clusterIP;
    delete spec.clusterIPs;
  }
  if (type === 'persistentvolumeclaims') delete spec.volumeName;
  if (type === 'persistentvolumes' && spec.claimRef !== undefined) {
    delete spec.claimRef.uid;
    delete spec.claimRef.resourceVersion;
  }
  if (type === 'pods') for (const field of ['nodeName', 'priority', 'preemptionPolicy', 'ephemeralContainers']) delete spec[field];
  if (type === 'serviceaccounts') delete object.secrets;
  if (type === 'jobs.batch' && spec.manualSelector !== true) {
    delete spec.selector;
    for (const labels of [metadata.labels, spec.template.metadata?.labels]) for (const name of CONTROLLER_UID) if (labels !== undefined) delete labels[name];
  }
  return object;
}

/** What others need is applied first, what would refuse others last. */
const STAGES = [
  ['1-definitions', /^customresourcedefinitions\.|classes\./],
  ['2-namespaces', /^namespaces$/],
  ['3-accounts', /^serviceaccounts$|\.rbac\./],
  ['6-workloads', /^(?:pods|replicationcontrollers)$|\.(?:apps|batch|autoscaling|policy)$/],
  ['7-limits', /^(?:resourcequotas|limitranges)$|\.(?:admissionregistration|apiregistration)\.k8s\.io$/],
  ['4-objects', /^[^.]+$|\.k8s\.io$/],
];
const stageOf = (type) => STAGES.find(([, pattern]) => pattern.test(type))?.[0] ?? '5-custom-objects';

/** Numbers that JavaScript cannot hold are kept as they are written. */
const exactNumbers = (_name, value, { source }) =>
  typeof value === 'number' && JSON.stringify(value) !== source ? JSON.rawJSON(source) : value;

async function extract(vault, name, keys, folder, forKubectl) {
  const point = readPoint(vault, name, keys);
  const manifest = openManifest(point, keys);
  if (manifest.kind !== 'cluster-state') fail(`the point holds "${manifest.kind}", which this reader does not know`);
  const openPackOf = packOpener(vault, keys);
  let count = 0;
  let left = 0;
  for (const [streamName, stream] of Object.entries(manifest.streams)) {
    const type = manifest.summary.types.find(({ group, resource }) => `${group}/${resource}` === streamName);
    if (type === undefined) fail(`the manifest does not describe ${streamName}`);
    for (const record of recordsOf(stream, point.packs, openPackOf, keys)) {
      const { object, text } = completed(record, type);
      const typeName = type.group === '' ? type.resource : `${type.resource}.${type.group}`;
      if (forKubectl && isLeftOut(typeName, object)) {
        left++;
        continue;
      }
      count++;
      if (folder === undefined) {
        if (!process.stdout.write(`${text}\n`)) await once(process.stdout, 'drain');
      } else {
        const { namespace, name: objectName } = object.metadata;
        const path = join(
          folder,
          forKubectl ? stageOf(typeName) : '',
          type.group === '' ? 'core' : fileName(type.group),
          /^[A-Za-z]+$/.test(type.kind) ? type.kind : fileName(type.kind),
          namespace === undefined ? '_cluster' : fileName(namespace),
        );
        mkdirSync(path, { recursive: true, mode: 0o700 });
        // A file that is there would keep its mode, or be a link to elsewhere: it is made anew.
        const file = join(path, `${fileName(objectName)}.json`);
        rmSync(file, { force: true });
        const written = forKubectl ? JSON.stringify(portable(typeName, JSON.parse(text, exactNumbers))) : text;
        writeFileSync(file, `${written}\n`, { flag: 'wx', mode: 0o600 });
      }
    }
  }
  const without = left === 0 ? '' : `; ${left} left out that a cluster makes itself`;
  console.error(`${count} objects of point ${name.id} (site ${name.site}, ${point.head.at})${without}`);
  return true;
}

/** Lists the byte streams of a point, or writes the one at `where` to a file, in which holes stay holes. */
function extractBytes(vault, name, keys, where, file) {
  const point = readPoint(vault, name, keys);
  const streams = [...streamsIn(openManifest(point, keys))].filter(({ stream }) => stream.map !== undefined);
  if (where === undefined) {
    for (const one of streams) console.log(`${one.where}  ${one.stream.bytes} bytes`);
    return true;
  }
  const { stream } = streams.find((one) => one.where === where) ?? fail(`the point has no byte stream at "${where}"`);
  const target = openSync(file, 'wx', 0o600);
  try {
    eachPiece(stream, point.packs, packOpener(vault, keys), keys, (bytes, offset) => {
      for (let done = 0; done < bytes.length;) done += writeSync(target, bytes, done, bytes.length - done, offset + done);
    });
    ftruncateSync(target, stream.bytes);
  } finally {
    closeSync(target);
  }
  return true;
}

async function askPassphrase() {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: silent, terminal: true });
  process.stderr.write('Passphrase: ');
  const passphrase = await terminal.question('');
  terminal.close();
  process.stderr.write('\n');
  return passphrase;
}

async function secretsFrom(options, needed) {
  if (options['identity-file'] !== undefined) {
    const lines = readFileSync(options['identity-file'], 'utf8')
      .split(/\r?\n/)
      .map((line) => line.trim());
    return lines.filter((line) => line.startsWith('AGE-SECRET-KEY-')).map((identity) => ({ identity }));
  }
  if (options['passphrase-file'] !== undefined)
    return [{ passphrase: readFileSync(options['passphrase-file'], 'utf8').split(/\r?\n/)[0] }];
  if (options['key-file'] !== undefined) return [{ readKey: parseReadKey(readFileSync(options['key-file'], 'utf8')) }];
  return needed ? [{ passphrase: await askPassphrase() }] : [];
}

async function main() {
  if (crypto.decapsulate === undefined || zlib.zstdDecompressSync === undefined)
    fail(`this needs Node 24.7 or newer, and this is ${process.version}`);
  const text = { type: 'string' };
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      vault: text,
      site: text,
      'identity-file': text,
      'passphrase-file': text,
      'key-file': text,
      ndjson: { type: 'boolean' },
      'for-kubectl': { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  const [command, wanted, folder, file] = positionals;
  const vault = resolve(values.vault ?? join(dirname(self), '..'));
  if (['slots', 'list', 'verify', 'extract', 'bytes'].includes(command)) requireVault(vault);
  if (command === 'slots') return slots(vault);
  if (command === 'list' || command === 'verify') {
    const secrets = await secretsFrom(values, false);
    return (command === 'list' ? list : verifyVault)(vault, values.site, secrets.length > 0 ? unlock(vault, secrets) : undefined);
  }
  if (command === 'extract' && wanted !== undefined && (folder !== undefined) !== (values.ndjson === true) && !(values.ndjson && values['for-kubectl'])) {
    const keys = unlock(vault, await secretsFrom(values, true));
    return extract(vault, choosePoint(vault, wanted, values.site, keys), keys, folder, values['for-kubectl'] === true);
  }
  if (command === 'bytes' && wanted !== undefined && (folder === undefined) === (file === undefined)) {
    const keys = unlock(vault, await secretsFrom(values, true));
    return extractBytes(vault, choosePoint(vault, wanted, values.site, keys), keys, folder, file);
  }
  process.stdout.write(USAGE);
  return values.help === true;
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  console.error(`lifeboat-rescue: ${error.message}`);
  process.exitCode = 1;
}

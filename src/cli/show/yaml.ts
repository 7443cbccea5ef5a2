import { Document, isScalar, Scalar, visit } from 'yaml';
import type { JsonValue } from '../../adapt/json.ts';
import { forYaml } from './objects.ts';

/**
 * One-line texts that some reader of YAML 1.1 takes for something else when they stand without quotes: whatever begins
 * like a number, a timestamp, `~`, `=` or `<<` (https://yaml.org/type/), and the words for booleans and null.
 * Quotes too many do no harm.
 */
const AMBIGUOUS = /^(?:[\d+\-.~=<]|(?:y|n|yes|no|on|off|true|false|null)$)/i;

/** Line breaks of YAML 1.1 alone, and what is not printable there: only escapes carry them. */
const UNPRINTABLE = /[\u007F-\u009F\u2028\u2029\uFEFF\uFFFE\uFFFF]/g;

/**
 * An object as YAML that every reader understands alike, whether it reads YAML 1.1 as kubectl does or YAML 1.2:
 * a text is never taken for a boolean, a number or a time.
 */
export function toYaml(value: JsonValue): string {
  const document = new Document(forYaml(value), { aliasDuplicateObjects: false, compat: 'yaml-1.1' });
  visit(document, (_key, node) => {
    if (!isScalar(node) || typeof node.value !== 'string') return;
    if (AMBIGUOUS.test(node.value) && !node.value.includes('\n')) node.type = Scalar.QUOTE_DOUBLE;
    if (node.value.search(UNPRINTABLE) !== -1) node.type = Scalar.QUOTE_DOUBLE;
  });
  // They stand between double quotes only, where this is how they are written.
  return document.toString({ lineWidth: 0 }).replaceAll(UNPRINTABLE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

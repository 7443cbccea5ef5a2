/**
 * Loaded into a process of the command line before it (`--import`): as soon as that has put something into a vault whose key begins with
 * `SIGNAL_AT`, it gets the signal `SIGNAL`. From outside nobody could be sure to be quick enough.
 */
import files from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

const { SIGNAL = '', SIGNAL_AT = '' } = process.env;
const { link } = files;
files.link = async (from, to) => {
  await link(from, to);
  if (String(to).includes(`/${SIGNAL_AT}`)) process.kill(process.pid, SIGNAL);
};
syncBuiltinESMExports();

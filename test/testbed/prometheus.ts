import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cachedArtifact } from './cache.ts';
import type { CacheOptions } from './cache.ts';
import { TestbedError } from './errors.ts';
import { startHttpServer } from './http-server.ts';
import type { HttpServer } from './http-server.ts';
import { run } from './run.ts';

/** Prometheus and its tool. */
export interface PrometheusPrograms {
  readonly prometheus: string;
  readonly promtool: string;
}

const INSTALLED = '/usr/bin';

/** Prometheus as this system has it, or from Debian's package, downloaded when it is not in the cache. Throws a `TestbedError` that says what is missing. */
export async function findPrometheus(options: CacheOptions = {}): Promise<PrometheusPrograms> {
  const installed = programsIn(INSTALLED);
  if (existsSync(installed.prometheus) && existsSync(installed.promtool)) return installed;
  const about = await run('apt-cache', ['policy', 'prometheus']).catch((cause: unknown) => {
    throw new TestbedError('Prometheus is not installed, and this system has no apt to get it with.', { cause });
  });
  const version = /Candidate: (\d\S*)/.exec(about)?.[1];
  if (version === undefined) throw new TestbedError('The sources of apt do not offer Prometheus.', { hint: 'Run `apt-get update`.' });
  const folder = await cachedArtifact(
    {
      name: 'prometheus',
      key: [version, process.platform, process.arch],
      build: async (dir, report) => {
        report('downloading', `prometheus ${version}`);
        await run('apt-get', ['download', `prometheus=${version}`], { cwd: dir });
        const [deb = ''] = (await readdir(dir)).filter((file) => file.endsWith('.deb'));
        await run('dpkg-deb', ['--extract', join(dir, deb), dir]);
      },
    },
    options,
  );
  return programsIn(join(folder, 'usr/bin'));
}

function programsIn(folder: string): PrometheusPrograms {
  return { prometheus: join(folder, 'prometheus'), promtool: join(folder, 'promtool') };
}

/** Starts a Prometheus that scrapes an address (`127.0.0.1:1234`) every second, with these files of rules. */
export async function startPrometheus(target: string, rules: readonly string[] = []): Promise<HttpServer> {
  const { prometheus } = await findPrometheus();
  return startHttpServer({
    product: 'Prometheus',
    label: 'prometheus',
    ports: 1,
    program: async (folder, [port = 0]) => {
      const config = {
        global: { scrape_interval: '1s', evaluation_interval: '1s' },
        rule_files: rules,
        scrape_configs: [{ job_name: 'lifeboat', static_configs: [{ targets: [target] }] }],
      };
      const file = join(folder, 'prometheus.yml');
      // JSON is YAML.
      await writeFile(file, JSON.stringify(config));
      return {
        name: 'prometheus',
        command: prometheus,
        args: [`--config.file=${file}`, `--storage.tsdb.path=${join(folder, 'data')}`, `--web.listen-address=127.0.0.1:${port}`],
        env: {},
      };
    },
    tryOut: async (url) => {
      const { status } = await fetch(`${url}/-/ready`);
      if (status !== 200) throw new Error(`it answers with ${status}`);
    },
  });
}

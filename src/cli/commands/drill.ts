import { addReadKeyOptions, COMMON_EXITS, helpTail } from '../command.ts';
import type { Define } from '../command.ts';
import type { DrillCommandOptions } from '../drill/drill.ts';

/** `lifeboat drill` */
export const defineDrill: Define = (parent, run) => {
  const command = parent
    .command('drill')
    .summary('try a restore: for real, checked, measured, thrown away')
    .description(
      'Restores a safe recovery point into a Kubernetes control plane that is started for it and thrown away, or into a spare site from which everything is removed again; checks what came of it, measures how long it took and how old the newest safe point has been, and keeps a signed report in every vault. No container runs, and nothing reaches anything outside.',
    )
    .argument('[plan]', 'plan of lifeboat.yaml (default: the only one)')
    .option('--point <which>', '`newest` or `random` safe point, an id, or the beginning of one (default: `drill.point` of the plan, else newest)')
    .option('--into <site>', 'into this spare site of lifeboat.yaml (default: `drill.into` of the plan, else a control plane of its own)')
    .option('--report <file>', 'write the report as an HTML page')
    .option('--keep', 'leave the cluster running until Ctrl-C, to look around in it')
    .option('--dry-run', 'say which point would be restored, and how old the newest has been; start and write nothing')
    .option('--reports', 'instead, list the reports of earlier drills, with their signatures checked');
  addReadKeyOptions(command.optionsGroup('Keys:'))
    .addHelpText(
      'after',
      helpTail(
        [
          ['drill --report drill.html', 'the newest safe point, and a page to hand to an auditor'],
          ['drill prod --point random', 'an old point may be what is needed some day'],
          ['drill prod --into spare', 'into a cluster that is there for it'],
          ['drill --reports', 'what earlier drills showed'],
        ],
        [
          [0, 'every check passed, and no objective was missed'],
          ...COMMON_EXITS,
          [3, 'done, but no vault took the report'],
          [4, 'a check failed, an objective was missed, there is no safe point, or a report is forged'],
        ],
      ),
    )
    .action(run(async (context, plan: string | undefined, options: DrillCommandOptions) => (await import('../drill/drill.ts')).drillCommand(context, plan, options)));
};

import type { Argument, Command, Option } from 'commander';

/** The reference part of docs/cli.md: every command with its arguments and options, from their own definitions. */
export function commandReference(program: Command): string {
  const sections = [`### Options of every command\n\n${optionTable(program.options)}`];
  for (const command of program.commands) sections.push(...commandSections(command, 'lifeboat'));
  return sections.join('\n\n');
}

function commandSections(command: Command, parent: string): string[] {
  const path = `${parent} ${command.name()}`;
  const usage = `\`\`\`\n${path} ${command.usage()}\n\`\`\``;
  const parts = [`### ${path}`, command.description(), usage];
  if (command.registeredArguments.length > 0) parts.push(argumentTable(command.registeredArguments));
  if (command.options.length > 0) parts.push(optionTable(command.options));
  return [parts.join('\n\n'), ...command.commands.flatMap((inner) => commandSections(inner, path))];
}

function argumentTable(args: readonly Argument[]): string {
  const rows = args.map((argument) => {
    const name = argument.required ? `<${argument.name()}>` : `[${argument.name()}]`;
    return `| \`${name}\` | ${cell(argument.description, argument.defaultValue)} |`;
  });
  return ['| argument | |', '| --- | --- |', ...rows].join('\n');
}

function optionTable(options: readonly Option[]): string {
  const rows = options.map((option) => {
    const choices = option.argChoices === undefined ? '' : ` (${option.argChoices.map((choice) => `\`${choice}\``).join(', ')})`;
    return `| \`${option.flags.replaceAll('|', '\\|')}\` | ${cell(`${option.description}${choices}`, option.defaultValue)} |`;
  });
  return ['| option | |', '| --- | --- |', ...rows].join('\n');
}

function cell(description: string, defaultValue: unknown): string {
  const preset = typeof defaultValue === 'string' ? `. Default: \`${defaultValue}\`` : '';
  return `${description}${preset}`.replaceAll('|', '\\|');
}

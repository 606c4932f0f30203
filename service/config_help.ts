// The settings as --help and docs/CONFIGURATION.md show them.

import { SETTINGS, type Setting } from './config_schema.ts';

const FLAG_INDENT = '  ';
const HELP_INDENT = '        ';
const HELP_COLUMNS = 92;

/** The flags of the settings below these names (`listen.query`, or a section `log`); [] = all. */
export function flagsHelp(names: readonly string[]): string {
  const lines = [`${FLAG_INDENT}--config file.yaml`, `${HELP_INDENT}Settings by file.`];
  for (const setting of SETTINGS) {
    if (names.length > 0 && !names.some((name) => isBelow(setting.name, name))) continue;
    const how =
      setting.flag === undefined
        ? `${setting.env} (no flag: it is a secret)`
        : `--${setting.flag} ${setting.placeholder}`;
    const fallback = setting.fallbackText === '' ? '' : ` Default: ${setting.fallbackText}.`;
    lines.push(`${FLAG_INDENT}${how}`, ...wrap(`${setting.help}${fallback}`));
  }
  return lines.join('\n');
}

function isBelow(setting: string, name: string): boolean {
  return setting === name || setting.startsWith(`${name}.`);
}

/** docs/CONFIGURATION.md, whole. */
export function configurationPage(): string {
  return `${INTRODUCTION}
| setting | what it does | value | default |
|---|---|---|---|
${SETTINGS.map(row).join('\n')}
`;
}

const INTRODUCTION = `# Configuration

<!-- Made by \`npm run docs\` from service/config_schema.ts: change it there. -->

Every setting can come from four places; the first that has it wins:

1. a flag: \`--listen-otlp-grpc 14317\` (dots and underscores of the name become dashes),
2. the environment: \`SPANHOUSE_LISTEN_OTLP_GRPC=14317\` (an empty variable counts as not set),
3. a YAML file, named by \`--config file.yaml\` or \`SPANHOUSE_CONFIG\`:
   \`\`\`yaml
   listen:
     otlp_grpc: 14317
   \`\`\`
4. the default.

\`spanhouse config print\` shows what is in force and where each value came from. A wrong or unknown setting
stops the start, and all problems are listed at once. Secrets have no flag, since every user of a machine can
read the flags of a process; they are never printed or logged.

A listener on loopback answers only to Host names that mean this machine, or that are in \`http.allowed_hosts\`:
without that, any web page could read traces through DNS rebinding.
`;

function row(setting: Setting): string {
  const fallback = setting.fallbackText === '' ? '(empty)' : setting.fallbackText;
  const name = `\`${setting.name}\`${setting.secret ? ' (secret)' : ''}`;
  return `| ${name} | ${cell(setting.help)} | ${cell(setting.expected)} | ${cell(fallback)} |`;
}

function cell(value: string): string {
  return value.replaceAll('|', '\\|').replaceAll('*', '\\*');
}

function wrap(sentence: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of sentence.split(' ')) {
    if (line !== '' && HELP_INDENT.length + line.length + word.length + 1 > HELP_COLUMNS) {
      lines.push(`${HELP_INDENT}${line}`);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, `${HELP_INDENT}${line}`];
}

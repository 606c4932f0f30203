// Golden transcripts: what a client asks, and what it must be told. A person can read them, and does
// so before they are kept: UPDATE_GOLDEN=1 writes what came.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { call } from '../harness/http.ts';

interface Step {
  /** Method, path and query as the client sends them. */
  readonly request: string;
  readonly status?: number;
  readonly type?: string;
  /** JSON where the answer is JSON, else its text. */
  readonly body?: unknown;
}

const FOLDER = new URL('./testdata/', import.meta.url);

export function testData(name: string): Buffer {
  return readFileSync(new URL(name, FOLDER));
}

/** Asks all that the transcript has, in its order; `body` goes with each POST that has one. */
export async function replay(base: string, name: string, body?: Uint8Array): Promise<void> {
  const steps = JSON.parse(testData(name).toString()) as Step[];
  const came: Step[] = [];
  for (const { request } of steps) {
    const [method = '', path = ''] = request.split(' ');
    const hasBody = body !== undefined && path === '/api/transform';
    const answer = await call(`${base}${path}`, { method, ...(hasBody ? { body } : {}) });
    const text = answer.body.toString();
    came.push({
      request,
      status: answer.status,
      type: String(answer.headers['content-type']),
      body: parsed(text),
    });
  }
  if (process.env['UPDATE_GOLDEN'] === '1') {
    writeFileSync(new URL(name, FOLDER), `${JSON.stringify(came, null, 1)}\n`);
  }
  for (const [i, step] of steps.entries()) assert.deepEqual(came[i], step, step.request);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

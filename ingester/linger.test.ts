import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Linger } from './linger.ts';

describe('linger', () => {
  it('lets a lone request go at once', () => {
    const linger = new Linger();
    assert.equal(linger.remainingMs({ requests: 1, spans: 5, openedMs: 1000 }, 1000), 0);
  });

  it('waits for the senders of the last group, a quarter of the insert at most', () => {
    const linger = new Linger();
    linger.closed({ requests: 10, spans: 5000 }, 1000);
    linger.inserted(40);
    assert.equal(linger.remainingMs({ requests: 3, spans: 1500, openedMs: 1000 }, 1004), 6);
    assert.equal(linger.remainingMs({ requests: 10, spans: 5000, openedMs: 1000 }, 1004), 0);
    assert.equal(linger.remainingMs({ requests: 3, spans: 1500, openedMs: 1000 }, 1010), 0);
  });

  it('rations small groups after a burst, for less than a lone request may take', () => {
    const linger = new Linger();
    for (let i = 0; i < 8; i++) linger.closed({ requests: 1, spans: 5 }, 10_000);
    const waitMs = linger.remainingMs({ requests: 1, spans: 5, openedMs: 10_000 }, 10_000);
    assert.ok(waitMs > 100 && waitMs < 200);
    assert.equal(linger.remainingMs({ requests: 1, spans: 500, openedMs: 10_000 }, 10_000), 0);
  });

  it('lets small groups go at once again after a quiet time', () => {
    const linger = new Linger();
    for (let i = 0; i < 8; i++) linger.closed({ requests: 1, spans: 5 }, 10_000);
    assert.equal(linger.remainingMs({ requests: 1, spans: 5, openedMs: 13_000 }, 13_000), 0);
  });
});

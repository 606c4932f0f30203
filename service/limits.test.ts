import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from './config.ts';
import { GRPC_LIMITS } from './grpc_listener.ts';
import { HTTP_LIMITS } from './http_listener.ts';
import { grpcLimits, httpLimits } from './limits.ts';

test('listeners that are opened without a configuration have the limits of the defaults', () => {
  const { config } = loadConfig([], {});
  assert.deepEqual(httpLimits(config), HTTP_LIMITS);
  assert.deepEqual(grpcLimits(config), GRPC_LIMITS);
});

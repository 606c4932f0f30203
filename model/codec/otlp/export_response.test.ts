import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ERROR_MESSAGE_BYTES_MAX,
  exportResponseJson,
  exportResponseProto,
} from './export_response.ts';
import { plain, ResponseType } from './testing/proto_root.ts';

test('when everything was kept there is no partial success', () => {
  const result = { rejected: 0, message: '' };
  assert.equal(exportResponseProto(result).length, 0);
  assert.equal(exportResponseJson(result), '{}');
});

test('rejected spans are counted and explained, alike in both encodings', () => {
  const result = { rejected: 3, message: '3 spans had no trace id' };
  const partialSuccess = { rejectedSpans: '3', errorMessage: result.message };
  assert.deepEqual(plain(ResponseType, exportResponseProto(result)), { partialSuccess });
  assert.deepEqual(JSON.parse(exportResponseJson(result)), { partialSuccess });
});

test('a message without rejected spans is a warning', () => {
  const bytes = exportResponseProto({ rejected: 0, message: 'slow down' });
  assert.deepEqual(plain(ResponseType, bytes), { partialSuccess: { errorMessage: 'slow down' } });
});

test('a long message is shortened between two characters, far below 4 MiB', () => {
  const result = { rejected: 1, message: '結'.repeat(2_000_000) };
  const bytes = exportResponseProto(result);
  assert.ok(bytes.length <= ERROR_MESSAGE_BYTES_MAX + 16);
  const { partialSuccess } = plain(ResponseType, bytes) as {
    partialSuccess: { errorMessage: string };
  };
  assert.match(partialSuccess.errorMessage, /^結{5000,}$/);
  assert.ok(exportResponseJson(result).length <= ERROR_MESSAGE_BYTES_MAX + 64);
});

// The compressions that kafkajs leaves to others: of ours it has none built in.

import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import kafkajs from 'kafkajs';
import type { Compression } from './connection.ts';

const { CompressionCodecs, CompressionTypes } = kafkajs;

export const COMPRESSION_TYPES: Readonly<Record<Compression, number>> = {
  none: CompressionTypes.None,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
};

interface Encoder {
  readonly buffer: Buffer;
}

/** For the whole process. zstd runs on zlib's threads, off the event loop. */
export async function addCodec(compression: Compression): Promise<void> {
  if (compression === 'none') return;
  if (compression === 'zstd') {
    const compress = promisify(zstdCompress);
    const decompress = promisify(zstdDecompress);
    CompressionCodecs[CompressionTypes.ZSTD] = () => ({
      compress: ({ buffer }: Encoder) => compress(buffer),
      decompress: (buffer: Buffer) => decompress(buffer),
    });
    return;
  }
  // Node has no LZ4; the other client brings one along. Loaded only where it is asked for.
  const { compressionsAlgorithms } = await import('@platformatic/kafka');
  CompressionCodecs[CompressionTypes.LZ4] = () => ({
    compress: async ({ buffer }: Encoder) => compressionsAlgorithms.lz4.compressSync(buffer),
    decompress: async (buffer: Buffer) => compressionsAlgorithms.lz4.decompressSync(buffer),
  });
}

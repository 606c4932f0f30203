// Whether brokers serve, asked of themselves: an open port says little.
import { Kafka as Client, logLevel } from 'kafkajs';
import { eventually } from '../eventually.ts';

/** 6 s alone on a quiet machine, 11 s for three; two busy cores deserve patience. */
export const READY_MS = 90_000;

/** Polls until `count` brokers and a controller are known. */
export async function brokersAnswer(bootstrap: string, count: number): Promise<void> {
  await eventually(`${count} Kafka brokers`, READY_MS, async () => {
    const client = new Client({
      brokers: bootstrap.split(','),
      logLevel: logLevel.NOTHING,
      connectionTimeout: 1000,
      requestTimeout: 5000,
      retry: { retries: 0 },
    });
    const admin = client.admin();
    try {
      await admin.connect();
      const { brokers, controller } = await admin.describeCluster();
      return brokers.length === count && controller !== null ? true : undefined;
    } finally {
      await admin.disconnect();
    }
  });
}

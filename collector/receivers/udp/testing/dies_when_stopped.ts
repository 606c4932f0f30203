// The thread that reads UDP, but it dies where it should end.

import { parentPort } from 'node:worker_threads';
import '../udp_thread.ts';

parentPort?.on('message', () => {
  throw new Error('died when told to stop');
});

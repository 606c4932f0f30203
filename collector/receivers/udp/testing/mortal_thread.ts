// The thread that reads UDP, but it dies when the channel of this name says so.

import { BroadcastChannel } from 'node:worker_threads';
import '../udp_thread.ts';

const channel = new BroadcastChannel('mortal udp thread').unref();
channel.onmessage = () => {
  setImmediate(() => {
    throw new Error('told to die');
  });
};

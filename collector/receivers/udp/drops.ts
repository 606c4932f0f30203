// What the kernel dropped because a socket's buffer was full: /proc/net/udp{,6}, last column. There is
// no other way for a receiver to know that it was too slow.

import { readFileSync } from 'node:fs';

const TABLES = ['/proc/net/udp', '/proc/net/udp6'];

/** Datagrams dropped so far on this port, over all addresses; 0 where the system does not tell. */
export function kernelDrops(port: number): number {
  let drops = 0;
  for (const table of TABLES) {
    try {
      drops += dropsIn(readFileSync(table, 'utf8'), port);
    } catch {
      // Not Linux, or no IPv6.
    }
  }
  return drops;
}

/** `sl local_address rem_address st …`, the local address as hex `address:port`; drops come last. */
export function dropsIn(table: string, port: number): number {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  let drops = 0;
  for (const line of table.split('\n').slice(1)) {
    const columns = line.trim().split(/\s+/);
    if (columns[1]?.endsWith(suffix)) drops += Number(columns.at(-1) ?? 0) || 0;
  }
  return drops;
}

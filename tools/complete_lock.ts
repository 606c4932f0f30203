// npm run lock: adds what npm leaves out of package-lock.json when the registry at hand does not
// carry the builds of a package for other platforms. `npm ci` refuses a lock without them, on any
// machine. Such an entry has a version but no checksum; npm skips it where the platform differs.

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

interface Entry {
  version?: string;
  cpu?: string[];
  dev?: boolean;
  libc?: string[];
  optional?: boolean;
  os?: string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface Lock {
  packages: Record<string, Entry>;
}

const LOCK = fileURLToPath(new URL('../package-lock.json', import.meta.url));

/** `@scope/name-linux-arm64-musl`: how such packages say their platform. */
const PLATFORM =
  /-(aix|android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32)-(arm64|arm|ia32|loong64|ppc64|riscv64|s390x|x64)(?:-(.+))?$/;

/** The missing entries by their place in the lock; empty when it is complete. */
export function missingEntries(lock: Lock): Map<string, Entry> {
  const missing = new Map<string, Entry>();
  for (const parent of Object.values(lock.packages)) {
    for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
      const place = `node_modules/${name}`;
      const platform = PLATFORM.exec(name);
      if (lock.packages[place] !== undefined || platform === null) continue;
      const [, os = '', cpu = '', libc = ''] = platform;
      missing.set(place, {
        version,
        cpu: [cpu],
        ...(parent.dev === true ? { dev: true } : {}),
        ...(os === 'linux' ? { libc: [libc.startsWith('musl') ? 'musl' : 'glibc'] } : {}),
        optional: true,
        os: [os],
      });
    }
  }
  return missing;
}

export function readLock(): Lock {
  return JSON.parse(readFileSync(LOCK, 'utf8')) as Lock;
}

if (import.meta.main) {
  const lock = readLock();
  const missing = missingEntries(lock);
  const packages = [...Object.entries(lock.packages), ...missing];
  packages.sort(([a], [b]) => a.localeCompare(b, 'en'));
  lock.packages = Object.fromEntries(packages);
  writeFileSync(LOCK, `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`${missing.size} entries added`);
}

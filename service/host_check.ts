// Against DNS rebinding: a web page may make its own name resolve to 127.0.0.1 and then read from
// us as its own origin. The browser still sends the page's name as Host, so a listener on loopback
// serves only names that mean this machine (or that the operator has listed).

/** The name of a Host header without its port, in lower case; '' when it cannot be one. */
export function hostName(header: string): string {
  // [::1]:4318 | ::1 is not allowed unbracketed (RFC 9110 §7.2) | name:port | name
  const match = /^(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(?::\d{1,5})?$/i.exec(header);
  return (match?.[1] ?? '').toLowerCase().replace(/\.$/, '');
}

/**
 * Whether a loopback listener may answer a request with this Host header. `allowed` holds names
 * (`traces.example.org`) or all names below one (`*.example.org`). No header at all is allowed:
 * browsers always send one.
 */
export function hostAllowed(header: string | undefined, allowed: readonly string[]): boolean {
  if (header === undefined) return true;
  const name = hostName(header);
  if (name === '') return false;
  if (name === 'localhost' || name.endsWith('.localhost') || name === '[::1]') return true;
  if (/^127(\.\d{1,3}){3}$/.test(name)) return true;
  return allowed.some((entry) => {
    const wanted = entry.toLowerCase();
    return wanted.startsWith('*.') ? name.endsWith(wanted.slice(1)) : name === wanted;
  });
}

/** What a page may send to any origin without asking first (Fetch: CORS-safelisted). */
const SIMPLE_TYPES = new Set([
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data',
]);

/** Whether a body of this content type could come from a foreign page without a preflight. */
export function isSimpleContentType(contentType: string | undefined): boolean {
  if (contentType === undefined) return false;
  return SIMPLE_TYPES.has((contentType.split(';', 1)[0] as string).trim().toLowerCase());
}

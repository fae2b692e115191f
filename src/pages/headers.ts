/**
 * The headers of every HTML page, beside those of every answer (security catalogue 4.1, rows I16-I18, A25, C05).
 *
 * There is no inline script and no inline style, hence no nonce: `'self'` is all that may load. `Referrer-Policy` is
 * `same-origin` and not `no-referrer`, since under the latter browsers send `Origin: null` with the page's own forms,
 * which is exactly what the check of row I07 refuses.
 *
 * Never: a source that a request can widen.
 */

/** `'self'`, an origin such as `https://app.example.com` (of no IPv6 literal), or a scheme such as `com.example.app:`. */
const allowedSource = /^('self'|https?:\/\/[A-Za-z0-9.-]+(:\d+)?|[a-z][a-z0-9+.-]*:)$/

const everyFeatureOff = [
  'accelerometer',
  'autoplay',
  'camera',
  'display-capture',
  'encrypted-media',
  'fullscreen',
  'geolocation',
  'gyroscope',
  'magnetometer',
  'microphone',
  'midi',
  'payment',
  'picture-in-picture',
  'screen-wake-lock',
  'usb',
  'xr-spatial-tracking',
].map((feature) => `${feature}=()`)

const permissionsPolicy = [
  ...everyFeatureOff,
  'publickey-credentials-create=(self)',
  'publickey-credentials-get=(self)',
].join(', ')

/** Origins that a policy can name: a host of its grammar is letters, digits, dots and hyphens (CSP 3 section 2.3.1). */
const nameable = /^https?:\/\/[a-z0-9.-]+(:\d+)?$/

/**
 * An address as a source of the policy: its origin. Its scheme where a policy cannot name that: browsers drop a source such
 * as `http://[::1]:3000`; and where there is no origin, as with a native application's scheme.
 */
export function sourceOf(address: string): string {
  const { origin, protocol } = new URL(address)
  return nameable.test(origin) ? origin : protocol
}

/**
 * The headers of a page.
 * @param formActions where its forms may go; none at all when empty. Browsers also judge each redirect that follows a
 *   posted form by this list, so a form that ends at an application elsewhere needs a page in between
 * @param connects whether its script asks the server for something
 * @param frames whose pages it loads in frames, by the same forms of a source
 * @throws Error for a source of another form than `'self'`, an origin or a scheme
 */
export function pageHeaders({
  formActions,
  connects = false,
  frames = [],
}: {
  readonly formActions: readonly string[]
  readonly connects?: boolean
  readonly frames?: readonly string[]
}): Record<string, string> {
  for (const source of [...formActions, ...frames]) {
    if (!allowedSource.test(source)) throw new Error('a source is neither self, origin nor scheme')
  }
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    ...(connects ? ["connect-src 'self'"] : []),
    ...(frames.length > 0 ? [`frame-src ${[...new Set(frames)].join(' ')}`] : []),
    `form-action ${formActions.length === 0 ? "'none'" : formActions.join(' ')}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "object-src 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ]
  return {
    'content-security-policy': policy.join('; '),
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': permissionsPolicy,
    'referrer-policy': 'same-origin',
  }
}
